"""What others are told of an audit entry: one document for webhooks and for syslog, made when it is sent."""

from dataclasses import asdict

import orjson

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.webhooks import AUDIT_ENTRY

LONGEST_BODY = 256 * 1024
_TOLD = (
    "sequence",
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "noun",
    "object_id",
    "request_id",
    "change_id",
    "hash",
)


def message_of(organization_id: OrganizationId, kind: str, entry: Entry) -> tuple[str, str]:
    """
    Return the id and the text of a webhook's message; both are the same whenever it is sent.

    Unless personal values of the entry were erased meanwhile: then they are left out.
    """
    prefix = "aud" if kind == AUDIT_ENTRY else "evt"
    document = {"type": kind, "timestamp": entry.at, "data": {"organization_id": organization_id, **told(entry)}}
    return f"{prefix}_{entry.id}", dumped(document)


def told(entry: Entry) -> dict[str, object]:
    """Return an entry as others are told it; ``detail`` is None when it was erased or is too long to send."""
    found = asdict(entry)
    detail = entry.detail
    is_too_long = detail is not None and len(detail) > LONGEST_BODY
    document: dict[str, object] = {name: found[name] for name in _TOLD}
    document["actor_name"] = entry.actor_name or None
    return document | {"detail": None if detail is None or is_too_long else orjson.loads(detail)}


def dumped(document: object) -> str:
    """Return a document as JSON."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z).decode()
