"""Organizations: the tenants, and the lock that rule changes and group changes share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import NotUnique
from scim_bridge.store.changes import Change
from scim_bridge.store.schema import organization


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant."""

    id: OrganizationId
    slug: str
    name: str
    created_at: datetime
    settings: str = "{}"


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


def set_organization(
    connection: sa.Connection, organization_id: OrganizationId, *, slug: str, name: str, settings: str
) -> None:
    """Give an organization another name, slug or settings; raises NotUnique where the slug is taken."""
    values = {"slug": slug, "name": name, "settings": settings}
    try:
        with connection.begin_nested():
            connection.execute(sa.update(organization).where(organization.c.id == organization_id).values(values))
    except sa.exc.IntegrityError:
        raise NotUnique(f"There is an organization {slug} already.") from None


_BY_ID = sa.select(organization.c.id).where(organization.c.id == sa.bindparam("id"))
# NO KEY UPDATE against SHARE: rows that only refer to the organization never wait.
_LOCK_ALONE = _BY_ID.with_for_update(key_share=True)
_LOCK_SHARED = _BY_ID.with_for_update(read=True)


def lock_for_rules(connection: sa.Connection, organization_id: OrganizationId, *, exclusive: bool) -> None:
    """
    Keep rules and what they are matched against apart until the transaction ends.

    Whoever changes rules or the tree takes it alone; whoever changes a group or a person shares it with others like
    them. Without it, a group made while rules change would be seen by neither side. SQLite has one writer anyway.
    """
    connection.execute(_LOCK_ALONE if exclusive else _LOCK_SHARED, {"id": organization_id})


def _live() -> sa.Select[Any]:
    return sa.select(organization).where(organization.c.removed_at.is_(None))


def _organization(row: sa.Row[Any]) -> Organization:
    return Organization(row.id, row.slug, row.name, row.created_at, row.settings)
