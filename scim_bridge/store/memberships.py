"""Who is in which group, as rows with from/to; every statement costs what changes, never what the group holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import membership, nesting, scim_user, user_group
from scim_bridge.store.statements import write_rows

ORIGIN = "scim"


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group that a user is in; not ``is_direct``: by a group that is in it."""

    id: GroupId
    name: str
    is_direct: bool = True


class HeldRow(NamedTuple):
    """A membership that its directory no longer shows."""

    id: str
    group_id: GroupId
    member_id: MemberId


IN_FORCE = (membership.c.valid_to.is_(None), membership.c.origin == ORIGIN)
_OF_GROUP = (membership.c.group_id == sa.bindparam("group"), *IN_FORCE)
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
# A person who was deleted and came back has a new id; the old one still names them.
_former = scim_user.alias()
_FORMER_USERS = (
    sa.select(_former.c.id, scim_user.c.id, scim_user.c.member_id)
    .join(
        scim_user,
        sa.and_(scim_user.c.member_id == _former.c.member_id, scim_user.c.directory_id == _former.c.directory_id),
    )
    .where(
        _former.c.directory_id == sa.bindparam("directory"),
        _former.c.removed_at.is_not(None),
        _former.c.id.in_(listed("ids")),
        scim_user.c.removed_at.is_(None),
    )
    .with_for_update(read=True, of=scim_user)
)
_PRESENT = sa.select(membership.c.id, membership.c.member_id, membership.c.held).where(
    *_OF_GROUP, membership.c.member_id.in_(listed("members"))
)
_INSERT = sa.insert(membership)
_RELEASE = sa.update(membership).where(membership.c.id.in_(listed("rows"))).values(held=False, held_since=None)
_END = (
    sa.update(membership)
    .where(*_OF_GROUP, membership.c.member_id.in_(listed("members")))
    .values(valid_to=sa.bindparam("at"), inferred=sa.bindparam("left_out"))
    .returning(membership.c.member_id)
)
_HOLD = (
    sa.update(membership)
    .where(*_OF_GROUP, membership.c.member_id.in_(listed("members")))
    .values(held=True, held_since=sa.bindparam("at"))
)
_HELD_IN_GROUP = (membership.c.group_id == sa.bindparam("group"), *IN_FORCE, membership.c.held.is_(True))
_END_HELD = (
    sa.update(membership).where(*_HELD_IN_GROUP).values(valid_to=sa.bindparam("at")).returning(membership.c.member_id)
)
_RELEASE_HELD = (
    sa.update(membership).where(*_HELD_IN_GROUP).values(held=False, held_since=None).returning(membership.c.member_id)
)
_AMONG = membership.c.member_id.in_(listed("only"))
# In the order of groups, as everybody ends held rows.
_HELD_OF_USER = (
    sa.select(membership.c.id, membership.c.group_id, membership.c.member_id)
    .where(membership.c.scim_user_id == sa.bindparam("user"), *IN_FORCE, membership.c.held.is_(True))
    .order_by(membership.c.group_id)
    .with_for_update()
)
_END_ROWS = sa.update(membership).where(membership.c.id.in_(listed("rows"))).values(valid_to=sa.bindparam("at"))
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
# Neither the directory nor an order is asked for: SQLite would go through every group of the directory for it.
ABOVE = (nesting.c.valid_to.is_(None), nesting.c.origin == ORIGIN, nesting.c.held.is_(False))
# Whether a group is in another one is asked along the way: most are in none, and then nothing more is read.
_NAMED_GROUPS_OF_USERS = (
    sa.select(
        user_group.c.id,
        user_group.c.display_name,
        user_group.c.directory_id,
        membership.c.scim_user_id,
        sa.exists().where(nesting.c.child_id == user_group.c.id, *ABOVE).label("is_nested"),
    )
    .join(user_group, membership.c.group_id == user_group.c.id)
    .where(membership.c.scim_user_id.in_(listed("users")), *IN_FORCE, membership.c.held.is_(False))
)


def _groups_above() -> sa.Select[Any]:
    start = sa.select(user_group.c.id).where(user_group.c.id.in_(listed("groups")))
    above = start.cte("above", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    above = above.union(sa.select(nesting.c.parent_id).where(nesting.c.child_id == above.c.id, *ABOVE))
    return (
        sa.select(nesting.c.child_id, user_group.c.id, user_group.c.display_name, user_group.c.directory_id)
        .select_from(nesting)
        .join(above, nesting.c.child_id == above.c.id)
        .join(user_group, nesting.c.parent_id == user_group.c.id)
        .where(*ABOVE, user_group.c.removed_at.is_(None))
    )


_GROUPS_ABOVE = _groups_above()


def users_among(
    connection: sa.Connection, directory_id: DirectoryId, ids: Iterable[str]
) -> dict[str, tuple[ScimUserId, MemberId]]:
    """Return whom of the directory's present users these ids name; an id from before a deletion names its person."""
    wanted = list(ids)
    rows = connection.execute(_USERS, {"directory": directory_id, "ids": as_list(wanted)})
    found = {user_id: (ScimUserId(user_id), MemberId(member_id)) for user_id, member_id in rows}
    rest = [value for value in wanted if value not in found]
    if rest:
        for value, user_id, member_id in connection.execute(
            _FORMER_USERS, {"directory": directory_id, "ids": as_list(rest)}
        ):
            found[value] = (ScimUserId(user_id), MemberId(member_id))
    return found


def groups_among(connection: sa.Connection, directory_id: DirectoryId, ids: Iterable[str]) -> set[GroupId]:
    """Return which of these ids are present groups of the directory."""
    rows = connection.execute(_GROUPS, {"directory": directory_id, "ids": as_list(ids)})
    return {GroupId(group_id) for group_id in rows.scalars()}


def add_members(
    connection: sa.Connection, change: Change, group_id: GroupId, users: Mapping[ScimUserId, MemberId]
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
        write_rows(connection, _INSERT, rows)
        began = {member_id: user_id for user_id, member_id in missing.items()}
        note(connection, change, "memberships.began", group=group_id, origin=ORIGIN, members=began)
    return [*missing.values(), *(member_id for _, member_id, is_held in present if is_held)]


def end_members(
    connection: sa.Connection,
    change: Change,
    group_id: GroupId,
    members: Iterable[MemberId],
    *,
    inferred: bool = False,
) -> list[MemberId]:
    """Take these people out of a group and return those who were in it; ``inferred``: nobody named them."""
    values = {"group": group_id, "members": as_list(members), "at": change.at, "left_out": inferred}
    return _ended(connection, change, group_id, connection.execute(_END, values).scalars().all())


def hold_members(connection: sa.Connection, change: Change, group_id: GroupId, members: Iterable[MemberId]) -> None:
    """Take these people out of a group for its directory, and keep them in it for access."""
    wanted = list(members)
    if wanted:
        connection.execute(_HOLD, {"group": group_id, "members": as_list(wanted), "at": change.at})


def end_held(
    connection: sa.Connection, change: Change, group_id: GroupId, only: Collection[str] | None = None
) -> list[MemberId]:
    """End the held memberships of a group, all or those of some people, and return whose they were."""
    found = _of_held(connection, _END_HELD, {"group": group_id, "at": change.at}, only)
    return _ended(connection, change, group_id, found)


def release_held(connection: sa.Connection, group_id: GroupId, only: Collection[str] | None = None) -> list[MemberId]:
    """Let held members of a group be in it like others again, for its directory too; return who they are."""
    return _members(_of_held(connection, _RELEASE_HELD, {"group": group_id}, only))


def _of_held(
    connection: sa.Connection,
    statement: ReturningUpdate[Any],
    values: Mapping[str, object],
    only: Collection[str] | None,
) -> Sequence[Any]:
    if only is not None:
        statement, values = statement.where(_AMONG), {**values, "only": as_list(only)}
    return connection.execute(statement, values).scalars().all()


def lock_held_of_user(connection: sa.Connection, user_id: ScimUserId) -> list[HeldRow]:
    """Return a SCIM user's held memberships, kept from other writers until the transaction ends."""
    return [HeldRow(*row) for row in connection.execute(_HELD_OF_USER, {"user": user_id})]


def end_held_rows(connection: sa.Connection, change: Change, rows: Sequence[HeldRow]) -> None:
    """End held memberships that are locked already."""
    if rows:
        connection.execute(_END_ROWS, {"rows": as_list(row.id for row in rows), "at": change.at})
    for row in rows:
        _ended(connection, change, row.group_id, [row.member_id])


def end_group(connection: sa.Connection, change: Change, group_id: GroupId) -> list[MemberId]:
    """End every membership of a group, whoever made it, and return who was in it."""
    values = {"group": group_id, "at": change.at}
    found = _members(connection.execute(_END_ALL, values).scalars().all())
    if found:
        note(connection, change, "memberships.ended", group=group_id, members=sorted(set(found)))
    return found


def groups_of_user(connection: sa.Connection, user_id: ScimUserId) -> list[GroupId]:
    """Return the groups that a SCIM user is in, held ones too, in the order in which they are to be locked."""
    rows = connection.execute(_GROUPS_OF_USER, {"user": user_id}).scalars()
    return sorted({GroupId(group_id) for group_id in rows})


def end_user(connection: sa.Connection, change: Change, user_id: ScimUserId) -> list[GroupId]:
    """End every membership that a SCIM user brought, and return the groups."""
    rows = connection.execute(_END_OF_USER, {"user": user_id, "at": change.at}).scalars()
    found = sorted({GroupId(group_id) for group_id in rows})
    if found:
        note(connection, change, "memberships.ended", user=user_id, groups=found)
    return found


def named_groups_of(
    connection: sa.Connection, directory_id: DirectoryId, user_ids: Sequence[ScimUserId]
) -> dict[ScimUserId, list[NamedGroup]]:
    """Return a directory's groups that each of these users is in, as the directory sees it, direct ones first."""
    found: dict[ScimUserId, list[NamedGroup]] = {user_id: [] for user_id in user_ids}
    nested: set[GroupId] = set()
    rows = connection.execute(_NAMED_GROUPS_OF_USERS, {"users": as_list(user_ids)}).all()
    for group_id, name, owner, user_id, is_nested in sorted(rows, key=itemgetter(0)):
        if owner == directory_id:
            found[user_id].append(NamedGroup(group_id, name))
            if is_nested:
                nested.add(group_id)
    if nested:
        parents = _parents(connection, directory_id, nested)
        for groups in found.values():
            groups.extend(_indirect(groups, parents))
    return found


def _parents(
    connection: sa.Connection, directory_id: DirectoryId, group_ids: Iterable[GroupId]
) -> dict[GroupId, list[NamedGroup]]:
    """Return which groups these ones, and those above them, are in; each link is read once, whoever is below it."""
    parents: dict[GroupId, list[NamedGroup]] = {}
    for child_id, group_id, name, owner in connection.execute(_GROUPS_ABOVE, {"groups": as_list(group_ids)}):
        if owner == directory_id:
            parents.setdefault(child_id, []).append(NamedGroup(group_id, name, is_direct=False))
    return parents


def _indirect(direct: Sequence[NamedGroup], parents: Mapping[GroupId, Sequence[NamedGroup]]) -> list[NamedGroup]:
    known = {group.id for group in direct}
    found: list[NamedGroup] = []
    waiting = list(direct)
    while waiting:
        for group in parents.get(waiting.pop().id, ()):
            if group.id not in known:
                known.add(group.id)
                found.append(group)
                waiting.append(group)
    return sorted(found, key=attrgetter("id"))


def groups_below() -> sa.CTE:
    """Return the ids of the groups of the parameter ``groups`` and of all that are nested in them."""
    start = sa.select(user_group.c.id).where(user_group.c.id.in_(listed("groups")))
    below = start.cte("below", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    return below.union(
        sa.select(nesting.c.child_id).where(nesting.c.parent_id == below.c.id, nesting.c.valid_to.is_(None))
    )


def people_below(connection: sa.Connection, group_ids: Iterable[GroupId]) -> set[MemberId]:
    """Return everybody who is in one of these groups or in a group nested in them."""
    below = groups_below()
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


def _ended(connection: sa.Connection, change: Change, group_id: GroupId, found: Sequence[Any]) -> list[MemberId]:
    if found:
        note(connection, change, "memberships.ended", group=group_id, origin=ORIGIN, members=sorted(found))
    return _members(found)


def _members(found: Sequence[Any]) -> list[MemberId]:
    return [MemberId(member_id) for member_id in found]
