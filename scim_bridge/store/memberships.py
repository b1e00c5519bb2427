"""Who is in which group, as rows with from/to; every statement costs what changes, never what the group holds."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import membership, nesting, scim_user, user_group

ORIGIN = "scim"

_IN_FORCE = (membership.c.valid_to.is_(None), membership.c.origin == ORIGIN)
_OF_GROUP = (membership.c.group_id == sa.bindparam("group"), *_IN_FORCE)
# SHARE against the NO KEY UPDATE of a removal: nobody is added who is being removed at this moment.
_USERS = (
    sa.select(scim_user.c.id, scim_user.c.member_id)
    .where(
        scim_user.c.directory_id == sa.bindparam("directory"),
        scim_user.c.removed_at.is_(None),
        scim_user.c.id.in_(listed("ids")),
    )
    .with_for_update(read=True)
)
_GROUPS = sa.select(user_group.c.id).where(
    user_group.c.directory_id == sa.bindparam("directory"),
    user_group.c.removed_at.is_(None),
    user_group.c.id.in_(listed("ids")),
)
_PRESENT = sa.select(membership.c.id, membership.c.member_id, membership.c.held).where(
    *_OF_GROUP, membership.c.member_id.in_(listed("members"))
)
_INSERT = sa.insert(membership)
_RELEASE = sa.update(membership).where(membership.c.id.in_(listed("rows"))).values(held=False)
_END = (
    sa.update(membership)
    .where(*_OF_GROUP, membership.c.member_id.in_(listed("members")))
    .values(valid_to=sa.bindparam("at"))
    .returning(membership.c.member_id)
)
_END_OTHERS = (
    sa.update(membership)
    .where(*_OF_GROUP, membership.c.held.is_(False), membership.c.member_id.not_in(listed("members")))
    .values(valid_to=sa.bindparam("at"))
    .returning(membership.c.member_id)
)
_END_ALL = (
    sa.update(membership)
    .where(membership.c.group_id == sa.bindparam("group"), membership.c.valid_to.is_(None))
    .values(valid_to=sa.bindparam("at"))
    .returning(membership.c.member_id)
)
_END_OF_USER = (
    sa.update(membership)
    .where(membership.c.scim_user_id == sa.bindparam("user"), membership.c.valid_to.is_(None))
    .values(valid_to=sa.bindparam("at"))
    .returning(membership.c.group_id)
)
_GROUPS_OF_USER = sa.select(membership.c.group_id).where(
    membership.c.scim_user_id == sa.bindparam("user"), membership.c.valid_to.is_(None)
)
_NAMED_GROUPS_OF_USERS = (
    sa.select(membership.c.scim_user_id, user_group.c.id, user_group.c.display_name)
    .join(user_group, membership.c.group_id == user_group.c.id)
    .where(membership.c.scim_user_id.in_(listed("users")), *_IN_FORCE, membership.c.held.is_(False))
    .order_by(user_group.c.id)
)


def users_among(connection: sa.Connection, directory_id: DirectoryId, ids: Iterable[str]) -> dict[str, MemberId]:
    """Return which of these ids are present users of the directory, with their members."""
    rows = connection.execute(_USERS, {"directory": directory_id, "ids": as_list(ids)})
    return {user_id: MemberId(member_id) for user_id, member_id in rows}


def groups_among(connection: sa.Connection, directory_id: DirectoryId, ids: Iterable[str]) -> set[GroupId]:
    """Return which of these ids are present groups of the directory."""
    rows = connection.execute(_GROUPS, {"directory": directory_id, "ids": as_list(ids)})
    return {GroupId(group_id) for group_id in rows.scalars()}


def add_members(
    connection: sa.Connection, change: Change, group_id: GroupId, users: dict[str, MemberId]
) -> list[MemberId]:
    """Put these users into a group and return those who were not in it; a held one is simply in again."""
    present = connection.execute(_PRESENT, {"group": group_id, "members": as_list(users.values())}).all()
    held = [row_id for row_id, _, is_held in present if is_held]
    if held:
        connection.execute(_RELEASE, {"rows": as_list(held)})
    known = {member_id for _, member_id, _ in present}
    missing = {user_id: member_id for user_id, member_id in users.items() if member_id not in known}
    rows = [_row(change, group_id, user_id, member_id) for user_id, member_id in missing.items()]
    if rows:
        connection.execute(_INSERT, rows)
    return [*missing.values(), *(member_id for _, member_id, is_held in present if is_held)]


def end_members(
    connection: sa.Connection, change: Change, group_id: GroupId, members: Iterable[MemberId]
) -> list[MemberId]:
    """Take these people out of a group and return those who were in it."""
    values = {"group": group_id, "members": as_list(members), "at": change.at}
    return _members(connection.execute(_END, values).scalars().all())


def end_other_members(
    connection: sa.Connection, change: Change, group_id: GroupId, kept: Iterable[MemberId]
) -> list[MemberId]:
    """Take everybody out of a group but these, and return who that was."""
    values = {"group": group_id, "members": as_list(kept), "at": change.at}
    return _members(connection.execute(_END_OTHERS, values).scalars().all())


def end_group(connection: sa.Connection, change: Change, group_id: GroupId) -> list[MemberId]:
    """End every membership of a group, whoever made it, and return who was in it."""
    values = {"group": group_id, "at": change.at}
    return _members(connection.execute(_END_ALL, values).scalars().all())


def groups_of_user(connection: sa.Connection, user_id: ScimUserId) -> list[GroupId]:
    """Return the groups that a SCIM user is in, held ones too, in the order in which they are to be locked."""
    rows = connection.execute(_GROUPS_OF_USER, {"user": user_id}).scalars()
    return sorted({GroupId(group_id) for group_id in rows})


def end_user(connection: sa.Connection, change: Change, user_id: ScimUserId) -> list[GroupId]:
    """End every membership that a SCIM user brought, and return the groups."""
    rows = connection.execute(_END_OF_USER, {"user": user_id, "at": change.at}).scalars()
    return sorted({GroupId(group_id) for group_id in rows})


def named_groups_of(
    connection: sa.Connection, user_ids: Sequence[ScimUserId]
) -> dict[ScimUserId, list[tuple[GroupId, str]]]:
    """Return the groups that each of these users is in directly, as its directory sees it."""
    found: dict[ScimUserId, list[tuple[GroupId, str]]] = {user_id: [] for user_id in user_ids}
    for user_id, group_id, name in connection.execute(_NAMED_GROUPS_OF_USERS, {"users": as_list(user_ids)}):
        found[user_id].append((group_id, name))
    return found


def people_below(connection: sa.Connection, group_ids: Iterable[GroupId]) -> set[MemberId]:
    """Return everybody who is in one of these groups or in a group nested in them."""
    start = sa.select(user_group.c.id).where(user_group.c.id.in_(listed("groups")))
    below = start.cte("below", recursive=True)
    step = sa.select(nesting.c.child_id).where(nesting.c.parent_id == below.c.id, nesting.c.valid_to.is_(None))
    below = below.union(step)
    query = (
        sa.select(membership.c.member_id)
        .distinct()
        .join(below, membership.c.group_id == below.c.id)
        .where(membership.c.valid_to.is_(None))
    )
    return set(_members(connection.execute(query, {"groups": as_list(group_ids)}).scalars().all()))


def _row(change: Change, group_id: GroupId, user_id: str, member_id: MemberId) -> dict[str, object]:
    return {
        "id": new_id(),
        "organization_id": change.organization_id,
        "group_id": group_id,
        "member_id": member_id,
        "scim_user_id": user_id,
        "origin": ORIGIN,
        "valid_from": change.at,
    }


def _members(found: Sequence[Any]) -> list[MemberId]:
    return [MemberId(member_id) for member_id in found]
