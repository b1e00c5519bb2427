"""
Use cases of people who were here before a directory brought them: adopt them, or let them wait for an admin's word.

Whoever waits is a member of their own, deactivated: their groups and rules are kept and give nothing.
"""

from dataclasses import dataclass, replace

from scim_bridge.domain.access import Grant, Snapshot
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.adoption import Candidate, objection
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId, MemberState, groups_above
from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.errors import Conflict, NotFound
from scim_bridge.identity import mapping
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require, require_grantable
from scim_bridge.identity.deactivation import reactivate
from scim_bridge.identity.invitation_ends import supersede
from scim_bridge.identity.names import the_organization
from scim_bridge.store import adoption as store
from scim_bridge.store import directories, grants, members, memberships, users
from scim_bridge.store.adoption import StoredConflict as StoredConflict
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.domains import list_domains
from scim_bridge.store.invitations import roles_offered
from scim_bridge.store.removals import request_removals
from scim_bridge.store.snapshot import read_members


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whose user a directory's new user is; ``adopted``: of somebody who was here before."""

    member_id: MemberId
    adopted: bool = False


def arrive(connection: Connection, change: Change, directory_id: DirectoryId, record: UserRecord) -> Arrival:
    """
    Return the member behind a user whom a directory never brought before.

    That is somebody who is here without a directory, where the domain vouches for them; else somebody new, who waits
    for an admin's word, granting nothing, if they may be somebody who is here.
    """
    candidates = _candidates(connection, change, directory_id, record)
    if not candidates:
        return Arrival(members.insert_provisioned(connection, change, directory_id, record))
    domains = {each.domain for each in list_domains(connection, change.organization_id)}
    state = directories.get_directory(connection, directory_id).state
    reason = objection(candidates, domains, state, active=record.active)
    # Another directory may have taken them in this moment.
    if reason is None and _is_free(connection, members.lock_member(connection, candidates[0].member_id)):
        return Arrival(candidates[0].member_id, adopted=True)
    reason = reason or "another directory has taken the person over"
    waiting = members.insert_provisioned(connection, change, directory_id, replace(record, active=False))
    ids = [each.member_id for each in candidates]
    store.add_conflicts(connection, change, directory_id, waiting, ids, reason)
    add_audit(connection, change, "member.waits", "member", waiting, {"candidates": ids, "reason": reason})
    return Arrival(waiting)


def take_over(connection: Connection, change: Change, directory_id: DirectoryId, member_id: MemberId) -> None:
    """Make a directory authoritative for somebody who was here before; an invitation is thereby accepted."""
    found = members.lock_member(connection, member_id)
    members.set_directory(connection, change, member_id, directory_id)
    if found.state is MemberState.INVITED:
        members.set_state(connection, change, member_id, MemberState.ACTIVE)
        supersede(connection, change, member_id)
    detail = {"directory": directory_id, "was": found.state.value}
    add_audit(connection, change, "member.adopted", "member", member_id, detail)


def list_waiting(database: Database, organization: str) -> list[StoredConflict]:
    """Return who waits, the longest first."""
    with database.read() as connection:
        return store.open_conflicts(connection, the_organization(connection, organization).id)


def claim(
    database: Database, actor: Actor, organization: str, conflict_id: str, request_id: str | None = None
) -> StoredConflict:
    """
    Say that somebody who waits is the person who is here: the directory is authoritative for them from now on.

    Raises NotFound, Refused for whoever could not grant what the person has, and Conflict for a person who has another
    directory meanwhile or whom the directory has deactivated.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = _the_conflict(connection, owner.id, conflict_id)
        _require_claimable(connection, actor, owner.id, found.candidate_id)
        user = users.lock_user(connection, found.directory_id, found.user_id)
        if user is None or not user.active:
            raise Conflict(f"{found.user_name} is not active in {found.directory}: nothing is claimed.")
        person = members.lock_member(connection, found.candidate_id)
        if not _is_free(connection, person):
            raise Conflict(f"{found.candidate} belongs to another directory meanwhile.")
        change = new_change(owner.id, actor, "member.claimed", now(), request_id)
        add_change(connection, change, found.user_name)
        _close(connection, change, owner.id, found, "claimed")
        _merge(connection, change, found)
        detail = {"directory": found.directory, "user": found.user_id, "waited_as": found.waiting_id}
        add_audit(connection, change, "member.claimed", "member", found.candidate_id, detail)
        return found


def dismiss(
    database: Database, actor: Actor, organization: str, conflict_id: str, request_id: str | None = None
) -> StoredConflict:
    """Say that somebody who waits is another person: they become a member like any other, unless others are open."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DIRECTORIES)
        found = _the_conflict(connection, owner.id, conflict_id)
        change = new_change(owner.id, actor, "member.told_apart", now(), request_id)
        add_change(connection, change, found.user_name)
        store.close_conflicts(connection, change, [found.id], "dismissed")
        detail = {"directory": found.directory, "not": found.candidate_id}
        add_audit(connection, change, "member.told_apart", "member", found.waiting_id, detail)
        user = users.lock_user(connection, found.directory_id, found.user_id)
        if user is not None and user.active:
            # Does nothing while they may still be somebody else.
            reactivate(connection, change, found.waiting_id)
        return found


def _candidates(
    connection: Connection, change: Change, directory_id: DirectoryId, record: UserRecord
) -> list[Candidate]:
    owner = change.organization_id
    names = store.free_namesakes(connection, owner, record.user_name_key, record.names.email_key)
    if not names:
        return []
    roles = _api_roles(connection, change, list(names))
    return [
        Candidate(member_id, state, frozenset(matched), roles[member_id])
        for member_id, (state, matched) in sorted(names.items())
        if not users.has_present_user(connection, directory_id, member_id)
    ]


def _api_roles(connection: Connection, change: Change, ids: list[MemberId]) -> dict[MemberId, frozenset[str]]:
    """Return every API role that people hold or would hold if they were active, or are invited to."""
    offered = roles_offered(connection, ids)
    snapshot = read_members(connection, change.organization_id, ids, change.at)
    found = {}
    for member_id in ids:
        roles = [grant.api_role for grant in _grants(snapshot, member_id)] + [offered.get(member_id)]
        found[member_id] = frozenset(role for role in roles if role is not None)
    return found


def _grants(snapshot: Snapshot, member_id: MemberId) -> list[Grant]:
    """Return what somebody has, or would have if they were active."""
    held = list(snapshot.grants_of_member.get(member_id, ()))
    for group_id in groups_above(snapshot.groups_of.get(member_id, ()), snapshot.parents_of):
        held += snapshot.grants_of_group.get(group_id, ())
    return held


def _require_claimable(
    connection: Connection, actor: Actor, organization_id: OrganizationId, member_id: MemberId
) -> None:
    """Raise Refused for whoever would put more into a directory's hands than they could grant themselves."""
    if actor.is_trusted:
        return
    snapshot = read_members(connection, organization_id, [member_id], now())
    require(connection, actor, organization_id, MANAGING_DIRECTORIES)
    given = [(each.scope, each.api_role, each.kubernetes_role) for each in _grants(snapshot, member_id)]
    given += [(snapshot.tree.root, role, None) for role in roles_offered(connection, [member_id]).values()]
    require_grantable(connection, actor, organization_id, given, asking=MANAGING_DIRECTORIES)


def _the_conflict(connection: Connection, organization_id: OrganizationId, conflict_id: str) -> StoredConflict:
    for found in store.open_conflicts(connection, organization_id):
        if found.id == conflict_id:
            return found
    raise NotFound(f"Nobody waits under {conflict_id!r} in this organization.")


def _is_free(connection: Connection, person: members.MemberFacts) -> bool:
    if person.state is MemberState.REMOVED:
        return False
    return person.directory_id is None or directories.is_detached(connection, person.directory_id)


def _close(
    connection: Connection, change: Change, organization_id: OrganizationId, found: StoredConflict, state: str
) -> None:
    """Close a conflict, and the others of the same person: they were told from those."""
    waiting = store.open_conflicts(connection, organization_id)
    others = [each.id for each in waiting if each.waiting_id == found.waiting_id and each.id != found.id]
    store.close_conflicts(connection, change, [found.id], state)
    store.close_conflicts(connection, change, others, "dismissed")


def _merge(connection: Connection, change: Change, found: StoredConflict) -> None:
    """Let the person be whom the directory brought: with their groups, their names, and what rules give them."""
    user = users.get_user(connection, found.directory_id, found.user_id)
    assert user is not None
    person = members.lock_member(connection, found.candidate_id)
    waited = members.lock_member(connection, found.waiting_id)
    group_ids = memberships.end_user(connection, change, user.id)
    store.hand_users_over(connection, found.waiting_id, found.candidate_id)
    for group_id in group_ids:
        memberships.add_members(connection, change, group_id, {user.id: found.candidate_id})
    take_over(connection, change, found.directory_id, found.candidate_id)
    members.copy_names(connection, waited, found.candidate_id)
    reactivate(connection, change, found.candidate_id)
    if (person.user_name, person.email, person.external_id) != (waited.user_name, waited.email, waited.external_id):
        request_removals(connection, change, [found.candidate_id], "renamed")
    grants.close_origins(connection, change, grants.origins_of_members(connection, [found.waiting_id]))
    members.set_state(connection, change, found.waiting_id, MemberState.REMOVED)
    mapping.users_changed(connection, change, [user.id])
