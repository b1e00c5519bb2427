"""What a directory may do to its users, and what that does to the people behind them."""

from collections.abc import Callable

from scim_bridge.domain.people import MemberId, MemberState, ScimUserId
from scim_bridge.domain.provisioning import Document, UserRecord
from scim_bridge.errors import NotFound, NotUnique
from scim_bridge.identity import mapping
from scim_bridge.identity.deactivation import deactivate, reactivate
from scim_bridge.identity.exchanges import Exchange, require_version
from scim_bridge.store import groups, members, memberships, users
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.removals import request_removals
from scim_bridge.store.users import StoredUser, canonical

NOUN = "user"
UserChange = Callable[[StoredUser], UserRecord]


def create_user(database: Database, exchange: Exchange, record: UserRecord) -> StoredUser:
    """
    Add a user, or revive the inactive one that the record names: same id, same memberships and grants.

    The person is new, never one found by e-mail, unless this directory had them before. Raises NotUnique when an
    active user has the userName.
    """
    directory_id = exchange.caller.directory_id
    with database.write() as connection:
        known = users.lock_by_user_name(connection, directory_id, record.user_name_key)
        if known is not None and (known.active or not record.active):
            raise NotUnique(f"A user of this directory has the userName {known.user_name!r} already.")
        if known is None and record.external_id is not None and record.active:
            known = _inactive(users.lock_only_carrier(connection, directory_id, record.external_id))
        if known is not None:
            change = exchange.begin("user.revived")
            return _store(connection, exchange, change, known, record)
        return _insert(connection, exchange, record)


def change_user(
    database: Database, exchange: Exchange, user_id: str, changed: UserChange, expected: frozenset[int] | None = None
) -> StoredUser:
    """
    Store what ``changed`` makes of a user; when that is what is stored already, nothing is written.

    Raises NotFound, PreconditionFailed, and NotUnique for a userName that another user has.
    """
    with database.write() as connection:
        user = _locked(connection, exchange, user_id, expected)
        record = changed(user)
        if canonical(record.document) == user.document:
            return user
        return _store(connection, exchange, exchange.begin("user.changed"), user, record)


def delete_user(database: Database, exchange: Exchange, user_id: str, expected: frozenset[int] | None = None) -> None:
    """Take a user out of the directory, and with them what it gave; the member is deactivated."""
    caller = exchange.caller
    with database.write() as connection:
        # Groups first, in the order in which everybody locks them: a PATCH of a group waits for its users.
        found = users.get_user(connection, caller.directory_id, user_id)
        if found is not None:
            groups.lock_groups(connection, memberships.groups_of_user(connection, found.id))
        user = _locked(connection, exchange, user_id, expected)
        change = exchange.begin("user.deleted")
        add_change(connection, change, about=f"user {user.user_name}")
        users.remove_user(connection, change, user)
        add_audit(connection, change, "user.deleted", NOUN, user.id, {"userName": user.user_name})
        _end_what_it_brought(connection, change, user, cause="deleted")
        mapping.users_changed(connection, change, [user.id])
        exchange.log_success(connection, change, NOUN, user.id)


def _insert(connection: Connection, exchange: Exchange, record: UserRecord) -> StoredUser:
    directory_id = exchange.caller.directory_id
    change = exchange.begin("user.created")
    add_change(connection, change, about=f"user {record.user_name}")
    gone = users.find_gone(connection, directory_id, record)
    member_id = _returning(connection, exchange, gone)
    if member_id is None:
        member_id = members.insert_provisioned(connection, change, directory_id, record)
        came_back = False
    else:
        came_back = True
    user = users.insert_user(connection, change, directory_id, member_id, record)
    add_audit(connection, change, "user.created", NOUN, user.id, {"userName": record.user_name, "member": member_id})
    if came_back:
        _follow(connection, change, user, record, was_active=False)
    mapping.users_changed(connection, change, [user.id])
    exchange.log_success(connection, change, NOUN, user.id)
    return user


def _returning(connection: Connection, exchange: Exchange, gone: StoredUser | None) -> MemberId | None:
    if gone is None or users.has_present_user(connection, exchange.caller.directory_id, gone.member_id):
        return None
    state = members.lock_member(connection, gone.member_id).state
    return None if state is MemberState.REMOVED else gone.member_id


def _store(
    connection: Connection, exchange: Exchange, change: Change, user: StoredUser, record: UserRecord
) -> StoredUser:
    add_change(connection, change, about=f"user {record.user_name}")
    stored = users.update_user(connection, change, user, record)
    differences = _differences(user.read_document(), record.document)
    add_audit(connection, change, change.kind, NOUN, user.id, differences)
    _follow(connection, change, stored, record, was_active=user.active)
    if differences.keys() != {"active"}:
        mapping.users_changed(connection, change, [user.id])
    exchange.log_success(connection, change, NOUN, user.id)
    return stored


def _follow(connection: Connection, change: Change, user: StoredUser, record: UserRecord, *, was_active: bool) -> None:
    """Let the member follow the user, as far as this directory has a say about them."""
    member = members.lock_member(connection, user.member_id)
    is_authoritative = member.directory_id in (None, user.directory_id)
    if is_authoritative and not member.is_called_like(record):
        members.rename_member(connection, member.id, record)
        if not member.is_named_like(record):
            # The subject on the clusters may be rendered from any of these: the old one must go at once.
            request_removals(connection, change, [member.id], "renamed")
    if was_active and not record.active:
        if is_authoritative:
            deactivate(connection, change, member.id)
        else:
            _end_what_it_brought(connection, change, user, cause="deactivated")
    elif record.active and not was_active and is_authoritative:
        reactivate(connection, change, member.id)


def _end_what_it_brought(connection: Connection, change: Change, user: StoredUser, cause: str) -> None:
    member = members.lock_member(connection, user.member_id)
    group_ids = memberships.end_user(connection, change, user.id)
    groups.touch_groups(connection, change, group_ids)
    if member.directory_id == user.directory_id:
        deactivate(connection, change, member.id, cause)
    else:
        request_removals(connection, change, [member.id], "membership", scopes_given(connection, group_ids))


def _locked(connection: Connection, exchange: Exchange, user_id: str, expected: frozenset[int] | None) -> StoredUser:
    user = users.lock_user(connection, exchange.caller.directory_id, user_id)
    if user is None:
        raise NotFound(f"There is no user {ScimUserId(user_id)!r} in this directory.")
    require_version(expected, user.version)
    return user


def _inactive(user: StoredUser | None) -> StoredUser | None:
    return None if user is None or user.active else user


def _differences(old: Document, new: Document) -> dict[str, object]:
    keys = sorted(old.keys() | new.keys())
    return {key: {"from": old.get(key), "to": new.get(key)} for key in keys if old.get(key) != new.get(key)}
