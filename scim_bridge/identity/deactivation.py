"""The one way in which a person stops, and starts again, to have access; whatever door it comes in by."""

from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.store import members
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.removals import request_removals

CAUSE = "deactivated"


def deactivate(connection: Connection, change: Change, member_id: MemberId, cause: str = CAUSE) -> bool:
    """
    Take all access from a member and return whether they had any.

    Memberships and grants stay, so that a reactivation without them gives everything back (Entra does not send groups
    again). The caller has written the change row.
    """
    found = members.lock_member(connection, member_id)
    if found.state not in (MemberState.ACTIVE, MemberState.INVITED):
        return False
    members.set_state(connection, change, member_id, MemberState.DEACTIVATED)
    add_audit(connection, change, "member.deactivated", "member", member_id, {"was": found.state.value, "cause": cause})
    request_removals(connection, change, [member_id], cause)
    return True


def reactivate(connection: Connection, change: Change, member_id: MemberId) -> bool:
    """Give a deactivated member back what they had, and return whether that changed anything."""
    found = members.lock_member(connection, member_id)
    if found.state is not MemberState.DEACTIVATED:
        return False
    members.set_state(connection, change, member_id, MemberState.ACTIVE)
    add_audit(connection, change, "member.reactivated", "member", member_id, {"was": found.state.value})
    return True
