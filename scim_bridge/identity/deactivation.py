"""The one way in which a person stops, and starts again, to have access; whatever door it comes in by."""

from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.log import get_logger
from scim_bridge.store import members, people
from scim_bridge.store.adoption import is_waiting
from scim_bridge.store.api_tokens import revoke_tokens_of_member
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.removals import request_removals
from scim_bridge.store.sessions import end_sessions_of_member

CAUSE = "deactivated"

log = get_logger(__name__)


def deactivate(connection: Connection, change: Change, member_id: MemberId, cause: str = CAUSE) -> bool:
    """
    Take all access from a member and return whether they had any.

    Memberships and grants stay, so that a reactivation without them gives everything back (Entra does not send groups
    again). An owner keeps the owner grant: when no working owner is left, that is noted for people to see, and stops
    nothing. The caller has written the change row.
    """
    found = members.lock_member(connection, member_id)
    if found.state not in (MemberState.ACTIVE, MemberState.INVITED):
        return False
    members.set_state(connection, change, member_id, MemberState.DEACTIVATED)
    add_audit(connection, change, "member.deactivated", "member", member_id, {"was": found.state.value, "cause": cause})
    request_removals(connection, change, [member_id], cause)
    revoke_tokens_of_member(connection, change, member_id)
    end_sessions_of_member(connection, change, member_id)
    _note_missing_owner(connection, change, member_id)
    return True


def reactivate(connection: Connection, change: Change, member_id: MemberId) -> bool:
    """
    Give a deactivated member back what they had, and return whether that changed anything.

    Nobody who waits to be told from somebody else is given anything.
    """
    found = members.lock_member(connection, member_id)
    if found.state is not MemberState.DEACTIVATED or is_waiting(connection, member_id):
        return False
    members.set_state(connection, change, member_id, MemberState.ACTIVE)
    add_audit(connection, change, "member.reactivated", "member", member_id, {"was": found.state.value})
    return True


def _note_missing_owner(connection: Connection, change: Change, member_id: MemberId) -> None:
    if not people.holds_owner(connection, member_id) or people.working_owners(connection, change.organization_id):
        return
    detail = {"last": member_id}
    add_audit(connection, change, "organization.without_owner", "organization", change.organization_id, detail)
    log.warning("organization has no working owner left", organization=change.organization_id, last_owner=member_id)
