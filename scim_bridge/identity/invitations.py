"""Use cases of whoever invites: one person or many, again, no longer; and the list of who was invited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.invitations import Invitation, InvitationId, InvitationState
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import GroupId, MemberId, MemberSource, MemberState
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from scim_bridge.identity.authority import require, require_grantable
from scim_bridge.identity.group_grants import require_putting_in
from scim_bridge.identity.hand_groups import editable_group
from scim_bridge.identity.invitation_ends import end, expire
from scim_bridge.identity.letters import Letters, new_secret
from scim_bridge.identity.member_roles import INHERIT, RolesWanted, read_roles
from scim_bridge.identity.members import checked_email
from scim_bridge.identity.names import the_organization
from scim_bridge.store import invitations as store
from scim_bridge.store import members, people
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.invitations import InvitationTerms
from scim_bridge.store.mails import MailState as MailState
from scim_bridge.store.mails import cancel_mails, mail_states
from scim_bridge.store.organizations import Organization

INVITING = "members:invite"
MANAGING = "invitations:manage"
MOST_AT_ONCE = 500
MOST_A_PAGE = 1000
MOST_GROUPS = 50


@dataclass(frozen=True, slots=True)
class InvitationWanted:
    """Whom to invite, to which roles in the whole organization and into which groups made by hand."""

    email: str
    api_role: str | None = None
    kubernetes_role: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as its organization sees it; ``mail`` is what became of the last mail about it."""

    id: InvitationId
    email: str
    member_id: MemberId
    state: InvitationState
    api_role: str | None
    kubernetes_role: str | None
    groups: tuple[str, ...]
    invited_by: str
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    mail: MailState | None


@dataclass(frozen=True, slots=True)
class InvitedLine:
    """What became of one of many: an invitation, or the reason why there is none."""

    number: int
    email: str
    invitation: InvitationView | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """Some of the invitations, the newest first, and behind which one the next page begins."""

    invitations: tuple[InvitationView, ...]
    after: str | None


def invite(
    database: Database,
    letters: Letters,
    actor: Actor,
    organization: str,
    wanted: InvitationWanted,
    request_id: str | None = None,
) -> InvitationView:
    """
    Invite a person by e-mail; they are a member in state invited, without access, until they accept.

    Raises Conflict for somebody who is a member already, Refused for whoever offers what they do not hold, and Invalid.
    """
    email = checked_email(wanted.email)
    if len(wanted.groups) > MOST_GROUPS:
        raise Invalid(f"At most {MOST_GROUPS} groups.", field="groups")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, INVITING)
        change = new_change(owner.id, actor, "invitation.created", now(), request_id)
        terms = _terms(connection, actor, owner.id, wanted, email, change.at + timedelta(days=letters.days))
        _make_room(connection, change, owner.id, email)
        add_change(connection, change, email)
        account_id = people.find_account(connection, email)
        invited, source = MemberState.INVITED, MemberSource.INVITATION
        member_id = people.insert_member(connection, change, account_id, email, invited, source)
        secret, digest = new_secret()
        made = store.insert_invitation(connection, change, member_id, terms, digest)
        detail: dict[str, object] = {"email": email, "api_role": terms.api_role}
        detail["kubernetes_role"] = terms.kubernetes_role
        detail |= {"groups": terms.groups, "member": member_id, "expires_at": terms.expires_at}
        add_audit(connection, change, "invitation.created", "invitation", made.id, detail)
        _write(connection, change, letters, owner, made, secret)
        return _views(connection, [made], change.at)[0]


def invite_many(
    database: Database,
    letters: Letters,
    actor: Actor,
    organization: str,
    wanted: Iterable[InvitationWanted],
    request_id: str | None = None,
) -> list[InvitedLine]:
    """Invite many; each is invited wholly or not at all, and one who cannot be stops none of the others."""
    lines = list(wanted)
    if not 1 <= len(lines) <= MOST_AT_ONCE:
        raise Invalid(f"1 to {MOST_AT_ONCE} people at once.", field="invitations")
    asked = (database, letters, actor, organization, request_id)
    return [_line(*asked, each, number) for number, each in enumerate(lines, 1)]


def resend(
    database: Database,
    letters: Letters,
    actor: Actor,
    organization: str,
    named: str,
    request_id: str | None = None,
) -> InvitationView:
    """Send a pending or expired invitation again with a new link and a new end; the link of before opens nothing."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING)
        found = _the_invitation(connection, owner.id, named)
        change = new_change(owner.id, actor, "invitation.resent", now(), request_id)
        state = found.state_at(change.at)
        if state not in (InvitationState.PENDING, InvitationState.EXPIRED):
            raise Conflict(f"The invitation of {found.email} is {state.value}: there is nothing to send again.")
        add_change(connection, change, found.email)
        if found.state is InvitationState.EXPIRED:
            _make_room(connection, change, owner.id, found.email)
            members.set_state(connection, change, found.member_id, MemberState.INVITED)
        secret, digest = new_secret()
        expires_at = change.at + timedelta(days=letters.days)
        store.renew_invitation(connection, change, found.id, digest, expires_at)
        cancel_mails(connection, change, found.id)
        renewed = store.lock_invitation(connection, found.id)
        detail = {"email": found.email, "was": state.value, "expires_at": expires_at}
        add_audit(connection, change, "invitation.resent", "invitation", found.id, detail)
        _write(connection, change, letters, owner, renewed, secret)
        return _views(connection, [renewed], change.at)[0]


def revoke(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> InvitationView:
    """Take an invitation back: its link opens nothing, and the person is no member. Raises Conflict once answered."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING)
        found = _the_invitation(connection, owner.id, named)
        change = new_change(owner.id, actor, "invitation.revoked", now(), request_id)
        if found.state_at(change.at) is not InvitationState.PENDING:
            raise Conflict(f"The invitation of {found.email} is {found.state_at(change.at).value} already.")
        add_change(connection, change, found.email)
        end(connection, change, found, InvitationState.REVOKED)
        return _views(connection, [store.lock_invitation(connection, found.id)], change.at)[0]


def list_page(
    database: Database, organization: str, state: str | None = None, count: int = 100, after: str | None = None
) -> InvitationPage:
    """Return a page of an organization's invitations, all or those in one state."""
    if state is not None and state not in set(InvitationState):
        raise Invalid(f"{state!r} is no state; there are {', '.join(InvitationState)}.", field="state")
    most = min(max(count, 1), MOST_A_PAGE)
    with database.read() as connection:
        owner = the_organization(connection, organization)
        at, wanted = now(), None if state is None else InvitationState(state)
        found = store.list_invitations(connection, owner.id, at, wanted, most + 1, after)
        views = tuple(_views(connection, found[:most], at))
        return InvitationPage(views, views[-1].id if len(found) > most else None)


def show(database: Database, organization: str, named: str) -> InvitationView:
    """Return the invitation with this id, or the newest of this e-mail address."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = store.find_invitations(connection, owner.id, named)
        if not found:
            raise NotFound(f"There is no invitation {named!r} in this organization.")
        return _views(connection, found[:1], now())[0]


def _terms(
    connection: Connection,
    actor: Actor,
    organization_id: OrganizationId,
    wanted: InvitationWanted,
    email: str,
    expires_at: datetime,
) -> InvitationTerms:
    if INHERIT in (wanted.api_role, wanted.kubernetes_role):
        raise Invalid("Leave a role out to say nothing about it.", field="api_role")
    api_role, kubernetes_role = None, None
    if wanted.api_role is not None or wanted.kubernetes_role is not None:
        api_role, kubernetes_role = read_roles(RolesWanted(wanted.api_role, wanted.kubernetes_role))
        scope = Scope(ScopeKind.ORGANIZATION, organization_id)
        given = [(scope, api_role, kubernetes_role)]
        require_grantable(connection, actor, organization_id, given, asking=INVITING)
    groups: list[GroupId] = sorted({editable_group(connection, organization_id, each).id for each in wanted.groups})
    if groups:
        require_putting_in(connection, actor, organization_id, groups, INVITING)
    return InvitationTerms(email, api_role, kubernetes_role, tuple(groups), expires_at)


def _make_room(connection: Connection, change: Change, organization_id: OrganizationId, email: str) -> None:
    """Raise Conflict for somebody who is here; an invitation that ran out without anybody's notice ends now."""
    for found in people.find_members(connection, organization_id, email):
        pending = store.pending_of_member(connection, found.id)
        if pending is not None and pending.state_at(change.at) is InvitationState.EXPIRED:
            expire(connection, organization_id, pending, change.at)
        elif found.state is MemberState.INVITED and pending is None:
            raise Conflict(f"{email} signed in and waits: approve or refuse them.")
        elif found.state is MemberState.INVITED:
            raise Conflict(f"{email} is invited already: send the invitation again, or revoke it.")
        else:
            raise Conflict(f"{email} is a member already, in state {found.state.value}.")


def _write(
    connection: Connection, change: Change, letters: Letters, owner: Organization, made: Invitation, secret: str
) -> None:
    values = {
        "inviter": made.invited_by,
        "organization": owner.name,
        "link": letters.link(secret),
        "expires": made.expires_at.strftime("%Y-%m-%d %H:%M UTC"),
        "api_role": made.api_role,
        "kubernetes_role": None if made.kubernetes_role is None else made.kubernetes_role.value,
    }
    letters.write(connection, change, made.id, "invitation", made.email, values)


def _line(
    database: Database,
    letters: Letters,
    actor: Actor,
    organization: str,
    request_id: str | None,
    wanted: InvitationWanted,
    number: int,
) -> InvitedLine:
    try:
        made = invite(database, letters, actor, organization, wanted, request_id)
    except Unavailable:
        # Not a fault of this line: whoever sends all of it again finds the ones before as members.
        raise
    except (Conflict, Invalid, NotFound, Refused) as error:
        return InvitedLine(number, wanted.email, None, str(error))
    return InvitedLine(number, wanted.email, made)


def _the_invitation(connection: Connection, organization_id: OrganizationId, named: str) -> Invitation:
    found = store.find_invitations(connection, organization_id, named)
    if not found:
        raise NotFound(f"There is no invitation {named!r} in this organization.")
    return store.lock_invitation(connection, found[0].id)


def _views(connection: Connection, found: list[Invitation], at: datetime) -> list[InvitationView]:
    names = people.names_of_some_groups(connection, {group for each in found for group in each.groups})
    mails = mail_states(connection, [each.id for each in found])
    return [
        InvitationView(
            each.id,
            each.email,
            each.member_id,
            each.state_at(at),
            each.api_role,
            None if each.kubernetes_role is None else each.kubernetes_role.value,
            tuple(names.get(group, group) for group in each.groups),
            each.invited_by,
            each.created_at,
            each.sent_at,
            each.expires_at,
            each.closed_at,
            mails.get(each.id),
        )
        for each in found
    ]
