"""Use cases of proving domains: what to publish, look whether it is there, and look again now and then."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.adoption import checked_domain
from scim_bridge.domain.domain_proofs import FILE_PATH, LOOKED_AT_EVERY, Found, dns_name, is_lost, proof_value
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Conflict, NotFound, Unavailable
from scim_bridge.identity.authority import require
from scim_bridge.identity.domains import MANAGING_DOMAINS
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.runtime import Runtime
from scim_bridge.log import get_logger
from scim_bridge.proofs.look_up import look
from scim_bridge.store import domains as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.domains import DomainProof

CLOCK = Actor(ActorKind.SCHEDULER, "scheduler")
Look = Callable[[str, str], Found]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProofWanted:
    """What to publish for a domain: a TXT record, or the same text in a file."""

    domain: str
    state: str
    record: str
    value: str
    file: str
    verified_at: datetime | None
    missing_since: datetime | None


def looking(runtime: Runtime) -> Look:
    """Return how proofs are looked for with the settings of a process."""
    return lambda domain, value: look(runtime.settings, domain, value)


def show(database: Database, actor: Actor, organization: str, text: str) -> ProofWanted:
    """Return what to publish for a domain of the organization, made now if it was not."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DOMAINS)
        return _wanted(_challenged(connection, _the_domain(connection, owner.id, text)))


def verify(
    database: Database, looked: Look, actor: Actor, organization: str, text: str, request_id: str | None = None
) -> ProofWanted:
    """
    Look for the proof of a domain; from then on its addresses are sent to the organization's identity providers.

    Raises Conflict when it is not there, and Unavailable when nobody answers.
    """
    asked = show(database, actor, organization, text)
    found = looked(asked.domain, asked.value)
    if found is Found.UNKNOWN:
        raise Unavailable(f"Nobody answers for {asked.domain}; try again later.", 60)
    if found is Found.NOWHERE:
        raise Conflict(f"There is no TXT record {asked.record} and no file {asked.file} with {asked.value!r} yet.")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DOMAINS)
        proof = _the_domain(connection, owner.id, text)
        change = new_change(owner.id, actor, "organization.domain_verified", now(), request_id)
        store.note_found(connection, proof.id, found.value, change.at)
        if proof.state != store.VERIFIED:
            add_change(connection, change, proof.domain)
            detail = {"domain": proof.domain, "proof": found.value}
            add_audit(connection, change, change.kind, "organization", owner.id, detail)
        return _wanted(_the_domain(connection, owner.id, text))


def look_again(database: Database, looked: Look) -> int:
    """Look for every proof that was not looked for in a day, and return how many domains have lost theirs."""
    with database.read() as connection:
        due = store.verified_unseen_since(connection, now() - LOOKED_AT_EVERY)
    return sum(_look_again(database, looked, organization_id, proof) for organization_id, proof in due)


def _look_again(database: Database, looked: Look, organization_id: OrganizationId, proof: DomainProof) -> bool:
    found = looked(proof.domain, proof_value(proof.challenge))
    with database.write() as connection:
        change = new_change(organization_id, CLOCK, "organization.domain_lost", now())
        if found in (Found.DNS, Found.FILE):
            store.note_found(connection, proof.id, found.value, change.at)
            return False
        if found is Found.UNKNOWN:
            # Not looked at: it is tried again at the next turn, and nothing is taken away for it.
            return False
        missing_since = store.note_missing(connection, proof.id, change.at)
        log.warning("the proof of a domain is gone", domain=proof.domain, since=missing_since)
        if not is_lost(missing_since, change.at):
            return False
        add_change(connection, change, proof.domain)
        store.forget_proof(connection, proof.id)
        add_audit(connection, change, change.kind, "organization", organization_id, {"domain": proof.domain})
        return True


def _the_domain(connection: Connection, organization_id: OrganizationId, text: str) -> DomainProof:
    domain = checked_domain(text)
    found = store.find_proof(connection, organization_id, domain)
    if found is None:
        raise NotFound(f"{domain} is no domain of the organization.")
    return found


def _challenged(connection: Connection, proof: DomainProof) -> DomainProof:
    return proof if proof.challenge else store.set_challenge(connection, proof, secrets.token_hex(16))


def _wanted(proof: DomainProof) -> ProofWanted:
    return ProofWanted(
        proof.domain,
        proof.state,
        dns_name(proof.domain),
        proof_value(proof.challenge),
        f"https://{proof.domain}{FILE_PATH}",
        proof.verified_at,
        proof.missing_since,
    )
