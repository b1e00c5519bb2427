"""How far each organization's audit was sent to the installation's syslog."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.audit_chain import COLUMNS, entry_of
from scim_bridge.store.schema import audit_chain, audit_entry, audit_stream, organization


@dataclass(frozen=True, slots=True)
class Place:
    """An organization whose audit goes on after ``sequence``."""

    organization_id: OrganizationId
    slug: str
    sequence: int


def streams_behind(connection: sa.Connection) -> list[Place]:
    """Return where audits go on that were not sent whole; an organization that is new begins at its first entry."""
    sent = sa.func.coalesce(audit_stream.c.sequence, 0)
    query = (
        sa.select(audit_chain.c.organization_id, organization.c.slug, sent)
        .join(organization, organization.c.id == audit_chain.c.organization_id)
        .outerjoin(audit_stream, audit_stream.c.organization_id == audit_chain.c.organization_id)
        .where(audit_chain.c.head_sequence > sent)
        .order_by(audit_chain.c.organization_id)
    )
    return [Place(*row) for row in connection.execute(query)]


def entries_after(connection: sa.Connection, place: Place, most: int) -> list[Entry]:
    """Return the sealed entries that follow, in the chain's order."""
    query = sa.select(*COLUMNS).where(
        audit_entry.c.organization_id == place.organization_id, audit_entry.c.sequence > place.sequence
    )
    return [entry_of(row) for row in connection.execute(query.order_by(audit_entry.c.sequence).limit(most))]


def note_sent(connection: sa.Connection, place: Place, sequence: int) -> None:
    """Say up to which entry an organization's audit was sent."""
    mine = audit_stream.c.organization_id == place.organization_id
    if connection.execute(sa.update(audit_stream).where(mine).values(sequence=sequence)).rowcount == 0:
        connection.execute(sa.insert(audit_stream).values(organization_id=place.organization_id, sequence=sequence))
