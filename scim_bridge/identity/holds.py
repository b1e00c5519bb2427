"""Use cases of held memberships: see what waits, and let it go."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.identity.names import the_group, the_organization
from scim_bridge.store import groups, memberships, nestings
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.holds import HeldMember as HeldMember
from scim_bridge.store.holds import held_members
from scim_bridge.store.removals import request_removals


@dataclass(frozen=True, slots=True)
class HoldsApproved:
    """What an approval let go: memberships of people, and of groups in groups."""

    groups: tuple[str, ...] = ()
    people: int = 0
    nested_groups: int = 0


def list_held(database: Database, organization: str) -> list[HeldMember]:
    """Return whose membership is held: gone for the directory, in force for access."""
    with database.read() as connection:
        return held_members(connection, the_organization(connection, organization).id)


def approve(
    database: Database, actor: Actor, organization: str, group: str | None = None, request_id: str | None = None
) -> HoldsApproved:
    """
    End the held memberships of one group, or of all, as asked-for removals: clusters do not ask again.

    Nothing held is nothing to do. Raises NotFound for a group that is not there.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        only = None if group is None else the_group(connection, owner.id, group).id
        names = {each.group_id: each.group for each in held_members(connection, owner.id, only)}
        if not names:
            return HoldsApproved()
        change = new_change(owner.id, actor, "holds.approved", now(), request_id)
        add_change(connection, change, ", ".join(sorted(names.values())))
        groups.lock_groups(connection, sorted(names))
        ended = [_approve_group(connection, change, group_id) for group_id in sorted(names)]
    people, nested = (sum(numbers) for numbers in zip(*ended, strict=True))
    return HoldsApproved(tuple(sorted(names.values())), people, nested)


def _approve_group(connection: Connection, change: Change, group_id: GroupId) -> tuple[int, int]:
    people: list[MemberId] = memberships.end_held(connection, change, group_id)
    nested = nestings.end_held(connection, change, group_id)
    concerned = set(people) | memberships.people_below(connection, nested)
    request_removals(connection, change, sorted(concerned), "membership", scopes_given(connection, [group_id]))
    add_audit(connection, change, "group.hold_approved", "group", group_id, {"removed": people, "unnested": nested})
    return len(people), len(nested)
