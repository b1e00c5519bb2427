"""Invitations: of whoever invites, inside the organization; of whoever is invited, with the link's secret."""

from dataclasses import dataclass
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.identity import invitation_answers, invitations
from scim_bridge.identity.invitation_answers import Joined, Offer
from scim_bridge.identity.invitations import InvitationView, InvitationWanted, InvitedLine
from scim_bridge.identity.letters import Letters
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "invitations"
MANAGING = "invitations:manage"
INVITING = "members:invite"


class Invited(Fields):
    """Whom to invite, to which roles in the whole organization, and into which groups made by hand."""

    email: str = Field(max_length=320)
    api_role: str | None = Field(default=None, max_length=63)
    kubernetes_role: str | None = Field(default=None, max_length=63)
    groups: tuple[str, ...] = Field(default=(), max_length=50)

    @property
    def wanted(self) -> InvitationWanted:
        """Return what the use case takes."""
        return InvitationWanted(self.email, self.api_role, self.kubernetes_role, self.groups)


class ManyInvited(Fields):
    """Whom to invite."""

    invitations: tuple[Invited, ...] = Field(min_length=1, max_length=500)


class InvitationsAsked(Paged):
    """Which invitations; all if no state is named."""

    state: str | None = Field(default=None, max_length=32, description="pending, accepted, declined, expired …")


class Secret(Fields):
    """What opens an invitation: the last part of the link. In the body, as addresses are written into logs."""

    secret: str = Field(max_length=200)


class Acceptance(Secret):
    """The answer yes; whoever has no account yet says how they are called."""

    display_name: str | None = Field(default=None, max_length=255)


@dataclass(frozen=True, slots=True)
class InvitedLines:
    """What became of each of many."""

    lines: tuple[InvitedLine, ...]
    invited: int
    failed: int


@operation(
    "POST",
    "/invitations",
    tag=TAG,
    permission=INVITING,
    body=Invited,
    answers=InvitationView,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> InvitationView:
    """Invite a person by e-mail; the link goes to them alone."""
    letters, wanted = Letters.of(call.runtime), call.given(Invited).wanted
    return invitations.invite(call.database, letters, call.actor, call.organization, wanted, call.request_id)


@operation("POST", "/invitations/bulk", tag=TAG, permission=INVITING, body=ManyInvited, answers=InvitedLines)
def create_many(call: Call) -> InvitedLines:
    """Invite many; each wholly or not at all, and one who cannot be stops none of the others."""
    wanted = [each.wanted for each in call.given(ManyInvited).invitations]
    letters = Letters.of(call.runtime)
    lines = invitations.invite_many(call.database, letters, call.actor, call.organization, wanted, call.request_id)
    invited = sum(line.invitation is not None for line in lines)
    return InvitedLines(tuple(lines), invited, len(lines) - invited)


@operation("GET", "/invitations", tag=TAG, permission=MANAGING, query=InvitationsAsked, answers=Page[InvitationView])
def list_(call: Call) -> Page[InvitationView]:
    """List the invitations, the newest first, with what became of their mails."""
    asked = call.asked(InvitationsAsked)
    position = read_cursor(asked.cursor, 1)
    after = None if position is None else position[0]
    found = invitations.list_page(call.database, call.organization, asked.state, asked.limit, after)
    return Page(found.invitations, None if found.after is None else write_cursor((found.after,)))


@operation("GET", "/invitations/<invitation>", tag=TAG, permission=MANAGING, answers=InvitationView)
def show(call: Call, invitation: str) -> InvitationView:
    """Show an invitation, named by its id or, the newest one, by e-mail address."""
    return invitations.show(call.database, call.organization, invitation)


@operation("POST", "/invitations/<invitation>/resend", tag=TAG, permission=MANAGING, answers=InvitationView)
def resend(call: Call, invitation: str) -> InvitationView:
    """Send an invitation again with a new link; the one of before opens nothing."""
    letters = Letters.of(call.runtime)
    return invitations.resend(call.database, letters, call.actor, call.organization, invitation, call.request_id)


@operation("DELETE", "/invitations/<invitation>", tag=TAG, permission=MANAGING, answers=InvitationView)
def revoke(call: Call, invitation: str) -> InvitationView:
    """Take an invitation back."""
    return invitations.revoke(call.database, call.actor, call.organization, invitation, call.request_id)


@operation("POST", "/invitations/offer", tag=TAG, entrance=Entrance.EVERYBODY, body=Secret, answers=Offer)
def look_at(call: Call) -> Offer:
    """See what an invitation offers, with the link's secret."""
    return invitation_answers.look_at(call.database, call.given(Secret).secret)


@operation("POST", "/invitations/accept", tag=TAG, entrance=Entrance.EVERYBODY, body=Acceptance, answers=Joined)
def accept(call: Call) -> Joined:
    """Accept an invitation with the link's secret; whoever has no account yet signs up by it."""
    given = call.given(Acceptance)
    return invitation_answers.accept(call.database, given.secret, given.display_name, call.request_id)


@operation("POST", "/invitations/decline", tag=TAG, entrance=Entrance.EVERYBODY, body=Secret)
def decline(call: Call) -> None:
    """Decline an invitation with the link's secret."""
    invitation_answers.decline(call.database, call.given(Secret).secret, call.request_id)


@operation("POST", "/me/organizations/<asking>/accept", tag=TAG, entrance=Entrance.SIGNED_IN, answers=Joined)
def accept_signed_in(call: Call, asking: str) -> Joined:
    """Accept the invitation into an organization of one's own list."""
    return invitation_answers.accept_signed_in(call.database, call.actor, asking, call.request_id)


@operation("POST", "/me/organizations/<asking>/decline", tag=TAG, entrance=Entrance.SIGNED_IN)
def decline_signed_in(call: Call, asking: str) -> None:
    """Decline the invitation into an organization of one's own list."""
    invitation_answers.decline_signed_in(call.database, call.actor, asking, call.request_id)
