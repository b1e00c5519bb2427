"""Domains: those whose addresses are the organization's people, and how each is proved."""

import wtforms
from flask import Response

from scim_bridge.console.forms import Form, submit
from scim_bridge.console.organization import places
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import domain_checks, domains
from scim_bridge.identity.domains import MANAGING_DOMAINS


class DomainForm(Form):
    """A domain."""

    domain = wtforms.StringField("Domain", description="acme.example", render_kw={"required": True})


@screen("GET", "/organization/domains", title="Domains", permission="org:read")
def list_(visit: Visit) -> Response:
    """List the organization's domains."""
    found = domains.list_all(visit.database, visit.organization)
    return page(visit, "domains", domains=found, places=places())


@screen("GET", "/organization/domains/add", title="Add a domain", permission=MANAGING_DOMAINS)
def ask_add(visit: Visit) -> Response:
    """Show the form of a domain."""
    return _form_page(visit, DomainForm.of(visit))


@screen("POST", "/organization/domains/add", title="Add a domain", permission=MANAGING_DOMAINS)
def add(visit: Visit) -> Response:
    """Say that a domain is the organization's."""
    form = DomainForm.of(visit)
    made = submit(form, lambda: domains.add(*visit.whose, form.text("domain") or "", visit.request_id))
    if made is None:
        return _form_page(visit, form, 422)
    return done(visit, "domains.show", "The domain is there: now prove it.", domain=made.domain.domain)


@screen("GET", "/organization/domains/<domain>", title="Domain", permission=MANAGING_DOMAINS)
def show(visit: Visit, domain: str) -> Response:
    """Show what to publish to prove a domain."""
    proof = domain_checks.show(*visit.whose, domain)
    return page(visit, "domain", title=proof.domain, proof=proof, places=_places())


@screen("POST", "/organization/domains/<domain>/verify", title="Verify a domain", permission=MANAGING_DOMAINS)
def verify(visit: Visit, domain: str) -> Response:
    """Look whether the proof is there."""
    looked = domain_checks.looking(visit.runtime)
    proof = domain_checks.verify(visit.database, looked, visit.actor, visit.organization, domain, visit.request_id)
    return done(visit, "domains.show", f"The proof of {proof.domain} was found.", domain=proof.domain)


@screen("GET", "/organization/domains/<domain>/remove", title="Remove a domain", permission=MANAGING_DOMAINS)
def ask_remove(visit: Visit, domain: str) -> Response:
    """Show what follows when a domain is the organization's no more."""
    back = url("domains.show", domain=domain)
    return page(
        visit,
        "confirm",
        title=f"Remove {domain}?",
        effects=["Its addresses are sent to the identity providers no more.", "Its people are managed no more."],
        stays=["Nobody loses access by it, and who came in stays."],
        words="Remove the domain",
        back=back,
        places=[*_places(), (domain, back)],
    )


@screen("POST", "/organization/domains/<domain>/remove", title="Remove a domain", permission=MANAGING_DOMAINS)
def remove(visit: Visit, domain: str) -> Response:
    """Say that a domain is the organization's no more."""
    gone = domains.remove(*visit.whose, domain, visit.request_id)
    return done(visit, "domains.list", f"{gone.domain} is no domain of the organization any more.")


def _places() -> list[tuple[str, str]]:
    return [*places(), ("Domains", url("domains.list"))]


def _form_page(visit: Visit, form: DomainForm, status: int = 200) -> Response:
    back = url("domains.list")
    return page(visit, "form", status, form=form, words="Add the domain", back=back, places=_places())
