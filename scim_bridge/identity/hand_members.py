"""Use cases of who is in a group made by hand: put in, for ever or for a time, take out, nest; what ends by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.keys import fold
from scim_bridge.domain.member_filters import MemberFilter
from scim_bridge.domain.moments import read_deadline
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.searching import search_terms
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.authority import require
from scim_bridge.identity.group_grants import GROUPS, require_putting_in
from scim_bridge.identity.hand_groups import NOUN, editable_group
from scim_bridge.identity.names import the_group, the_member, the_organization
from scim_bridge.store import groups, memberships, people
from scim_bridge.store import hand_groups as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.member_lists import list_members
from scim_bridge.store.removals import request_removals

MOST_AT_ONCE = 1000
MOST_EXPIRED = 500
SHOWN = 5
CLOCK = Actor(ActorKind.SCHEDULER, "scheduler")


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """A group, and for whom something changed; the others named were already so."""

    group_id: GroupId
    group: str
    changed: tuple[MemberId, ...]
    unchanged: tuple[MemberId, ...] = ()


def add(
    database: Database,
    actor: Actor,
    organization: str,
    group: str,
    named: Iterable[str],
    expires: str | None = None,
    request_id: str | None = None,
) -> MembersChanged:
    """
    Put people into a group, all of them or, where one of them cannot be found, nobody.

    Each is named by id, userName or e-mail address, or by what a search finds one person with. ``expires`` is ``30d``
    or a date. Raises NotFound or Conflict that says whom it could not tell, and Refused for whoever does not hold what
    the group gives.
    """
    wanted = _limited(named)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = editable_group(connection, owner.id, group)
        require_putting_in(connection, actor, owner.id, [found.id])
        at = now()
        until = None if expires is None else read_deadline(expires, at)
        ids = [_searched(connection, owner.id, text, at) for text in wanted]
        present = store.present_members(connection, ids)
        change = new_change(owner.id, actor, "group.changed", at, request_id)
        added = put_in_group(connection, change, found.id, present, until)
        if added:
            add_change(connection, change, f"group {found.name}")
        return MembersChanged(found.id, found.name, tuple(added), tuple(each for each in present if each not in added))


def put_in_group(
    connection: Connection, change: Change, group_id: GroupId, members: list[MemberId], until: datetime | None = None
) -> list[MemberId]:
    """Put people into a group within a change, and return for whom that changed something."""
    added = store.put_in(connection, change, group_id, members, expires_at=until)
    if added:
        groups.touch_groups(connection, change, [group_id])
        detail: dict[str, object] = {"added": added, "origin": store.MANUAL}
        if until is not None:
            detail["expires_at"] = until
        add_audit(connection, change, "group.changed", NOUN, group_id, detail)
    return added


def remove(
    database: Database,
    actor: Actor,
    organization: str,
    group: str,
    named: Iterable[str],
    request_id: str | None = None,
) -> MembersChanged:
    """Take people out of a group; they lose at once what it gave, on every cluster."""
    wanted = _limited(named)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, GROUPS)
        found = editable_group(connection, owner.id, group)
        ids = [the_member(connection, owner.id, text).id for text in wanted]
        change = new_change(owner.id, actor, "group.changed", now(), request_id)
        removed = store.take_out(connection, change, found.id, ids)
        if removed:
            add_change(connection, change, f"group {found.name}")
            groups.touch_groups(connection, change, [found.id])
            request_removals(connection, change, removed, "membership", scopes_given(connection, [found.id]))
            add_audit(connection, change, "group.changed", NOUN, found.id, {"removed": removed})
        rest = tuple(each for each in dict.fromkeys(ids) if each not in removed)
        return MembersChanged(found.id, found.name, tuple(removed), rest)


def nest(
    database: Database, actor: Actor, organization: str, group: str, child: str, request_id: str | None = None
) -> bool:
    """Put a group, a directory's too, into one made by hand, and tell whether it was not in it."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        inner = the_group(connection, owner.id, child)
        found = editable_group(connection, owner.id, group)
        require_putting_in(connection, actor, owner.id, [found.id])
        if inner.id == found.id:
            raise Invalid(f"The group {found.name} cannot be in itself.", field="group")
        change = new_change(owner.id, actor, "group.changed", now(), request_id)
        if not store.nest_by_hand(connection, change, found.id, inner.id):
            return False
        add_change(connection, change, f"group {found.name}")
        groups.touch_groups(connection, change, [found.id])
        add_audit(connection, change, "group.changed", NOUN, found.id, {"nested": [inner.id]})
        return True


def unnest(
    database: Database, actor: Actor, organization: str, group: str, child: str, request_id: str | None = None
) -> bool:
    """Take a group out of one made by hand, and tell whether it was in it; its people lose what they had by that."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, GROUPS)
        inner = the_group(connection, owner.id, child)
        found = editable_group(connection, owner.id, group)
        change = new_change(owner.id, actor, "group.changed", now(), request_id)
        concerned = memberships.people_below(connection, [inner.id])
        if not store.unnest(connection, change, found.id, inner.id):
            return False
        add_change(connection, change, f"group {found.name}")
        groups.touch_groups(connection, change, [found.id])
        request_removals(connection, change, sorted(concerned), "membership", scopes_given(connection, [found.id]))
        add_audit(connection, change, "group.changed", NOUN, found.id, {"unnested": [inner.id]})
        return True


def end_expired_memberships(database: Database) -> int:
    """End the memberships whose time is over, as asked-for removals, and return how many people that was."""
    with database.read() as connection:
        over = store.expired_memberships(connection, now(), MOST_EXPIRED)
    ended = 0
    for organization_id, found in groupby(over, key=attrgetter("organization_id")):
        for group_id, people_of_group in groupby(found, key=attrgetter("group_id")):
            ids = [each.member_id for each in people_of_group]
            ended += _end_in_group(database, organization_id, group_id, ids)
    return ended


def _end_in_group(database: Database, organization_id: OrganizationId, group_id: GroupId, ids: list[MemberId]) -> int:
    with database.write() as connection:
        groups.lock_groups(connection, [group_id])
        change = new_change(organization_id, CLOCK, "group.membership_expired", now())
        ended = store.end_expired(connection, change, group_id, ids)
        if ended:
            add_change(connection, change, f"group {group_id}")
            groups.touch_groups(connection, change, [group_id])
            request_removals(connection, change, ended, "membership", scopes_given(connection, [group_id]))
            add_audit(connection, change, "group.membership_expired", NOUN, group_id, {"removed": ended})
        return len(ended)


def _searched(connection: Connection, organization_id: OrganizationId, text: str, at: datetime) -> MemberId:
    """Return the one person whom a name or a search finds."""
    exact = people.find_members(connection, organization_id, text)
    if exact:
        return the_member(connection, organization_id, text).id
    terms = search_terms(text)
    found = list_members(connection, organization_id, MemberFilter(terms), at, SHOWN)[0] if terms else []
    if not found:
        raise NotFound(f"There is no person {text!r} in this organization.")
    if len(found) > 1:
        names = ", ".join(each.user_name for each in found)
        raise Conflict(f"{text!r} finds several people; say which: {names}.")
    return found[0].id


def _limited(named: Iterable[str]) -> list[str]:
    wanted = list({fold(text): text for text in named}.values())
    if not wanted:
        raise Invalid("Name at least one person.", field="members")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} people at once.", field="members")
    return wanted
