"""What becomes of an invitation: the person comes in with what it offered, or is no member any more."""

from datetime import datetime

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.invitations import Invitation, InvitationState
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.store import grants, hand_groups, members
from scim_bridge.store import invitations as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import GrantKey
from scim_bridge.store.mails import cancel_mails
from scim_bridge.store.member_history import end_memberships

CLOCK = Actor(ActorKind.SCHEDULER, "expiry")
MOST_EXPIRED = 500


def give_what_was_offered(
    connection: Connection, change: Change, found: Invitation, state: InvitationState
) -> list[GroupId]:
    """
    Grant the roles and groups of an invitation with it as their origin, and close it.

    Return the groups that are gone, or a directory's, by now: nobody is put in.
    """
    scope = Scope(ScopeKind.ORGANIZATION, change.organization_id)
    keys = []
    if found.api_role is not None:
        keys.append(GrantKey(scope, found.member_id, api_role=found.api_role))
    if found.kubernetes_role is not None:
        keys.append(GrantKey(scope, found.member_id, kubernetes_role=found.kubernetes_role))
    grants.open_origins(connection, change, OriginKind.INVITATION, [(key, None) for key in keys], found.id)
    gone = []
    for group_id in found.groups:
        group = hand_groups.get_hand_group(connection, group_id)
        if group is None or group.is_read_only:
            gone.append(group_id)
        else:
            hand_groups.put_in(connection, change, group_id, [found.member_id], OriginKind.INVITATION.value)
    store.close_invitation(connection, change, found.id, state)
    cancel_mails(connection, change, found.id)
    detail: dict[str, object] = {"member": found.member_id, "email": found.email, "api_role": found.api_role}
    detail |= {"kubernetes_role": found.kubernetes_role, "groups": found.groups, "groups_gone": gone}
    add_audit(connection, change, f"invitation.{state.value}", "invitation", found.id, detail)
    return gone


def supersede(connection: Connection, change: Change, member_id: MemberId) -> None:
    """
    Let a directory that brought an invited person be the answer to their invitation.

    What it offered is granted, with the invitation as its origin; one that has run out offers nothing any more.
    """
    found = store.pending_of_member(connection, member_id)
    if found is None:
        return
    if found.state_at(change.at) is InvitationState.EXPIRED:
        store.close_invitation(connection, change, found.id, InvitationState.EXPIRED)
        cancel_mails(connection, change, found.id)
        return
    give_what_was_offered(connection, change, found, InvitationState.SUPERSEDED)


def end(connection: Connection, change: Change, found: Invitation, state: InvitationState) -> None:
    """Close an invitation that leads to nothing: whoever was invited is no member, and keeps nothing for later."""
    members.lock_member(connection, found.member_id)
    end_memberships(connection, change, found.member_id)
    grants.close_origins(connection, change, grants.origins_of_members(connection, [found.member_id]))
    store.close_invitation(connection, change, found.id, state)
    cancel_mails(connection, change, found.id)
    members.set_state(connection, change, found.member_id, MemberState.REMOVED)
    detail = {"member": found.member_id, "email": found.email}
    add_audit(connection, change, f"invitation.{state.value}", "invitation", found.id, detail)


def expire(connection: Connection, organization_id: OrganizationId, found: Invitation, at: datetime) -> None:
    """Close an invitation whose time is over."""
    change = new_change(organization_id, CLOCK, "invitation.expired", at)
    add_change(connection, change, found.email)
    end(connection, change, found, InvitationState.EXPIRED)


def end_expired_invitations(database: Database) -> int:
    """Close the invitations that nobody has answered in time, and return how many."""
    with database.read() as connection:
        over = store.expired_invitations(connection, now(), MOST_EXPIRED)
    ended = 0
    for organization_id, each in over:
        with database.write() as connection:
            found, at = store.lock_invitation(connection, each.id), now()
            # It may have been answered, or sent again, in this moment.
            if found.state is InvitationState.PENDING and found.expires_at <= at:
                expire(connection, organization_id, found, at)
                ended += 1
    return ended
