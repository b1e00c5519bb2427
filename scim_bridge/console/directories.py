"""Directories: the connections of identity providers, how fresh they are, and who waits because of them."""

from datetime import datetime

import wtforms
from flask import Response

from scim_bridge.console.forms import Form, choices, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.directory_states import STEPS
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import adoption, directories, directory_renaming, holds
from scim_bridge.identity.directories import DirectorySummary
from scim_bridge.identity.holds import HoldsApproved, HoldsRejected

READING = "organization:directories:read"
MANAGING = "organization:directories:write"
DECIDING = "organization:groups:write"
GUIDES = {
    DirectoryKind.OKTA: (
        "In Okta: Applications, your application, Provisioning, Integration.",
        "Paste the address as SCIM connector base URL; the unique identifier field for users is userName.",
        "Authentication mode: HTTP Header. Paste the token, and test the connector.",
        "Then switch on Create Users, Update User Attributes and Deactivate Users, and push the groups.",
    ),
    DirectoryKind.ENTRA: (
        "In the Entra admin centre: Enterprise applications, your application, Provisioning, Automatic.",
        "Paste the address as Tenant URL and the token as Secret Token, and press Test Connection.",
        "Map externalId from objectId, so that people are found when they sign in.",
        "Assign the groups, and start provisioning; a cycle begins every 40 minutes.",
    ),
}
ANY_GUIDE = (
    "In your identity provider: make a SCIM 2.0 application.",
    "Paste the address as base URL.",
    "Choose a bearer token (an HTTP header called Authorization) and paste it.",
    "Assign people and groups, and start provisioning.",
)


class DirectoryForm(Form):
    """An identity provider to be connected."""

    name = wtforms.StringField("Name", description="What you call it, such as okta; rules name it so.")
    kind = wtforms.SelectField(
        "Identity provider",
        choices=choices((each.value, each.value) for each in DirectoryKind),
        description="It decides how its requests are read, and which guide you see.",
    )
    pending = wtforms.BooleanField(
        "Let it wait until I activate it",
        description="What it sends is stored and grants nothing, until you have seen who would gain what.",
    )


class NameForm(Form):
    """Another name."""

    name = wtforms.StringField("Name", description="Rules that name it follow; nobody's access changes.")


@screen("GET", "/directories", title="Directories", permission=READING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List the directories with their state and conditions."""
    found = directories.list_all(visit.database, visit.organization)
    shown = [directories.show(visit.database, visit.organization, each.name) for each in found]
    last = {each.directory.id: _last_request(each) for each in shown}
    waiting = adoption.list_waiting(visit.database, visit.organization)
    return page(visit, "directories", found=shown, last=last, waiting=waiting)


@screen("GET", "/directories/new", title="Connect a directory", permission=MANAGING)
def ask(visit: Visit) -> Response:
    """Ask which identity provider to connect."""
    return _form(visit, DirectoryForm.of(visit, pending=True))


@screen("POST", "/directories/new", title="Connect a directory", permission=MANAGING)
def connect(visit: Visit) -> Response:
    """Connect it, and show the address and the token that it needs; the token this once."""
    form = DirectoryForm.of(visit)
    made = submit(
        form,
        lambda: directories.create(
            *visit.whose,
            form.text("name") or "",
            DirectoryKind(form.kind.data),
            visit.request_id,
            pending=bool(form.pending.data),
        ),
    )
    if made is None:
        return _form(visit, form, 422)
    if made.token is None:
        return done(visit, "directories.show", "That directory was connected already.", directory=made.directory.name)
    return show_values(visit, made.directory.name, made.directory.kind, made.token.text)


@screen("GET", "/directories/<directory>", title="Directory", permission=READING)
def show(visit: Visit, directory: str) -> Response:
    """Show a directory, what it has brought, its tokens, and what a person should know."""
    found = directories.show(visit.database, visit.organization, directory)
    return page(
        visit,
        "directory",
        title=found.directory.name,
        found=found,
        last=_last_request(found),
        scim_base_url=visit.runtime.settings.scim_base_url,
        guide=GUIDES.get(found.directory.kind, ANY_GUIDE),
        steps=[step.value for step, (states, _) in STEPS.items() if found.directory.state in states],
    )


@screen("GET", "/directories/<directory>/rename", title="Rename a directory", permission=MANAGING)
def ask_name(visit: Visit, directory: str) -> Response:
    """Ask for another name."""
    found = directories.show(visit.database, visit.organization, directory).directory
    return _name_form(visit, found.name, NameForm.of(visit, name=found.name))


@screen("POST", "/directories/<directory>/rename", title="Rename a directory", permission=MANAGING)
def rename(visit: Visit, directory: str) -> Response:
    """Call it otherwise."""
    form = NameForm.of(visit)
    name = form.text("name") or ""
    made = submit(form, lambda: directory_renaming.rename(*visit.whose, directory, name, visit.request_id))
    if made is None:
        return _name_form(visit, directory, form, 422)
    return done(visit, "directories.show", f"It is called {made.name} now.", directory=made.name)


@screen("POST", "/conflicts/<conflict>/claim", title="It is the same person", permission=MANAGING)
def claim(visit: Visit, conflict: str) -> Response:
    """Let somebody whom a directory brought be the member who was here."""
    closed = adoption.claim(*visit.whose, conflict, visit.request_id)
    return done(visit, "directories.list", f"{closed.user_name} is {closed.candidate} from now on.")


@screen("POST", "/conflicts/<conflict>/dismiss", title="They are two people", permission=MANAGING)
def dismiss(visit: Visit, conflict: str) -> Response:
    """Let somebody whom a directory brought be a member of their own."""
    closed = adoption.dismiss(*visit.whose, conflict, visit.request_id)
    return done(visit, "directories.list", f"{closed.user_name} is a member like any other now.")


@screen("GET", "/holds", title="Held memberships", permission="members:read")
def held(visit: Visit) -> Response:
    """List what a directory left out, too much at once to believe."""
    return page(visit, "holds", held=holds.list_held(visit.database, visit.organization))


@screen("POST", "/holds/approve", title="Let held memberships end", permission=DECIDING)
def approve_held(visit: Visit) -> Response:
    """Let the memberships that were read end; clusters remove the access at once."""
    who = visit.form.get("who") or []
    made = holds.approve(*visit.whose, visit.given("group"), visit.request_id, who)
    return done(visit, "directories.held", f"{_memberships(made)} end: clusters remove the access at once.")


@screen("POST", "/holds/reject", title="Keep held memberships", permission=DECIDING)
def reject_held(visit: Visit) -> Response:
    """Keep who is held; the directory's next list decides anew."""
    who = visit.form.get("who") or []
    made = holds.reject(*visit.whose, visit.given("group"), visit.request_id, who)
    return done(visit, "directories.held", f"{_memberships(made)} stay.")


def show_values(visit: Visit, directory: str, kind: DirectoryKind, token: str) -> Response:
    """Show what an identity provider is to be given; the token is seen on this page only."""
    return page(
        visit,
        "directory_values",
        title=f"Connect {directory}",
        directory=directory,
        guide=GUIDES.get(kind, ANY_GUIDE),
        kind=kind,
        token=token,
        scim_base_url=visit.runtime.settings.scim_base_url,
    )


def _memberships(decided: HoldsApproved | HoldsRejected) -> str:
    count = decided.people + decided.nested_groups
    return f"{count} membership" if count == 1 else f"{count} memberships"


def _last_request(found: DirectorySummary) -> datetime | None:
    return max((each.last_used_at for each in found.tokens if each.last_used_at), default=None)


def _form(visit: Visit, form: DirectoryForm, status: int = 200) -> Response:
    places = [("Directories", url("directories.list"))]
    lead = "The next page shows the address and the token to paste into the identity provider."
    back = url("directories.list")
    return page(visit, "form", status, form=form, words="Connect", back=back, lead=lead, places=places)


def _name_form(visit: Visit, directory: str, form: NameForm, status: int = 200) -> Response:
    back = url("directories.show", directory=directory)
    places = [("Directories", url("directories.list")), (directory, back)]
    return page(visit, "form", status, form=form, words="Rename", back=back, places=places)
