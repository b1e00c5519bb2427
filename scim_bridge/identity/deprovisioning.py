"""Use cases of leavers: a directory's rule for them, and the purge of whom nothing holds any more."""

from datetime import timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.deprovisioning import DeprovisionPolicy
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId, MemberState
from scim_bridge.identity.authority import require
from scim_bridge.identity.member_states import remove_member
from scim_bridge.identity.names import the_directory, the_member
from scim_bridge.store import deprovisioning as store
from scim_bridge.store import groups, members, people
from scim_bridge.store.audit import add_audit
from scim_bridge.store.audit_retention import erase_person
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.member_history import groups_to_lock

DIRECTORIES = "organization:directories:write"
PURGER = Actor(ActorKind.SCHEDULER, "purge")
MOST_A_ROUND = 200


def show_policy(database: Database, organization: str, directory: str) -> DeprovisionPolicy:
    """Return a directory's rule for leavers."""
    with database.read() as connection:
        return store.get_policy(connection, the_directory(connection, organization, directory).id)


def set_policy(
    database: Database,
    actor: Actor,
    organization: str,
    directory: str,
    policy: DeprovisionPolicy,
    request_id: str | None = None,
) -> DeprovisionPolicy:
    """Say for how many days a directory keeps leavers, and whether a deletion is more than a suspension."""
    with database.write() as connection:
        found = the_directory(connection, organization, directory)
        require(connection, actor, found.organization_id, DIRECTORIES)
        before = store.get_policy(connection, found.id)
        if before != policy:
            change = new_change(found.organization_id, actor, "directory.deprovision_set", now(), request_id)
            add_change(connection, change, found.name)
            store.set_policy(connection, found.id, policy)
            detail = {"from": repr(before), "to": repr(policy)}
            add_audit(connection, change, "directory.deprovision_set", "directory", found.id, detail)
        return policy


def purge_leavers(database: Database) -> int:
    """Remove and forget whoever was let go of for longer than their directory's grace; return how many that was."""
    with database.read() as connection:
        wanted = store.policies(connection)
    purged = 0
    for organization_id, directory_id, policy in wanted:
        before = timedelta(days=policy.grace_days or 0)
        with database.read() as connection:
            over = store.grace_over(connection, organization_id, directory_id, now() - before, MOST_A_ROUND)
        purged += sum(_purge(database, organization_id, directory_id, before, member_id) for member_id in over)
    return purged


def _purge(
    database: Database,
    organization_id: OrganizationId,
    directory_id: DirectoryId,
    grace: timedelta,
    member_id: MemberId,
) -> bool:
    with database.write() as connection:
        change = new_change(organization_id, PURGER, "member.purged", now())
        groups.lock_groups(connection, groups_to_lock(connection, member_id))
        members.lock_member(connection, member_id)
        # They may have come back in this moment.
        over = store.grace_over(connection, organization_id, directory_id, change.at - grace, MOST_A_ROUND)
        if member_id not in over:
            return False
        if people.holds_owner(connection, member_id) and not people.working_owners(connection, organization_id):
            # The last owner's grant and break-glass stay, whatever a directory has said.
            return False
        found = the_member(connection, organization_id, member_id)
        add_change(connection, change, "a leaver")
        remove_member(connection, change, found, "purged")
        # Before the names go: they lead to what the audit tells of the person.
        erase_person(connection, change, member_id)
        store.forget(connection, member_id)
        detail = {"was": MemberState.DEACTIVATED.value, "directory": directory_id}
        add_audit(connection, change, "member.purged", "member", member_id, detail)
        return True
