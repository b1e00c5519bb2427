"""Use cases of people who come and go by an admin's hand: deactivate, reactivate, remove, leave."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.invitations import InvitationState
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryState, Member, MemberId, MemberState
from scim_bridge.errors import Conflict
from scim_bridge.identity import deactivation
from scim_bridge.identity.authority import authority_of, require
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.identity.owners import keep_an_owner
from scim_bridge.store import directories, grants, groups, joiners, members, people
from scim_bridge.store import invitations as invitation_store
from scim_bridge.store import member_history as history
from scim_bridge.store.adoption import is_waiting
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.mails import cancel_mails

USERS = "organization:users:write"


@dataclass(frozen=True, slots=True)
class MemberMoved:
    """A person and the state they are in now; ``changed``: they were in another one, or it was kept up otherwise."""

    id: MemberId
    user_name: str
    state: MemberState
    changed: bool


def deactivate(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> MemberMoved:
    """
    Take all access from a person, and keep what they had for later.

    A directory's people too: they stay deactivated, whatever it says, until somebody reactivates them here. Raises
    Refused for the last working owner and Conflict for somebody who is only invited.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        require_over(connection, actor, owner.id, found.id, USERS)
        if found.state is MemberState.INVITED:
            raise Conflict(_not_yet(connection, owner.id, found, "is only invited: revoke the invitation instead."))
        change = new_change(owner.id, actor, "member.deactivated", now(), request_id)
        add_change(connection, change, found.user_name)
        changed = deactivation.deactivate(connection, change, found.id, by_hand=True)
        return MemberMoved(found.id, found.user_name, MemberState.DEACTIVATED, changed)


def reactivate(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> MemberMoved:
    """
    Give a deactivated person back what they had.

    Raises Conflict where their directory says that they are not active: it has the last word about that.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        require_over(connection, actor, owner.id, found.id, USERS)
        if found.state is MemberState.ACTIVE:
            return MemberMoved(found.id, found.user_name, found.state, changed=False)
        if found.state is MemberState.INVITED:
            raise Conflict(_not_yet(connection, owner.id, found, "is invited and has not accepted yet."))
        if is_waiting(connection, found.id):
            raise Conflict(f"{found.user_name} waits to be told from somebody who is here: claim or dismiss them.")
        change = new_change(owner.id, actor, "member.reactivated", now(), request_id)
        add_change(connection, change, found.user_name)
        facts = members.lock_member(connection, found.id)
        directory = _directory_of(connection, facts)
        if directory is not None and not history.is_provisioned(connection, directory.id, found.id):
            raise Conflict(f"{directory.name} says that {found.user_name} is not active: change it in that directory.")
        changed = deactivation.reactivate(connection, change, found.id, by_hand=True)
        return MemberMoved(found.id, found.user_name, MemberState.ACTIVE, changed)


def remove(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> MemberMoved:
    """
    Take a person out of the organization: out of groups, without grants, off every cluster.

    Raises Refused for the last working owner, and Conflict for somebody whom a directory would bring back.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        require_over(connection, actor, owner.id, found.id, "members:remove")
        return _remove(connection, new_change(owner.id, actor, "member.removed", now(), request_id), found)


def leave(database: Database, actor: Actor, organization: str, request_id: str | None = None) -> MemberMoved:
    """
    Let whoever acts go out of an organization themselves; what `remove` refuses is refused here too.

    Raises NotFound for whoever is no active member of it.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        member_id = authority_of(connection, actor, owner.id).member_id
        if member_id is None:
            raise Conflict("Whoever works at the installation itself is no member: name the person to remove.")
        change = new_change(owner.id, actor, "member.left", now(), request_id)
        return _remove(connection, change, the_member(connection, owner.id, member_id))


def require_over(
    connection: Connection, actor: Actor, organization_id: OrganizationId, member_id: MemberId, permission: str
) -> None:
    """Raise Refused for whoever lacks a permission; over an owner, only who may manage owners has any."""
    require(connection, actor, organization_id, permission)
    if not actor.is_trusted and people.holds_owner(connection, member_id):
        require(connection, actor, organization_id, "owners:manage")


def _remove(connection: Connection, change: Change, found: Member) -> MemberMoved:
    if not found.is_person:
        raise Conflict(f"{found.user_name} is a program: remove it as an application user.")
    directory = _directory_of(connection, members.look_at(connection, found.id))
    if directory is not None and history.is_provisioned(connection, directory.id, found.id) is not None:
        raise Conflict(
            f"{found.user_name} comes from the directory {directory.name}: unassign them there, "
            "or deactivate them here."
        )
    add_change(connection, change, found.user_name)
    remove_member(connection, change, found, change.kind.removeprefix("member."))
    return MemberMoved(found.id, found.user_name, MemberState.REMOVED, changed=True)


def remove_member(connection: Connection, change: Change, person: Member, cause: str) -> None:
    """End all that somebody has here; raises Refused for the last working owner."""
    groups.lock_groups(connection, history.groups_to_lock(connection, person.id))
    keep_an_owner(connection, change.organization_id, [person.id])
    facts = members.lock_member(connection, person.id)
    # Sessions, tokens and bindings end there, whatever door this is.
    deactivation.deactivate(connection, change, person.id, "removed")
    group_ids = history.end_memberships(connection, change, person.id)
    groups.touch_groups(connection, change, group_ids)
    origins = grants.origins_of_members(connection, [person.id])
    ended = grants.close_origins(connection, change, origins)
    invited = invitation_store.pending_of_member(connection, person.id)
    if invited is not None:
        invitation_store.close_invitation(connection, change, invited.id, InvitationState.REVOKED)
        cancel_mails(connection, change, invited.id)
    members.set_state(connection, change, person.id, MemberState.REMOVED)
    detail: dict[str, object] = {"was": facts.state.value, "cause": cause, "userName": facts.user_name}
    detail |= {"groups": group_ids, "grants": len(ended)}
    add_audit(connection, change, "member.removed", "member", person.id, detail)


def _not_yet(connection: Connection, organization_id: OrganizationId, found: Member, otherwise: str) -> str:
    waits = joiners.find_joiner(connection, organization_id, found.id) is not None
    return f"{found.user_name} {'signed in and waits: approve or refuse them.' if waits else otherwise}"


def _directory_of(connection: Connection, facts: members.MemberFacts) -> Directory | None:
    """Return the directory that has the say about a member; None where none has, or it is over."""
    if facts.directory_id is None:
        return None
    found = directories.get_directory(connection, facts.directory_id)
    return None if found.state is DirectoryState.DETACHED else found
