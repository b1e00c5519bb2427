"""What a directory may do to its groups: names, and members as changes, never as the whole list."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.organizations import Scope
from scim_bridge.domain.people import GroupId, MemberId, ScimUserId
from scim_bridge.domain.provisioning import GroupRecord, MemberChange, require_storable
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import mapping
from scim_bridge.identity.exchanges import Exchange, require_version
from scim_bridge.identity.leaving import leave_out
from scim_bridge.store import groups, memberships, nestings
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.groups import StoredGroup
from scim_bridge.store.removals import request_removals
from scim_bridge.store.users import canonical

NOUN = "group"
DEFAULT_LIMITS = BrakeLimits()
GroupNaming = Callable[[StoredGroup], GroupRecord]


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a request changes of a group; ``naming`` None leaves everything but the members as it is."""

    members: MemberChange = field(default_factory=MemberChange)
    naming: GroupNaming | None = None


@dataclass(slots=True)
class _Outcome:
    """What a change of members really changed."""

    added: list[MemberId] = field(default_factory=list)
    nested: list[GroupId] = field(default_factory=list)
    removed: list[MemberId] = field(default_factory=list)
    unnested: list[GroupId] = field(default_factory=list)
    missing: list[MemberId] = field(default_factory=list)
    missing_groups: list[GroupId] = field(default_factory=list)
    held: list[MemberId] = field(default_factory=list)
    held_groups: list[GroupId] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    unparked: int = 0

    def detail(self) -> dict[str, object]:
        """Return what the audit keeps: removed is what was named, missing and held what a new list left out."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    @property
    def held_words(self) -> str:
        """Return what a reader of the change should know about what is held."""
        return f", {len(self.held) + len(self.held_groups)} members held" if self.held or self.held_groups else ""


def create_group(
    database: Database, exchange: Exchange, record: GroupRecord, member_ids: Mapping[str, None]
) -> StoredGroup:
    """Add a group with its first members; raises NotUnique if the directory has one of that displayName."""
    require_storable(record)
    with database.write() as connection:
        change = exchange.begin("group.created")
        add_change(connection, change, about=f"group {record.display_name}")
        group = groups.insert_group(connection, change, exchange.caller.directory_id, record)
        outcome = _change_members(connection, change, group, MemberChange(add=member_ids), DEFAULT_LIMITS)
        detail = {"displayName": record.display_name, **outcome.detail()}
        add_audit(connection, change, "group.created", NOUN, group.id, detail)
        mapping.groups_changed(connection, change, [group.id])
        exchange.log_success(connection, change, NOUN, group.id)
        return group


def change_group(
    database: Database,
    exchange: Exchange,
    group_id: str,
    wanted: GroupChange,
    expected: frozenset[int] | None = None,
    limits: BrakeLimits = DEFAULT_LIMITS,
) -> StoredGroup:
    """
    Change a group's names and members; the version counts up only if something changed.

    Members that the request names for removal lose at once what the group gave. Those that a new list merely leaves
    out are not asked for: they pass the brakes of the clusters, and more of them than ``limits`` let go within an hour
    stay in force, held, though the directory no longer sees them. Raises NotFound, PreconditionFailed, NotUnique and
    Invalid.
    """
    with database.write() as connection:
        group = _locked(connection, exchange, group_id, expected)
        record = _renamed(group, wanted)
        if record is None and wanted.members.is_empty:
            return group
        change = exchange.begin("group.changed")
        outcome = _change_members(connection, change, group, wanted.members, limits)
        detail = outcome.detail()
        if record is None and not detail:
            return group
        # Read before anything is written, which then goes to PostgreSQL all at once.
        losing = _losing(connection, group, outcome)
        add_change(connection, change, about=f"group {group.display_name}{outcome.held_words}")
        stored = groups.update_group(connection, change, group, record)
        request_removals(connection, change, losing.members, "membership", losing.scopes)
        if record is not None:
            detail |= {"displayName": {"from": group.display_name, "to": record.display_name}}
            mapping.groups_changed(connection, change, [group.id])
        add_audit(connection, change, "group.changed", NOUN, group.id, detail)
        exchange.log_success(connection, change, NOUN, group.id)
        return stored


def delete_group(database: Database, exchange: Exchange, group_id: str, expected: frozenset[int] | None = None) -> None:
    """Take a group out of the directory; everybody in it loses at once what it gave."""
    with database.write() as connection:
        group = _locked(connection, exchange, group_id, expected)
        change = exchange.begin("group.deleted")
        add_change(connection, change, about=f"group {group.display_name}")
        scopes = scopes_given(connection, [group.id])
        concerned = memberships.people_below(connection, [group.id]) if scopes else set()
        memberships.end_group(connection, change, group.id)
        parents = nestings.end_nestings(connection, change, group.id)
        nestings.unpark_others(connection, change, group.id, ())
        groups.touch_groups(connection, change, parents)
        groups.remove_group(connection, change, group)
        request_removals(connection, change, sorted(concerned), "membership", scopes)
        mapping.groups_changed(connection, change, [group.id])
        add_audit(connection, change, "group.deleted", NOUN, group.id, {"displayName": group.display_name})
        exchange.log_success(connection, change, NOUN, group.id)


def _renamed(group: StoredGroup, wanted: GroupChange) -> GroupRecord | None:
    record = wanted.naming(group) if wanted.naming else None
    if record is None or canonical(record.document) == group.document:
        return None
    require_storable(record)
    return record


def _change_members(
    connection: Connection, change: Change, group: StoredGroup, wanted: MemberChange, limits: BrakeLimits
) -> _Outcome:
    outcome = _Outcome()
    if wanted.is_empty:
        return outcome
    known = _resolve(connection, group, [*wanted.add, *wanted.remove])
    added, removed = known.among(wanted.add), known.among(wanted.remove)
    if wanted.remove:
        outcome.removed = memberships.end_members(connection, change, group.id, removed.users.values())
        if removed.groups:
            outcome.unnested = nestings.end_children(connection, change, group.id, removed.groups)
        if removed.not_by_their_own_id:
            outcome.unparked = nestings.unpark(connection, change, group.id, removed.not_by_their_own_id)
    if wanted.replace:
        left = leave_out(connection, change, group, added.users.values(), added.groups, limits)
        outcome.missing, outcome.missing_groups = left.members, left.groups
        outcome.held, outcome.held_groups = left.held, left.held_groups
        outcome.unparked += nestings.unpark_others(connection, change, group.id, added.unknown)
    if added.users:
        outcome.added = memberships.add_members(connection, change, group.id, added.users)
    if added.groups:
        outcome.nested = nestings.add_children(connection, change, group.id, added.groups)
    if added.unknown:
        # 400 would end the whole push for good (Okta): the known ones are in, the rest is kept.
        outcome.parked = nestings.park(connection, change, group.id, added.unknown)
    return outcome


@dataclass(frozen=True, slots=True)
class _Known:
    """Member ids sorted by what they name."""

    named: dict[str, tuple[ScimUserId, MemberId]]
    groups: list[GroupId]
    unknown: list[str]

    @property
    def users(self) -> dict[ScimUserId, MemberId]:
        """Return the people, each once, by the id they have now."""
        return dict(self.named.values())

    @property
    def not_by_their_own_id(self) -> list[str]:
        """Return what may have been parked: an id that the server gave somebody who is here names nobody else."""
        return [*self.unknown, *(value for value, (user_id, _) in self.named.items() if value != user_id)]

    def among(self, ids: Iterable[str]) -> "_Known":
        """Return the part of it that these ids are."""
        wanted = set(ids)
        return _Known(
            {value: user for value, user in self.named.items() if value in wanted},
            [group for group in self.groups if group in wanted],
            [value for value in self.unknown if value in wanted],
        )


def _resolve(connection: Connection, group: StoredGroup, ids: list[str]) -> _Known:
    if any("\x00" in value for value in ids):
        raise Invalid("A member's id cannot hold the character NUL.", "members", scim_type="invalidValue")
    users = memberships.users_among(connection, group.directory_id, ids)
    rest = [value for value in ids if value not in users]
    found = memberships.groups_among(connection, group.directory_id, rest) if rest else set()
    return _Known(users, sorted(found), [value for value in rest if value not in found])


@dataclass(frozen=True, slots=True)
class _Losing:
    """Who loses what a group gives, and where that is."""

    members: list[MemberId] = field(default_factory=list)
    scopes: frozenset[Scope] = frozenset()


def _losing(connection: Connection, group: StoredGroup, outcome: _Outcome) -> _Losing:
    if not (outcome.removed or outcome.unnested):
        return _Losing()
    concerned = set(outcome.removed)
    if outcome.unnested:
        concerned |= memberships.people_below(connection, outcome.unnested)
    return _Losing(sorted(concerned), scopes_given(connection, [group.id]))


def _locked(connection: Connection, exchange: Exchange, group_id: str, expected: frozenset[int] | None) -> StoredGroup:
    group = groups.lock_group(connection, exchange.caller.directory_id, group_id)
    if group is None:
        raise NotFound(f"There is no group {group_id!r} in this directory.")
    require_version(expected, group.version)
    return group
