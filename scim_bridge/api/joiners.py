"""People who signed in and wait for somebody to let them join."""

from scim_bridge.api.operations import Call, Paged, operation
from scim_bridge.identity import joiners
from scim_bridge.identity.joiners import Joiner
from scim_bridge.identity.member_states import MemberMoved
from scim_bridge.web.paging import Page

TAG = "joiners"
WRITING = "organization:users:write"


@operation("GET", "/joiners", tag=TAG, permission="members:read", query=Paged, answers=Page[Joiner])
def list_(call: Call) -> Page[Joiner]:
    """List who signed in and waits, the longest first."""
    return call.page(joiners.list_all(call.database, call.organization), lambda each: (each.member_id,))


@operation("POST", "/joiners/<member>/approve", tag=TAG, permission=WRITING, answers=MemberMoved)
def approve(call: Call, member: str) -> MemberMoved:
    """Let somebody who waits join, without any role."""
    return joiners.approve(call.database, call.actor, call.organization, member, call.request_id)


@operation("POST", "/joiners/<member>/refuse", tag=TAG, permission=WRITING, answers=MemberMoved)
def refuse(call: Call, member: str) -> MemberMoved:
    """Keep somebody who waits out; they do not come back by signing in."""
    return joiners.refuse(call.database, call.actor, call.organization, member, call.request_id)
