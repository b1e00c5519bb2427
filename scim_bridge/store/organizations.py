"""Organizations: the tenants, and the lock that rule changes and group changes share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.changes import Change
from scim_bridge.store.schema import organization


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant."""

    id: OrganizationId
    slug: str
    name: str
    created_at: datetime


def insert_organization(connection: sa.Connection, change: Change, slug: str, name: str) -> Organization:
    """Add a tenant; its id is the one that the change names."""
    made = Organization(change.organization_id, slug, name, change.at)
    connection.execute(sa.insert(organization).values(id=made.id, slug=slug, name=name, created_at=made.created_at))
    return made


def find_organization(connection: sa.Connection, named: str) -> Organization | None:
    """Return the organization with this slug or id."""
    query = _live().where(sa.or_(organization.c.slug == named, organization.c.id == named))
    row = connection.execute(query).one_or_none()
    return None if row is None else _organization(row)


def list_organizations(connection: sa.Connection) -> list[Organization]:
    """Return every organization, by slug."""
    return [_organization(row) for row in connection.execute(_live().order_by(organization.c.slug))]


def _advisory(take: "sa.sql.functions._FunctionGenerator") -> sa.Select[Any]:
    # Of no row: whoever only refers to the organization does not wait, and nothing is written for it.
    return sa.select(take(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)))


_LOCK_ALONE = _advisory(sa.func.pg_advisory_xact_lock)
_LOCK_SHARED = _advisory(sa.func.pg_advisory_xact_lock_shared)


def lock_for_rules(connection: sa.Connection, organization_id: OrganizationId, *, exclusive: bool) -> None:
    """
    Keep rules and what they are matched against apart until the transaction ends.

    Whoever changes rules or the tree takes it alone; whoever changes a group or a person shares it with others like
    them. Without it, a group made while rules change would be seen by neither side. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_ALONE if exclusive else _LOCK_SHARED, {"name": f"rules:{organization_id}"})


def _live() -> sa.Select[Any]:
    return sa.select(organization).where(organization.c.removed_at.is_(None))


def _organization(row: sa.Row[Any]) -> Organization:
    return Organization(row.id, row.slug, row.name, row.created_at)
