"""Which change, and which request of whom, a row of history began with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from scim_bridge.domain.actors import ActorKind
from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.audit_reading import entries_at
from scim_bridge.store.identifiers import first_id_at
from scim_bridge.store.schema import provisioning_log

LONGEST_REQUEST = timedelta(minutes=2)
"""A request is logged when its change is; the ids of the log are times, and nothing else of it is indexed."""

_LOGGED = (
    sa.select(provisioning_log.c.id)
    .where(
        provisioning_log.c.directory_id == sa.bindparam("directory"),
        provisioning_log.c.id >= sa.bindparam("first"),
        provisioning_log.c.id < sa.bindparam("last"),
        provisioning_log.c.change_id == sa.bindparam("change"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, in which request; ``log_entry`` is the identity provider's request in its directory's log."""

    action: str
    actor_kind: str
    actor: str
    request_id: str | None
    log_entry: str | None = None


def authors_at(
    connection: sa.Connection, organization_id: OrganizationId, moments: Iterable[tuple[datetime, str | None]]
) -> dict[tuple[datetime, str | None], Author]:
    """Return who made the changes of these moments, each looked for with the object that it is about, if that helps."""
    wanted = set(moments)
    entries = entries_at(connection, organization_id, {at for at, _ in wanted})
    found: dict[tuple[datetime, str | None], Author] = {}
    known: dict[str, Author] = {}
    for at, object_id in wanted:
        of_moment = entries.get(at, [])
        # Two changes of one microsecond are told apart by what they are about.
        best = next((each for each in of_moment if each.object_id == object_id), None) or next(iter(of_moment), None)
        if best is not None:
            if best.id not in known:
                known[best.id] = _author(connection, best)
            found[at, object_id] = known[best.id]
    return found


def _author(connection: sa.Connection, entry: Entry) -> Author:
    logged = None
    if entry.actor_kind == ActorKind.DIRECTORY and entry.change_id is not None:
        values = {
            "directory": entry.actor_id,
            "change": entry.change_id,
            "first": first_id_at(entry.at - LONGEST_REQUEST),
            "last": first_id_at(entry.at + LONGEST_REQUEST),
        }
        logged = connection.execute(_LOGGED, values).scalar_one_or_none()
    return Author(entry.action, entry.actor_kind, entry.actor_name, entry.request_id, logged)
