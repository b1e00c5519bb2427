"""Change rows: the append-only note, written with every mutation, that wakes the passes."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.database import NEWS
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import change_row
from scim_bridge.store.statements import write_later

CHANNEL = "scim_bridge_change"

_INSERT = sa.insert(change_row)
# Delivered at commit: a dispatcher that listens wakes at once, one that does not polls.
_INSERT_AND_NOTIFY = _INSERT.returning(sa.func.pg_notify(CHANNEL, change_row.c.organization_id))


@dataclass(frozen=True, slots=True)
class Change:
    """One mutation: who does what in which organization, when, and on behalf of which request."""

    id: str
    organization_id: OrganizationId
    actor: Actor
    kind: str
    at: datetime
    request_id: str | None = None


def new_change(
    organization_id: OrganizationId, actor: Actor, kind: str, at: datetime, request_id: str | None = None
) -> Change:
    """Name a mutation, e.g. ``user.deactivated``; nothing is written until `add_change`."""
    return Change(new_id(), organization_id, actor, kind, at, request_id)


def add_change(connection: sa.Connection, change: Change, about: str = "") -> None:
    """Write the one change row of a mutation; call it before rows that refer to it, and only if something changed."""
    values = {"id": change.id, "organization_id": change.organization_id, "kind": change.kind, "about": about}
    statement = _INSERT_AND_NOTIFY if connection.dialect.name == "postgresql" else _INSERT
    write_later(connection, statement, values | {"created_at": change.at})
    connection.info[NEWS] = True
