"""An organization's custom roles: rows with from/to, so that what a role allowed is known for every moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.moments import AT, THEN
from scim_bridge.store.schema import api_role, grant


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A named set of permissions of one organization."""

    id: str
    name: str
    permissions: frozenset[str]
    since: datetime


_LIVE = sa.select(api_role).where(
    api_role.c.organization_id == sa.bindparam("organization"), api_role.c.valid_to.is_(None)
)


def custom_roles(connection: sa.Connection, organization_id: OrganizationId) -> list[CustomRole]:
    """Return the roles that an organization has made itself, by name."""
    found = connection.execute(_LIVE, {"organization": organization_id})
    return sorted((_role(row) for row in found), key=lambda role: role.name)


def custom_roles_then(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> list[CustomRole]:
    """Return the roles that an organization had made itself at a moment, as they were then."""
    query = sa.select(api_role).where(api_role.c.organization_id == organization_id, THEN.in_force(api_role))
    return [_role(row) for row in connection.execute(query.order_by(api_role.c.name), {AT: at})]


def put_role(connection: sa.Connection, change: Change, name: str, permissions: Iterable[str]) -> CustomRole:
    """Make a role, or let it mean something else from now on; what it meant before is kept."""
    end_role(connection, change, name)
    made = CustomRole(new_id(), name, frozenset(permissions), change.at)
    note(connection, change, "role.began", role=name, permissions=sorted(made.permissions))
    connection.execute(
        sa.insert(api_role).values(
            id=made.id,
            organization_id=change.organization_id,
            name=name,
            permissions=orjson.dumps(sorted(made.permissions)).decode(),
            valid_from=change.at,
        )
    )
    return made


def end_role(connection: sa.Connection, change: Change, name: str) -> None:
    """Let a role be no longer."""
    note(connection, change, "role.ended", role=name)
    connection.execute(
        sa.update(api_role)
        .where(
            api_role.c.organization_id == change.organization_id,
            api_role.c.name == name,
            api_role.c.valid_to.is_(None),
        )
        .values(valid_to=change.at)
    )


def scopes_of_role(connection: sa.Connection, organization_id: OrganizationId, name: str) -> list[Scope]:
    """Return the scopes at which somebody is granted a role."""
    query = (
        sa.select(grant.c.scope_kind, grant.c.scope_id)
        .distinct()
        .where(grant.c.organization_id == organization_id, grant.c.api_role == name, grant.c.valid_to.is_(None))
    )
    return sorted(Scope(ScopeKind(kind), place) for kind, place in connection.execute(query))


def _role(row: sa.Row[Any]) -> CustomRole:
    return CustomRole(row.id, row.name, frozenset(orjson.loads(row.permissions)), row.valid_from)
