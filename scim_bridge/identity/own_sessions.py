"""Use cases of one's own sessions, in whatever organization: see them, and end one."""

from scim_bridge.domain.sessions import Session
from scim_bridge.errors import NotFound
from scim_bridge.identity.account_audit import note
from scim_bridge.identity.sessions import Visitor
from scim_bridge.store import sessions as store
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database


def list_all(database: Database, visitor: Visitor) -> list[Session]:
    """
    Return the sessions of one's account that are not over, the newest first.

    Who came by one organization's identity provider sees those alone that open it.
    """
    at = now()
    with database.read() as connection:
        found = store.sessions_of_account(connection, visitor.session.account_id)
    return [each for each in found if each.fault(at) is None and _is_visible(visitor, each)]


def end(database: Database, visitor: Visitor, session_id: str) -> None:
    """End one of one's own sessions; raises NotFound."""
    with database.write() as connection:
        at = now()
        mine = store.sessions_of_account(connection, visitor.session.account_id)
        found = next((each for each in mine if each.id == session_id and _is_visible(visitor, each)), None)
        if found is None:
            raise NotFound("There is no such session of yours.")
        store.end_session(connection, found.id, at, "revoked")
        note(connection, visitor.session.account_id, "session.revoked", at, {"session": found.id})


def _is_visible(visitor: Visitor, session: Session) -> bool:
    opens = visitor.session.organization_id
    return opens is None or session.organization_id == opens
