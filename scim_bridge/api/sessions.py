"""Sessions of people who signed in: see them, end them."""

from scim_bridge.api.operations import Call, Paged, operation
from scim_bridge.domain.sessions import Session
from scim_bridge.identity import sessions
from scim_bridge.web.paging import Page

TAG = "sessions"


@operation("GET", "/members/<member>/sessions", tag=TAG, query=Paged, answers=Page[Session])
def list_(call: Call, member: str) -> Page[Session]:
    """List a member's sessions that may open the organization, ended ones too: one's own (`me`), or anybody's."""
    found = sessions.list_all(call.database, call.actor, call.organization, member)
    return call.page(found, lambda each: (each.id,))


@operation("DELETE", "/sessions/<session>", tag=TAG, answers=Session)
def revoke(call: Call, session: str) -> Session:
    """End a session: one's own everywhere, another's for this organization."""
    return sessions.revoke(call.database, call.actor, call.organization, session, call.request_id)
