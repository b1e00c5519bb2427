"""The domains whose addresses belong to an organization."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Conflict
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import organization_domain

REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of an organization; ``asserted``: on an admin's word."""

    id: str
    domain: str
    state: str
    created_at: datetime


def list_domains(connection: sa.Connection, organization_id: OrganizationId) -> list[Domain]:
    """Return an organization's domains, by name."""
    table = organization_domain.c
    query = (
        sa.select(table.id, table.domain, table.state, table.created_at)
        .where(table.organization_id == organization_id, table.state != REMOVED)
        .order_by(table.domain)
    )
    return [Domain(*row) for row in connection.execute(query)]


def insert_domain(connection: sa.Connection, change: Change, domain: str) -> Domain:
    """Add a domain on an admin's word; raises Conflict when it is another organization's."""
    made = Domain(new_id(), domain, "asserted", change.at)
    row = {"id": made.id, "organization_id": change.organization_id, "domain": domain}
    try:
        connection.execute(sa.insert(organization_domain).values(**row, state=made.state, created_at=change.at))
    except IntegrityError:
        raise Conflict(f"The domain {domain} belongs to another organization of this installation.") from None
    return made


def remove_domain(connection: sa.Connection, domain_id: str) -> None:
    """Take a domain away; the row stays for history."""
    connection.execute(
        sa.update(organization_domain).where(organization_domain.c.id == domain_id).values(state=REMOVED)
    )
