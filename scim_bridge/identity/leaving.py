"""What a new member list leaves out of a group: most goes at once, the surplus is held (`domain.holds`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.holds import Departure, surplus
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.log import get_logger
from scim_bridge.store import departures, memberships, nestings
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.groups import StoredGroup

WINDOW = timedelta(hours=1)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Who is no longer on a group's list: gone, or gone for the directory only."""

    members: list[MemberId] = field(default_factory=list)
    groups: list[GroupId] = field(default_factory=list)
    held: list[MemberId] = field(default_factory=list)
    held_groups: list[GroupId] = field(default_factory=list)


def leave_out(
    connection: Connection,
    change: Change,
    group: StoredGroup,
    kept: Iterable[MemberId],
    kept_groups: Iterable[GroupId],
    limits: BrakeLimits,
) -> LeftOut:
    """End every membership of a group that is not kept, but hold what is more than an hour may take away."""
    staying, children = set(kept), set(kept_groups)
    others = departures.other_members(connection, group.id, staying)
    other_children = departures.other_children(connection, group.id, children)
    if not others and not other_children:
        return LeftOut()
    below = {child: departures.active_below(connection, [child]) for child in other_children}
    staying |= departures.active_below(connection, children) if children else set()
    active = [member_id for member_id, is_active in others if is_active]
    leaving = [each for each in dict.fromkeys([*active, *_in_order(below)]) if each not in staying]
    waiting = _surplus(connection, change, group, leaving, staying, limits)
    held = [member_id for member_id in active if member_id in waiting]
    held_groups = [child for child, people in below.items() if people & waiting]
    memberships.hold_members(connection, change, group.id, held)
    nestings.hold_children(connection, change, group.id, held_groups)
    left = LeftOut(
        memberships.end_members(connection, change, group.id, {each for each, _ in others} - set(held), inferred=True),
        nestings.end_children(connection, change, group.id, set(other_children) - set(held_groups), inferred=True),
        held,
        held_groups,
    )
    if held or held_groups:
        add_audit(connection, change, "group.held", "group", group.id, {"held": held, "held_groups": held_groups})
        log.warning(
            "A member list left out more than an hour may take away: the rest is held",
            group=group.display_name,
            held=len(held) + len(held_groups),
        )
    return left


def _in_order(below: dict[GroupId, set[MemberId]]) -> list[MemberId]:
    return [member_id for people in below.values() for member_id in sorted(people)]


def _surplus(
    connection: Connection,
    change: Change,
    group: StoredGroup,
    leaving: list[MemberId],
    staying: set[MemberId],
    limits: BrakeLimits,
) -> frozenset[MemberId]:
    if not leaving:
        return frozenset()
    since = change.at - WINDOW
    empties_group = not departures.has_active(connection, staying)
    departure = Departure(
        leaving,
        departures.left_since(connection, change.organization_id, since),
        empties_group=empties_group,
        empties_organization=empties_group
        and not departures.anybody_else(connection, change.organization_id, group.id, leaving),
    )
    waiting = surplus(departure, limits)
    if not waiting:
        return waiting
    # Counting the whole organization costs what its size is: only when the smallest allowance is not enough.
    at_start = departures.subjects_at(connection, change.organization_id, since)
    return surplus(replace(departure, subjects_at_start=at_start), limits)
