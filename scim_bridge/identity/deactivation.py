"""The one way in which a person stops, and starts again, to have access; whatever door it comes in by."""

from dataclasses import dataclass

from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.identity.owners import keep_an_owner
from scim_bridge.log import get_logger
from scim_bridge.store import members, people
from scim_bridge.store.adoption import is_waiting
from scim_bridge.store.api_tokens import revoke_tokens_of_member
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.members import MemberFacts
from scim_bridge.store.removals import request_removals
from scim_bridge.store.sessions import end_sessions_of_member

CAUSE = "deactivated"

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """What has to be known of a member before their access is taken: read before anything is written."""

    member: MemberFacts
    holds_owner: bool


def standing_of(connection: Connection, member: MemberFacts) -> Standing:
    """Return how a member, who is locked, stands."""
    return Standing(member, people.holds_owner(connection, member.id))


def deactivate(
    connection: Connection, change: Change, member_id: MemberId, cause: str = CAUSE, *, by_hand: bool = False
) -> bool:
    """
    Take all access from a member and return whether that changed anything.

    Memberships and grants stay, so that a reactivation without them gives everything back (Entra does not send groups
    again). ``by_hand``: somebody here says so, and no directory can take it back; they are refused the last working
    owner. A directory is not: when it leaves no working owner, that is noted for people to see, and the owner grant
    stays. The caller has written the change row.
    """
    if by_hand:
        keep_an_owner(connection, change.organization_id, [member_id])
    standing = standing_of(connection, members.lock_member(connection, member_id))
    return end_access(connection, change, standing, cause, by_hand=by_hand)


def end_access(
    connection: Connection, change: Change, standing: Standing, cause: str = CAUSE, *, by_hand: bool = False
) -> bool:
    """Take all access from a member who has been looked at already; what `deactivate` says holds here too."""
    found = standing.member
    is_news = by_hand and found.blocked_at is None and found.state is not MemberState.REMOVED
    if is_news:
        members.set_blocked(connection, change, found.id, blocked=True)
    if found.state not in (MemberState.ACTIVE, MemberState.INVITED):
        if is_news:
            add_audit(connection, change, "member.blocked", "member", found.id, {"state": found.state.value})
        return is_news
    members.set_state(connection, change, found.id, MemberState.DEACTIVATED)
    detail: dict[str, object] = {"was": found.state.value, "cause": cause}
    if by_hand:
        detail["by_hand"] = True
    add_audit(connection, change, "member.deactivated", "member", found.id, detail)
    request_removals(connection, change, [found.id], cause)
    if found.account_id is not None:
        revoke_tokens_of_member(connection, change, found.id)
        end_sessions_of_member(connection, change, found.id)
    if standing.holds_owner:
        _note_missing_owner(connection, change, found.id)
    return True


def reactivate(connection: Connection, change: Change, member_id: MemberId, *, by_hand: bool = False) -> bool:
    """
    Give a deactivated member back what they had, and return whether that changed anything.

    Nobody who waits to be told from somebody else is given anything, and nobody whom somebody here keeps out, unless
    ``by_hand``: whoever says so has made sure that the authoritative directory does not say otherwise.
    """
    found = members.lock_member(connection, member_id)
    if found.state is not MemberState.DEACTIVATED or is_waiting(connection, member_id):
        return False
    if found.blocked_at is not None and not by_hand:
        detail = {"blocked_at": found.blocked_at}
        add_audit(connection, change, "member.stays_deactivated", "member", member_id, detail)
        return False
    if found.blocked_at is not None:
        members.set_blocked(connection, change, member_id, blocked=False)
    members.set_state(connection, change, member_id, MemberState.ACTIVE)
    add_audit(connection, change, "member.reactivated", "member", member_id, {"was": found.state.value})
    return True


def _note_missing_owner(connection: Connection, change: Change, member_id: MemberId) -> None:
    if people.working_owners(connection, change.organization_id):
        return
    detail = {"last": member_id}
    add_audit(connection, change, "organization.without_owner", "organization", change.organization_id, detail)
    log.warning("organization has no working owner left", organization=change.organization_id, last_owner=member_id)
