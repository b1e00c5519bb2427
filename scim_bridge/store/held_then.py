"""Which objects on clusters held somebody at a moment of the past, as the audit of what was written has it."""

from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import MemberId
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import audit_entry


@dataclass(frozen=True, slots=True)
class HeldThen:
    """An object that held somebody; ``since``: the write that brought them in."""

    cluster_id: ClusterId
    name: str
    namespace: str
    role: str
    since: datetime


_WRITES = (
    sa.select(audit_entry.c.object_id, audit_entry.c.at, audit_entry.c.detail)
    .where(
        audit_entry.c.object_id.in_(listed("clusters")),
        audit_entry.c.noun == "binding",
        audit_entry.c.at <= sa.bindparam("at", type_=audit_entry.c.at.type),
        audit_entry.c.detail.contains(sa.bindparam("member")),
    )
    .order_by(audit_entry.c.at, audit_entry.c.id)
)


def bindings_held_then(
    connection: sa.Connection, clusters: list[ClusterId], member_id: MemberId, at: datetime
) -> list[HeldThen]:
    """Return the objects of these clusters that held a person at a moment."""
    found: dict[tuple[str, str, str], HeldThen] = {}
    for cluster_id, written_at, text in connection.execute(
        _WRITES, {"clusters": as_list(clusters), "at": at, "member": member_id}
    ):
        detail = orjson.loads(text)
        namespace = detail["namespace"] or ""
        key = (cluster_id, namespace, detail["binding"])
        if member_id in detail["added"]:
            found[key] = HeldThen(ClusterId(cluster_id), detail["binding"], namespace, detail["role"], written_at)
        elif member_id in detail["removed"]:
            found.pop(key, None)
    return sorted(found.values(), key=lambda each: (each.namespace, each.name))
