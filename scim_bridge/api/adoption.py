"""People whom a directory brought and who may be somebody that is here already; and the domains that vouch for them."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.directories import MANAGING, READING
from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import adoption, domain_checks, domains
from scim_bridge.identity.domain_checks import ProofWanted
from scim_bridge.identity.domains import MANAGING_DOMAINS, Domain, DomainAdded
from scim_bridge.web.paging import Page

TAG = "adoption"


class NewDomain(Fields):
    """A domain whose addresses are the organization's people's."""

    domain: str = Field(min_length=1, max_length=253)


@dataclass(frozen=True, slots=True)
class AdoptionConflict:
    """Somebody who waits, beside whom they may be: ``member_id`` is the one who was here."""

    id: str
    directory: str
    user_id: str
    user_name: str
    member_id: str
    member: str
    member_state: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ConflictClosed:
    """How a conflict ended: ``member_id`` is whose member the user of the directory is now."""

    id: str
    directory: str
    user_name: str
    member_id: str
    member: str
    state: str


@operation("GET", "/adoption-conflicts", tag=TAG, permission=READING, query=Paged, answers=Page[AdoptionConflict])
def list_conflicts(call: Call) -> Page[AdoptionConflict]:
    """List who waits and has nothing, beside whom they may be, and why nobody was adopted."""
    found = (
        AdoptionConflict(
            each.id,
            each.directory,
            each.user_id,
            each.user_name,
            each.candidate_id,
            each.candidate,
            each.candidate_state,
            each.reason,
            each.since,
        )
        for each in adoption.list_waiting(call.database, call.organization)
    )
    return call.page(found, lambda each: (each.id,))


@operation("POST", "/adoption-conflicts/<conflict>/claim", tag=TAG, permission=MANAGING, answers=ConflictClosed)
def claim(call: Call, conflict: str) -> ConflictClosed:
    """Say that it is the same person; what they have, whoever says so must be able to grant."""
    done = adoption.claim(call.database, call.actor, call.organization, conflict, call.request_id)
    return ConflictClosed(done.id, done.directory, done.user_name, done.candidate_id, done.candidate, "claimed")


@operation("POST", "/adoption-conflicts/<conflict>/dismiss", tag=TAG, permission=MANAGING, answers=ConflictClosed)
def dismiss(call: Call, conflict: str) -> ConflictClosed:
    """Say that they are two people: the new one becomes a member like any other."""
    done = adoption.dismiss(call.database, call.actor, call.organization, conflict, call.request_id)
    return ConflictClosed(done.id, done.directory, done.user_name, done.waiting_id, done.candidate, "dismissed")


@operation("GET", "/domains", tag=TAG, permission="org:read", query=Paged, answers=Page[Domain])
def list_domains(call: Call) -> Page[Domain]:
    """List the organization's domains."""
    return call.page(domains.list_all(call.database, call.organization), lambda each: (each.domain,))


@operation(
    "POST",
    "/domains",
    tag=TAG,
    permission=MANAGING_DOMAINS,
    body=NewDomain,
    answers=DomainAdded,
    status=HTTPStatus.CREATED,
)
def add_domain(call: Call) -> DomainAdded:
    """Say that a domain is the organization's; one that is another's is a conflict."""
    domain = call.given(NewDomain).domain
    return domains.add(call.database, call.actor, call.organization, domain, call.request_id)


@operation("DELETE", "/domains/<domain>", tag=TAG, permission=MANAGING_DOMAINS, answers=Domain)
def remove_domain(call: Call, domain: str) -> Domain:
    """Say that a domain is no longer the organization's; nobody loses anything by it."""
    return domains.remove(call.database, call.actor, call.organization, domain, call.request_id)


@operation("POST", "/domains/<domain>/proof", tag=TAG, permission=MANAGING_DOMAINS, answers=ProofWanted)
def show_proof(call: Call, domain: str) -> ProofWanted:
    """Show what to publish to prove a domain: a TXT record, or a file of its web server."""
    return domain_checks.show(call.database, call.actor, call.organization, domain)


@operation("POST", "/domains/<domain>/verify", tag=TAG, permission=MANAGING_DOMAINS, answers=ProofWanted)
def verify_domain(call: Call, domain: str) -> ProofWanted:
    """Look whether the proof is there; a verified domain's addresses are sent to the identity providers."""
    looked = domain_checks.looking(call.runtime)
    return domain_checks.verify(call.database, looked, call.actor, call.organization, domain, call.request_id)
