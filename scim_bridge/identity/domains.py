"""Use cases of an organization's domains: whose addresses may be trusted to be its people's."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.adoption import checked_domain
from scim_bridge.errors import NotFound
from scim_bridge.identity.authority import require
from scim_bridge.identity.names import the_organization
from scim_bridge.store import domains as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.domains import Domain as Domain

MANAGING_DOMAINS = "organization:domains:write"


@dataclass(frozen=True, slots=True)
class DomainAdded:
    """A domain of an organization; ``created`` tells whether it was not there before."""

    domain: Domain
    created: bool


def add(database: Database, actor: Actor, organization: str, text: str, request_id: str | None = None) -> DomainAdded:
    """Say that a domain is the organization's, on the admin's word; raises Conflict when it is another's."""
    domain = checked_domain(text)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DOMAINS)
        found = next((each for each in store.list_domains(connection, owner.id) if each.domain == domain), None)
        if found is not None:
            return DomainAdded(found, created=False)
        change = new_change(owner.id, actor, "organization.domain_added", now(), request_id)
        add_change(connection, change, domain)
        made = store.insert_domain(connection, change, domain)
        add_audit(connection, change, "organization.domain_added", "organization", owner.id, {"domain": domain})
        return DomainAdded(made, created=True)


def remove(database: Database, actor: Actor, organization: str, text: str, request_id: str | None = None) -> Domain:
    """Say that a domain is no longer the organization's; who was adopted by it stays so."""
    domain = checked_domain(text)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DOMAINS)
        found = next((each for each in store.list_domains(connection, owner.id) if each.domain == domain), None)
        if found is None:
            raise NotFound(f"{domain} is no domain of the organization {owner.slug}.")
        change = new_change(owner.id, actor, "organization.domain_removed", now(), request_id)
        add_change(connection, change, domain)
        store.remove_domain(connection, found.id)
        add_audit(connection, change, "organization.domain_removed", "organization", owner.id, {"domain": domain})
        return found


def list_all(database: Database, organization: str) -> list[Domain]:
    """Return the organization's domains."""
    with database.read() as connection:
        return store.list_domains(connection, the_organization(connection, organization).id)
