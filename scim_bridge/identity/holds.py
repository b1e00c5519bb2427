"""
Use cases of held memberships: see what waits and why, and let it go or keep it.

To reject is to write back: whoever is kept is in the group like others again, and the directory reads them there. Its
next list decides anew, and is judged anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.errors import NotFound
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

Decide = Callable[[Connection, Change, GroupId, list[str] | None], tuple[int, int]]
"""Decides about held people and groups of one group, some or all, and returns how many of each there were."""


@dataclass(frozen=True, slots=True)
class HoldView:
    """One held membership: who is in which group though its directory left them out, since when and why."""

    group_id: str
    group: str
    directory: str
    kind: str
    id: str
    name: str
    since: datetime
    why: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class HoldsApproved:
    """What an approval let go: memberships of people, and of groups in groups."""

    groups: tuple[str, ...] = ()
    people: int = 0
    nested_groups: int = 0


@dataclass(frozen=True, slots=True)
class HoldsRejected:
    """Who stays, in the groups and for their directories: people, and groups in groups."""

    groups: tuple[str, ...] = ()
    people: int = 0
    nested_groups: int = 0


def list_held(database: Database, organization: str) -> list[HoldView]:
    """Return whose membership is held: gone for the directory, in force for access."""
    with database.read() as connection:
        found = held_members(connection, the_organization(connection, organization).id)
        return [
            HoldView(
                each.group_id,
                each.group,
                each.directory,
                each.kind,
                each.id,
                each.name,
                each.since,
                each.why,
                each.request_id,
            )
            for each in found
        ]


def approve(
    database: Database,
    actor: Actor,
    organization: str,
    group: str | None = None,
    request_id: str | None = None,
    who: Sequence[str] = (),
) -> HoldsApproved:
    """
    End held memberships as asked-for removals: of one group or of all, of everybody or of some by name or id.

    Clusters do not ask again. Nothing held is nothing to do. Raises NotFound for a group that is not there, and for
    somebody who is not held.
    """
    return HoldsApproved(*_decide(database, actor, organization, group, who, "holds.approved", _end, request_id))


def reject(
    database: Database,
    actor: Actor,
    organization: str,
    group: str | None = None,
    request_id: str | None = None,
    who: Sequence[str] = (),
) -> HoldsRejected:
    """Keep who is held, as if no list had left them out; the directory reads them in the group again."""
    return HoldsRejected(*_decide(database, actor, organization, group, who, "holds.rejected", _keep, request_id))


def _decide(
    database: Database,
    actor: Actor,
    organization: str,
    group: str | None,
    who: Sequence[str],
    kind: str,
    decide: Decide,
    request_id: str | None,
) -> tuple[tuple[str, ...], int, int]:
    with database.write() as connection:
        owner = the_organization(connection, organization)
        only = None if group is None else the_group(connection, owner.id, group).id
        chosen = _chosen(held_members(connection, owner.id, only), who)
        names = {each.group_id: each.group for each in chosen}
        if not names:
            return (), 0, 0
        change = new_change(owner.id, actor, kind, now(), request_id)
        add_change(connection, change, ", ".join(sorted(names.values())))
        groups.lock_groups(connection, sorted(names))
        decided = [
            decide(connection, change, group_id, [e.id for e in chosen if e.group_id == group_id] if who else None)
            for group_id in sorted(names)
        ]
    people, nested = (sum(numbers) for numbers in zip(*decided, strict=True))
    return tuple(sorted(names.values())), people, nested


def _chosen(held: list[HeldMember], who: Sequence[str]) -> list[HeldMember]:
    if not who:
        return held
    wanted = {each.casefold() for each in who}
    found = [each for each in held if {each.id, each.name.casefold()} & wanted]
    missing = wanted - {name for each in found for name in (each.id, each.name.casefold())}
    if missing:
        raise NotFound(f"Nobody called {min(missing)!r} is held there.")
    return found


def _end(connection: Connection, change: Change, group_id: GroupId, only: list[str] | None) -> tuple[int, int]:
    people: list[MemberId] = memberships.end_held(connection, change, group_id, only)
    nested = nestings.end_held(connection, change, group_id, only)
    concerned = set(people) | memberships.people_below(connection, nested)
    request_removals(connection, change, sorted(concerned), "membership", scopes_given(connection, [group_id]))
    add_audit(connection, change, "group.hold_approved", "group", group_id, {"removed": people, "unnested": nested})
    return len(people), len(nested)


def _keep(connection: Connection, change: Change, group_id: GroupId, only: list[str] | None) -> tuple[int, int]:
    people = memberships.release_held(connection, group_id, only)
    nested = nestings.release_held(connection, group_id, only)
    # Its members are others for the directory now.
    groups.touch_groups(connection, change, [group_id])
    add_audit(connection, change, "group.hold_rejected", "group", group_id, {"kept": people, "nested": nested})
    return len(people), len(nested)
