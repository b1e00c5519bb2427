"""Use cases of people who signed in and wait (`--join pending`): let them join, or keep them out for good."""

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import Conflict
from scim_bridge.identity.authority import require
from scim_bridge.identity.member_states import USERS, MemberMoved, remove_member
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.store import joiners as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.joiners import Joiner as Joiner
from scim_bridge.store.members import lock_member, set_state
from scim_bridge.store.organizations import Organization


def list_all(database: Database, organization: str) -> list[Joiner]:
    """Return who waits, the longest first."""
    with database.read() as connection:
        return store.list_joiners(connection, the_organization(connection, organization).id)


def approve(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> MemberMoved:
    """
    Let somebody who waits join, without any role; they are in at their next sign-in.

    Raises Conflict for whoever does not wait.
    """
    with database.write() as connection:
        change, joiner = _begin(connection, actor, organization, person, "member.approved", request_id)
        set_state(connection, change, joiner.member_id, MemberState.ACTIVE)
        add_audit(connection, change, change.kind, "member", joiner.member_id, _detail(joiner))
        return MemberMoved(joiner.member_id, joiner.user_name, MemberState.ACTIVE, changed=True)


def refuse(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> MemberMoved:
    """
    Keep somebody who waits out: neither this subject nor this address joins by signing in again.

    An invitation still brings them in. Raises Conflict for whoever does not wait.
    """
    with database.write() as connection:
        change, joiner = _begin(connection, actor, organization, person, "member.refused", request_id)
        add_audit(connection, change, change.kind, "member", joiner.member_id, _detail(joiner))
        owner = the_organization(connection, organization)
        remove_member(connection, change, the_member(connection, owner.id, joiner.member_id), "refused")
        return MemberMoved(joiner.member_id, joiner.user_name, MemberState.REMOVED, changed=True)


def _begin(
    connection: Connection, actor: Actor, organization: str, person: str, kind: str, request_id: str | None
) -> tuple[Change, Joiner]:
    owner: Organization = the_organization(connection, organization)
    require(connection, actor, owner.id, USERS)
    found = the_member(connection, owner.id, person)
    lock_member(connection, found.id)
    joiner = store.find_joiner(connection, owner.id, found.id)
    if joiner is None:
        raise Conflict(f"{found.user_name} does not wait: they did not sign in, or it is decided.")
    change = new_change(owner.id, actor, kind, now(), request_id)
    add_change(connection, change, joiner.user_name)
    return change, joiner


def _detail(joiner: Joiner) -> dict[str, object]:
    return {"userName": joiner.user_name, "identity_provider": joiner.identity_provider, "subject": joiner.subject}
