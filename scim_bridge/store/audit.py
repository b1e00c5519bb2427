"""Audit rows, written unsealed in the transaction of the mutation they tell of."""

import secrets
from collections.abc import Mapping

import orjson
import sqlalchemy as sa

from scim_bridge.domain.audit import entry_digest
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import audit_entry
from scim_bridge.store.statements import write_later

_INSERT = sa.insert(audit_entry)


def add_audit(
    connection: sa.Connection,
    change: Change,
    action: str,
    noun: str,
    object_id: str,
    detail: Mapping[str, object] | None = None,
) -> None:
    """
    Write one audit row: what happened to which object, with old and new values in ``detail``.

    ``detail`` never holds secrets. The chain holds only the salted digest of it and of the actor's name, so that
    personal values can be erased.
    """
    name = change.actor.name[:320]
    text = orjson.dumps(dict(detail or {}), option=orjson.OPT_SORT_KEYS, default=str).decode()
    salt = secrets.token_hex(16)
    write_later(
        connection,
        _INSERT,
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "at": change.at,
            "actor_kind": change.actor.kind.value,
            "actor_id": change.actor.id,
            "actor_name": name,
            "action": action,
            "noun": noun,
            "object_id": object_id,
            "request_id": change.request_id,
            "change_id": change.id,
            "detail": text,
            "salt": salt,
            "digest": entry_digest(salt, name, text),
        },
    )
