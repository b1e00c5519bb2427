"""Use cases of whoever is invited: look at the invitation, accept it, decline it; by its link or signed in."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.invitations import Invitation, InvitationId, InvitationState
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId, MemberState
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.invitation_ends import end, give_what_was_offered
from scim_bridge.identity.letters import digest_of
from scim_bridge.identity.member_profiles import LONGEST_DISPLAY_NAME
from scim_bridge.identity.names import the_organization
from scim_bridge.store import invitations as store
from scim_bridge.store import members, people
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database

WHY_NOT = {
    InvitationState.ACCEPTED: "has been accepted already",
    InvitationState.DECLINED: "has been declined",
    InvitationState.EXPIRED: "has run out: ask for it to be sent again",
    InvitationState.REVOKED: "has been taken back",
    InvitationState.SUPERSEDED: "is not needed any more: your company's directory has brought you in",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invited person sees; ``registered``: there is an account of that e-mail address."""

    organization: str
    organization_name: str
    email: str
    invited_by: str
    api_role: str | None
    kubernetes_role: str | None
    expires_at: datetime
    registered: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """The organization somebody is in now, and as whom; ``signed_up``: their account was made by this."""

    organization: str
    organization_name: str
    member_id: MemberId
    account_id: AccountId
    signed_up: bool


def look_at(database: Database, secret: str) -> Offer:
    """Return what a link offers; raises NotFound for one that opens nothing, and Conflict for one that is over."""
    with database.read() as connection:
        organization_id, invitation_id = _opened(connection, secret)
        found = store.get_invitation(connection, invitation_id)
        _require_pending(found, now())
        owner = the_organization(connection, organization_id)
        return Offer(
            owner.slug,
            owner.name,
            found.email,
            found.invited_by,
            found.api_role,
            None if found.kubernetes_role is None else found.kubernetes_role.value,
            found.expires_at,
            people.find_account(connection, found.email) is not None,
        )


def accept(database: Database, secret: str, display_name: str | None = None, request_id: str | None = None) -> Joined:
    """
    Come into the organization with what was offered, as the person whose mailbox the link was sent to.

    Whoever has no account of that e-mail address signs up by this, and says how they are called. Raises NotFound and
    Conflict as `look_at` does.
    """
    name = _checked_name(display_name)
    with database.write() as connection:
        organization_id, invitation_id = _opened(connection, secret)
        found = store.lock_invitation(connection, invitation_id)
        actor = Actor(ActorKind.PERSON, found.email)
        change = new_change(organization_id, actor, "invitation.accepted", now(), request_id)
        _require_pending(found, change.at)
        account_id = people.find_account(connection, found.email)
        if account_id is None and name is None:
            raise Invalid("Say how you are called: there is no account of your address yet.", field="display_name")
        return _join(connection, change, found, account_id, name)


def accept_signed_in(database: Database, actor: Actor, organization: str, request_id: str | None = None) -> Joined:
    """Come into an organization of one's list, as the account that acts; raises NotFound where it is not asked."""
    with database.write() as connection:
        found, organization_id = _asked(connection, actor, organization)
        change = new_change(organization_id, actor, "invitation.accepted", now(), request_id)
        _require_pending(found, change.at)
        return _join(connection, change, found, actor.account_id, None)


def decline(database: Database, secret: str, request_id: str | None = None) -> None:
    """Say no, by the link; raises NotFound and Conflict as `look_at` does."""
    with database.write() as connection:
        organization_id, invitation_id = _opened(connection, secret)
        found = store.lock_invitation(connection, invitation_id)
        actor = Actor(ActorKind.PERSON, found.email)
        _decline(connection, new_change(organization_id, actor, "invitation.declined", now(), request_id), found)


def decline_signed_in(database: Database, actor: Actor, organization: str, request_id: str | None = None) -> None:
    """Say no to an organization of one's list; raises NotFound where the account is not asked."""
    with database.write() as connection:
        found, organization_id = _asked(connection, actor, organization)
        _decline(connection, new_change(organization_id, actor, "invitation.declined", now(), request_id), found)


def _opened(connection: Connection, secret: str) -> tuple[OrganizationId, InvitationId]:
    found = store.find_by_digest(connection, digest_of(secret))
    if found is None:
        raise NotFound("This link opens nothing: there is a newer one, or it is not complete.")
    return found


def _asked(connection: Connection, actor: Actor, organization: str) -> tuple[Invitation, OrganizationId]:
    nothing = NotFound(f"There is no organization {organization!r} that asks you.")
    try:
        owner = the_organization(connection, organization)
    except NotFound:
        raise nothing from None
    if actor.account_id is None or actor.organization_id not in (None, owner.id):
        raise nothing
    found = store.pending_of_account(connection, actor.account_id, owner.id)
    if found is None:
        raise nothing
    return found, owner.id


def _require_pending(found: Invitation, at: datetime) -> None:
    state = found.state_at(at)
    if state is not InvitationState.PENDING:
        raise Conflict(f"This invitation {WHY_NOT[state]}.")


def _decline(connection: Connection, change: Change, found: Invitation) -> None:
    _require_pending(found, change.at)
    add_change(connection, change, found.email)
    end(connection, change, found, InvitationState.DECLINED)


def _join(
    connection: Connection, change: Change, found: Invitation, account_id: AccountId | None, name: str | None
) -> Joined:
    add_change(connection, change, found.email)
    signed_up = account_id is None
    account = account_id or people.insert_account(connection, change, found.email)
    person = members.lock_member(connection, found.member_id)
    members.set_account(connection, person.id, account)
    if name is not None:
        members.set_display_name(connection, person, name)
        if signed_up:
            people.name_account(connection, account, name)
    members.set_state(connection, change, person.id, MemberState.ACTIVE)
    give_what_was_offered(connection, change, found, InvitationState.ACCEPTED)
    detail = {"email": found.email, "source": "invitation", "signed_up": signed_up}
    add_audit(connection, change, "member.joined", "member", person.id, detail)
    owner = the_organization(connection, change.organization_id)
    return Joined(owner.slug, owner.name, person.id, account, signed_up)


def _checked_name(display_name: str | None) -> str | None:
    name = (display_name or "").strip()
    if len(name) > LONGEST_DISPLAY_NAME or not name.isprintable():
        raise Invalid(f"A name has at most {LONGEST_DISPLAY_NAME} printable characters.", field="display_name")
    return name or None
