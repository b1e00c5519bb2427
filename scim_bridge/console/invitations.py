"""Invitations: who was invited to what and what became of it; inviting, sending again, taking back."""

import wtforms
from flask import Response

from scim_bridge.console.fields import ChecksField, api_roles, kubernetes_roles, several, words
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.invitations import InvitationState
from scim_bridge.identity import group_lists, invitations
from scim_bridge.identity.group_lists import GroupQuery
from scim_bridge.identity.invitations import InvitationView, InvitationWanted, InvitedLine
from scim_bridge.identity.letters import Letters
from scim_bridge.web.paging import read_cursor, write_cursor

MANAGING = "invitations:manage"
INVITING = "members:invite"
A_PAGE = 50
MOST_GROUPS = 100


class InviteForm(Form):
    """Whom to invite, and what they find when they come in."""

    email = wtforms.TextAreaField(
        "E-mail addresses",
        description="One a line. Each gets a letter with a link of their own.",
        render_kw={"rows": 3, "required": True, "autocomplete": "off"},
    )
    api_role = wtforms.SelectField("API role", default="", description="What they may do here, everywhere in it.")
    kubernetes_role = wtforms.SelectField("Kubernetes role", default="", description="On every cluster.")
    groups = ChecksField("Groups", description="Those made by hand. They are in them from the moment they accept.")


@screen("GET", "/invitations", title="Invitations", permission=MANAGING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List the invitations, the newest first, with what became of their letters."""
    position = read_cursor(visit.asked("cursor"), 1)
    after = None if position is None else position[0]
    found = invitations.list_page(visit.database, visit.organization, visit.asked("state"), A_PAGE, after)
    next_cursor = None if found.after is None else write_cursor((found.after,))
    return page(visit, "invitations", found=found, next_cursor=next_cursor, states=words(InvitationState))


@screen("GET", "/invitations/new", title="Invite people", permission=INVITING)
def ask_invite(visit: Visit) -> Response:
    """Show the form of an invitation."""
    return _form_page(visit, _form(visit))


@screen("POST", "/invitations/new", title="Invite people", permission=INVITING)
def invite(visit: Visit) -> Response:
    """Invite one person, or many: then the answer says of each what became of it."""
    form = _form(visit)
    emails = several(form.text("email"))
    if len(emails) > 1:
        return _invite_many(visit, form, emails)
    asked = (visit.database, Letters.of(visit.runtime), visit.actor, visit.organization)
    wanted = _wanted(form, emails[0] if emails else "")
    made = submit(form, lambda: invitations.invite(*asked, wanted, visit.request_id), typed=True)
    if made is None:
        return _form_page(visit, form, 422)
    return done(visit, "invitations.show", f"{made.email} is invited: the letter is on its way.", invitation=made.id)


@screen("GET", "/invitations/<invitation>", title="Invitation", permission=MANAGING)
def show(visit: Visit, invitation: str) -> Response:
    """Show an invitation, its letter and its answer."""
    found = _find(visit, invitation)
    return page(visit, "invitation", title=found.email, found=found)


@screen("POST", "/invitations/<invitation>/resend", title="Send an invitation again", permission=MANAGING)
def resend(visit: Visit, invitation: str) -> Response:
    """Send an invitation again with a new link; the one of before opens nothing."""
    asked = (visit.database, Letters.of(visit.runtime), visit.actor, visit.organization)
    sent = invitations.resend(*asked, invitation, visit.request_id)
    words_ = f"{sent.email} gets a new letter: the link of before opens nothing any more."
    return done(visit, "invitations.show", words_, invitation=sent.id)


@screen("GET", "/invitations/<invitation>/withdraw", title="Take an invitation back", permission=MANAGING)
def ask_withdraw(visit: Visit, invitation: str) -> Response:
    """Show what taking an invitation back does."""
    found = _find(visit, invitation)
    back = url("invitations.show", invitation=found.id)
    return page(
        visit,
        "confirm",
        title=f"Take back the invitation of {found.email}?",
        effects=[
            "The link in the letter opens nothing any more.",
            f"{found.email} is no member: nothing that was offered is given.",
        ],
        stays=["You can invite the same address again at any time."],
        words="Take it back",
        back=back,
        places=[("Invitations", url("invitations.list")), (found.email, back)],
    )


@screen("POST", "/invitations/<invitation>/withdraw", title="Take an invitation back", permission=MANAGING)
def withdraw(visit: Visit, invitation: str) -> Response:
    """Take an invitation back."""
    ended = invitations.revoke(*visit.whose, invitation, visit.request_id)
    return done(visit, "invitations.list", f"The invitation of {ended.email} is taken back.")


def _find(visit: Visit, invitation: str) -> InvitationView:
    return invitations.show(visit.database, visit.organization, invitation)


def _invite_many(visit: Visit, form: InviteForm, emails: list[str]) -> Response:
    asked = (visit.database, Letters.of(visit.runtime), visit.actor, visit.organization)
    wanted = [_wanted(form, each) for each in emails]
    lines = submit(
        form, lambda: invitations.invite_many(*asked, wanted, visit.request_id), names={"invitations": "email"}
    )
    if lines is None:
        return _form_page(visit, form, 422)
    return _lines_page(visit, lines)


def _lines_page(visit: Visit, lines: list[InvitedLine]) -> Response:
    invited = sum(line.invitation is not None for line in lines)
    return page(visit, "invited", title=f"{invited} of {len(lines)} are invited", lines=lines)


def _wanted(form: InviteForm, email: str) -> InvitationWanted:
    groups = tuple(form.groups.data or ()) if "groups" in form else ()
    return InvitationWanted(email, form.text("api_role"), form.text("kubernetes_role"), groups)


def _form(visit: Visit) -> InviteForm:
    form = InviteForm.of(visit)
    form.api_role.choices = api_roles(visit.database, visit.organization)
    form.kubernetes_role.choices = kubernetes_roles()
    by_hand = group_lists.list_page(visit.database, visit.organization, GroupQuery(by_hand=True), MOST_GROUPS)
    form.groups.choices = [(each.id, each.name) for each in by_hand.groups]
    if not form.groups.choices:
        del form.groups
    return form


def _form_page(visit: Visit, form: InviteForm, status: int = 200) -> Response:
    lead = "Whoever accepts is a member. You can offer only what you hold yourself."
    back = url("invitations.list") if visit.may(MANAGING) else url("members.list")
    places = [("Invitations", back)]
    return page(visit, "form", status, lead=lead, form=form, words="Invite", back=back, places=places)
