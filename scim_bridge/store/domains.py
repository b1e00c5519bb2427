"""The domains whose addresses belong to an organization."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Conflict
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import organization_domain

REMOVED = "removed"
VERIFIED = "verified"
ASSERTED = "asserted"


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


@dataclass(frozen=True, slots=True)
class DomainProof:
    """A domain and what is known of its proof; "" until somebody asks what to publish."""

    id: str
    domain: str
    state: str
    challenge: str
    verified_at: datetime | None
    checked_at: datetime | None
    missing_since: datetime | None


_PROOF = (
    organization_domain.c.id,
    organization_domain.c.domain,
    organization_domain.c.state,
    organization_domain.c.challenge,
    organization_domain.c.verified_at,
    organization_domain.c.checked_at,
    organization_domain.c.missing_since,
)


def find_proof(connection: sa.Connection, organization_id: OrganizationId, domain: str) -> DomainProof | None:
    """Return a domain of an organization with its proof."""
    table = organization_domain.c
    is_it = (table.organization_id == organization_id, table.domain == domain, table.state != REMOVED)
    row = connection.execute(sa.select(*_PROOF).where(*is_it)).one_or_none()
    return None if row is None else DomainProof(*row)


def set_challenge(connection: sa.Connection, proof: DomainProof, challenge: str) -> DomainProof:
    """Say what the owner of a domain has to publish."""
    _update(connection, proof.id, challenge=challenge)
    return replace(proof, challenge=challenge)


def note_found(connection: sa.Connection, domain_id: str, where: str, at: datetime) -> None:
    """Note that the proof is there; the domain is verified."""
    table = organization_domain.c
    first = sa.func.coalesce(table.verified_at, sa.literal(at, table.verified_at.type))
    _update(connection, domain_id, state=VERIFIED, proof=where, verified_at=first, checked_at=at, missing_since=None)


def note_missing(connection: sa.Connection, domain_id: str, at: datetime) -> datetime:
    """Note that the proof is not there, and return since when."""
    table = organization_domain.c
    first = sa.func.coalesce(table.missing_since, sa.literal(at, table.missing_since.type))
    _update(connection, domain_id, checked_at=at, missing_since=first)
    found: datetime = connection.execute(sa.select(table.missing_since).where(table.id == domain_id)).scalar_one()
    return found


def forget_proof(connection: sa.Connection, domain_id: str) -> None:
    """Let a domain be the organization's on an admin's word alone."""
    _update(connection, domain_id, state=ASSERTED, proof=None, verified_at=None, missing_since=None)


def verified_unseen_since(connection: sa.Connection, at: datetime) -> list[tuple[OrganizationId, DomainProof]]:
    """Return the verified domains whose proof was not looked for since a moment, whosever they are."""
    table = organization_domain.c
    is_due = (table.state == VERIFIED, sa.or_(table.checked_at.is_(None), table.checked_at < at))
    query = sa.select(table.organization_id, *_PROOF).where(*is_due).order_by(table.id)
    return [(OrganizationId(row[0]), DomainProof(*row[1:])) for row in connection.execute(query)]


def _update(connection: sa.Connection, domain_id: str, **values: Any) -> None:
    connection.execute(sa.update(organization_domain).where(organization_domain.c.id == domain_id).values(**values))
