"""Take away everything that a directory brought: as removals that were asked for, in one transaction."""

from scim_bridge.errors import Refused
from scim_bridge.identity import mapping
from scim_bridge.identity.deactivation import deactivate
from scim_bridge.store import directory_contents as contents
from scim_bridge.store import groups, members
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.directories import Directory
from scim_bridge.store.memberships import people_below
from scim_bridge.store.people import working_owners
from scim_bridge.store.removals import request_removals


def purge_contents(connection: Connection, change: Change, directory: Directory) -> tuple[int, int]:
    """
    Remove a directory's users and groups with what they gave, and return how many there were of each.

    Whoever this directory is authoritative for is deactivated; everybody else only loses what it brought. Raises
    Refused rather than take the last working owner.
    """
    brought = contents.users_brought(connection, directory.id)
    owned = contents.groups_brought(connection, directory.id)
    group_ids = [each.id for each in owned]
    groups.lock_groups(connection, group_ids)
    concerned = people_below(connection, group_ids) | {each.member_id for each in brought}
    concerned |= contents.remove_contents(connection, change, directory.id)
    mapping.groups_changed(connection, change, group_ids)
    mapping.users_changed(connection, change, [each.id for each in brought])
    for user in brought:
        add_audit(connection, change, "user.deleted", "user", user.id, {"userName": user.user_name})
    for group in owned:
        add_audit(connection, change, "group.deleted", "group", group.id, {"displayName": group.name})
    owners = working_owners(connection, change.organization_id, lock=True)
    people = sorted({each.member_id for each in brought})
    own = [each for each in people if members.lock_member(connection, each).directory_id == directory.id]
    gone = {each for each in own if deactivate(connection, change, each, "deleted")}
    if owners and owners <= gone:
        raise Refused("The last working owner of the organization came by this directory; make another one first.")
    request_removals(connection, change, sorted(concerned - gone), "membership")
    return len(brought), len(owned)
