"""What a directory may do to its users, and what that does to the people behind them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scim_bridge.domain.organizations import Scope
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, MemberState, ScimUserId
from scim_bridge.domain.provisioning import Document, UserRecord, require_storable
from scim_bridge.errors import NotFound, NotUnique
from scim_bridge.identity import mapping
from scim_bridge.identity.adoption import Arrival, arrive, take_over
from scim_bridge.identity.deactivation import Standing, deactivate, end_access, reactivate, standing_of
from scim_bridge.identity.exchanges import Exchange, require_version
from scim_bridge.identity.mapped_records import keeping_required, mapped_record, mapping_for
from scim_bridge.store import adoption as adoption_store
from scim_bridge.store import groups, members, memberships, nestings, users
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.deprovisioning import get_policy
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.locking import lock_user_with_groups
from scim_bridge.store.members import MemberFacts
from scim_bridge.store.memberships import HeldRow
from scim_bridge.store.removals import request_removals
from scim_bridge.store.users import StoredUser, canonical

NOUN = "user"
UserChange = Callable[[StoredUser], UserRecord]


def create_user(database: Database, exchange: Exchange, record: UserRecord) -> StoredUser:
    """
    Add a user, or take up the inactive one that the record names: same id, same memberships and grants.

    An active record revives that one. The person is one whom this directory had before, one who is here already where
    `adoption` allows it, or new. Raises NotUnique when an active user has the userName, and Invalid for what cannot be
    stored.
    """
    require_storable(record)
    with database.write() as connection:
        caller = exchange.caller
        record = mapped_record(exchange, record, mapping_for(connection, exchange))
        if adoption_store.is_unheard_of(connection, caller.organization_id, caller.directory_id, record):
            return _insert_newcomer(connection, exchange, record)
        known = _inactive_namesake(connection, caller.directory_id, record)
        if known is None:
            return _insert(connection, exchange, record)
        if canonical(record.document) == known.document:
            return known
        record = keeping_required(connection, record, known.id)
        # A POST that says active=false itself (Entra, a person out of scope) must not end in 409 for ever either.
        change = exchange.begin("user.revived" if record.active else "user.changed")
        return _store(connection, exchange, change, known, record)


def change_user(
    database: Database, exchange: Exchange, user_id: str, changed: UserChange, expected: frozenset[int] | None = None
) -> StoredUser:
    """
    Store what ``changed`` makes of a user; when that is what is stored already, nothing is written.

    Raises NotFound, PreconditionFailed, NotUnique for a userName that another user has, and Invalid for what cannot be
    stored.
    """
    with database.write() as connection:
        in_force = mapping_for(connection, exchange)
        user = _locked(connection, exchange, user_id, expected)
        record = changed(user)
        require_storable(record)
        if canonical(record.document) == user.document:
            return user
        record = keeping_required(connection, mapped_record(exchange, record, in_force), user.id)
        return _store(connection, exchange, exchange.begin("user.changed"), user, record)


def delete_user(database: Database, exchange: Exchange, user_id: str, expected: frozenset[int] | None = None) -> None:
    """Take a user out of the directory, and with them what it gave; the member is deactivated."""
    with database.write() as connection:
        mapping_for(connection, exchange)
        user = lock_user_with_groups(connection, exchange.caller.directory_id, user_id)
        user = _as_expected(user, user_id, expected)
        change = exchange.begin("user.deleted")
        add_change(connection, change, about=f"user {user.user_name}")
        users.remove_user(connection, change, user)
        add_audit(connection, change, "user.deleted", NOUN, user.id, {"userName": user.user_name})
        _end_what_it_brought(connection, change, user)
        mapping.users_changed(connection, change, [user.id], locked=True)
        exchange.log_success(connection, change, NOUN, user.id)


def _inactive_namesake(connection: Connection, directory_id: DirectoryId, record: UserRecord) -> StoredUser | None:
    """Return the inactive user that a record names: by userName, else by an externalId that no other carries."""
    known = users.lock_by_user_name(connection, directory_id, record.user_name_key)
    if known is None and record.external_id:
        known = users.lock_only_carrier(connection, directory_id, record.external_id)
        return known if known is not None and not known.active else None
    if known is not None and known.active:
        raise NotUnique(f"A user of this directory has the userName {known.user_name!r} already.")
    return known


def _insert_newcomer(connection: Connection, exchange: Exchange, record: UserRecord) -> StoredUser:
    """Add a user of whom nobody here has ever heard."""
    directory_id = exchange.caller.directory_id
    change = exchange.begin("user.created")
    # Everything is read before anything is written: what is written then goes to PostgreSQL all at once.
    has_rules = mapping.concerns_people(connection, directory_id)
    add_change(connection, change, about=f"user {record.user_name}")
    member_id = members.insert_provisioned(connection, change, directory_id, record)
    user = users.insert_user(connection, change, directory_id, member_id, record)
    _note_created(connection, change, user)
    if has_rules:
        mapping.users_changed(connection, change, [user.id], locked=True)
    exchange.log_success(connection, change, NOUN, user.id)
    return user


def _insert(connection: Connection, exchange: Exchange, record: UserRecord) -> StoredUser:
    directory_id = exchange.caller.directory_id
    change = exchange.begin("user.created")
    add_change(connection, change, about=f"user {record.user_name}")
    gone = users.find_gone(connection, directory_id, record)
    former = users.former_ids(connection, directory_id, gone.member_id) if gone else []
    waiting = nestings.groups_waiting_for(connection, directory_id, former) if former else []
    groups.lock_groups(connection, waiting)
    returning = _returning(connection, directory_id, gone)
    arrival = Arrival(returning) if returning else arrive(connection, change, directory_id, record)
    member_id = arrival.member_id
    user = users.insert_user(connection, change, directory_id, member_id, record)
    _note_created(connection, change, user)
    if returning is not None:
        _follow(connection, change, user, record, _Before.of_arrival(connection, member_id))
        _attach(connection, change, user, former, waiting)
    elif arrival.adopted:
        take_over(connection, change, directory_id, member_id)
        _follow(connection, change, user, record, _Before.of_arrival(connection, member_id))
    mapping.users_changed(connection, change, [user.id], locked=True)
    exchange.log_success(connection, change, NOUN, user.id)
    # They may have been put into groups: those were not read with them.
    return user._replace(groups=None)


def _note_created(connection: Connection, change: Change, user: StoredUser) -> None:
    detail = {"userName": user.user_name, "member": user.member_id}
    add_audit(connection, change, "user.created", NOUN, user.id, detail)


def _returning(connection: Connection, directory_id: DirectoryId, gone: StoredUser | None) -> MemberId | None:
    if gone is None:
        return None
    state = members.lock_member(connection, gone.member_id).state
    if state is MemberState.REMOVED or users.has_present_user(connection, directory_id, gone.member_id):
        return None
    return gone.member_id


def _attach(
    connection: Connection, change: Change, user: StoredUser, former: list[ScimUserId], waiting: list[GroupId]
) -> None:
    """Put a person who came back into the groups that named them, by an id of before, while they were gone."""
    for group_id in waiting:
        memberships.add_members(connection, change, group_id, {user.id: user.member_id})
        nestings.unpark(connection, change, group_id, former)
        detail = {"added": [user.member_id], "unparked": former}
        add_audit(connection, change, "group.changed", "group", group_id, detail)
    groups.touch_groups(connection, change, waiting)


@dataclass(frozen=True, slots=True)
class _Before:
    """What was so before a user changes: read before anything is written, so that all is written at once."""

    member: MemberFacts
    was_active: bool
    standing: Standing | None = None
    held: list[HeldRow] = field(default_factory=list)

    @classmethod
    def of_arrival(cls, connection: Connection, member_id: MemberId) -> "_Before":
        """Look at a member whom a user comes back to."""
        return cls(members.lock_member(connection, member_id), was_active=False)

    @classmethod
    def of_change(cls, connection: Connection, user: StoredUser, record: UserRecord) -> "_Before":
        """Look at the member behind a user that changes, and, if they leave, at what they leave."""
        member = members.lock_member(connection, user.member_id)
        if record.active or not user.active:
            return cls(member, user.active)
        return cls(member, True, standing_of(connection, member), memberships.lock_held_of_user(connection, user.id))


def _store(
    connection: Connection, exchange: Exchange, change: Change, user: StoredUser, record: UserRecord
) -> StoredUser:
    before = _Before.of_change(connection, user, record)
    differences = _differences(user.read_document(), record.document)
    is_authoritative = before.member.directory_id in (None, user.directory_id)
    concerns_rules = differences.keys() != {"active"} or not is_authoritative
    has_rules = concerns_rules and mapping.concerns_people(connection, user.directory_id)
    add_change(connection, change, about=f"user {record.user_name}")
    stored = users.update_user(connection, change, user, record)
    add_audit(connection, change, change.kind, NOUN, user.id, differences)
    _follow(connection, change, stored, record, before)
    if has_rules:
        mapping.users_changed(connection, change, [user.id], locked=True)
    exchange.log_success(connection, change, NOUN, user.id)
    return stored


def _follow(connection: Connection, change: Change, user: StoredUser, record: UserRecord, before: _Before) -> None:
    """Let the member follow the user, as far as this directory has a say about them."""
    member = before.member
    is_authoritative = member.directory_id in (None, user.directory_id)
    if is_authoritative and not member.is_called_like(record):
        members.rename_member(connection, member.id, record)
        if not member.is_named_like(record):
            # The subject on the clusters may be rendered from any of these: the old one must go at once.
            request_removals(connection, change, [member.id], "renamed")
    if before.standing is not None:
        # The directory does not show held memberships any more: they must not come back with a reactivation.
        memberships.end_held_rows(connection, change, before.held)
        if is_authoritative:
            end_access(connection, change, before.standing)
        else:
            group_ids = memberships.groups_of_user(connection, user.id)
            request_removals(connection, change, [member.id], "membership", _scopes(connection, user, group_ids))
    elif record.active and not before.was_active and is_authoritative:
        reactivate(connection, change, member.id)


def _end_what_it_brought(connection: Connection, change: Change, user: StoredUser) -> None:
    member = members.lock_member(connection, user.member_id)
    group_ids = memberships.end_user(connection, change, user.id)
    groups.touch_groups(connection, change, group_ids)
    if group_ids and get_policy(connection, user.directory_id).delete_suspends:
        # Whoever comes back is put into the groups that wait for an id of theirs.
        for group_id in group_ids:
            nestings.park(connection, change, group_id, [user.id])
    if member.directory_id == user.directory_id:
        deactivate(connection, change, member.id, "deleted")
    else:
        request_removals(connection, change, [member.id], "membership", _scopes(connection, user, group_ids))


def _scopes(connection: Connection, user: StoredUser, group_ids: list[GroupId]) -> frozenset[Scope]:
    """Return where a directory that is not authoritative for a person gives them something."""
    by_rules = mapping.scopes_given_to(connection, user.directory_id, user.member_id)
    return scopes_given(connection, group_ids) | by_rules


def _locked(connection: Connection, exchange: Exchange, user_id: str, expected: frozenset[int] | None) -> StoredUser:
    return _as_expected(users.lock_user(connection, exchange.caller.directory_id, user_id), user_id, expected)


def _as_expected(user: StoredUser | None, user_id: str, expected: frozenset[int] | None) -> StoredUser:
    if user is None:
        raise NotFound(f"There is no user {user_id!r} in this directory.")
    require_version(expected, user.version)
    return user


def _differences(old: Document, new: Document) -> dict[str, object]:
    keys = sorted(old.keys() | new.keys())
    return {key: {"from": old.get(key), "to": new.get(key)} for key in keys if old.get(key) != new.get(key)}
