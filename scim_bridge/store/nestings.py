"""Groups in groups, and the member ids that name nobody."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from scim_bridge.domain.people import DirectoryId, GroupId
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import nesting, parked_member, user_group

ORIGIN = "scim"
LONGEST_PARKED = 255

_OF_PARENT = (nesting.c.parent_id == sa.bindparam("group"), nesting.c.origin == ORIGIN, nesting.c.valid_to.is_(None))
_PRESENT = sa.select(nesting.c.id, nesting.c.child_id, nesting.c.held).where(
    *_OF_PARENT, nesting.c.child_id.in_(listed("children"))
)
_RELEASE = sa.update(nesting).where(nesting.c.id.in_(listed("rows"))).values(held=False, held_since=None)
_END = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.child_id.in_(listed("children")))
    .values(valid_to=sa.bindparam("at"), inferred=sa.bindparam("left_out"))
    .returning(nesting.c.child_id)
)
_HOLD = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.child_id.in_(listed("children")))
    .values(held=True, held_since=sa.bindparam("at"))
)
_END_HELD = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.held.is_(True))
    .values(valid_to=sa.bindparam("at"))
    .returning(nesting.c.child_id)
)
_RELEASE_HELD = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.held.is_(True))
    .values(held=False, held_since=None)
    .returning(nesting.c.child_id)
)
_AMONG = nesting.c.child_id.in_(listed("only"))
_END_GROUP = (
    sa.update(nesting)
    .where(
        sa.or_(nesting.c.parent_id == sa.bindparam("group"), nesting.c.child_id == sa.bindparam("group")),
        nesting.c.valid_to.is_(None),
    )
    .values(valid_to=sa.bindparam("at"))
    .returning(nesting.c.parent_id)
)
_PARKED_OF = (parked_member.c.group_id == sa.bindparam("group"), parked_member.c.valid_to.is_(None))
_PARKED = sa.select(parked_member.c.value).where(*_PARKED_OF, parked_member.c.value.in_(listed("values")))
_UNPARK = (
    sa.update(parked_member)
    .where(*_PARKED_OF, parked_member.c.value.in_(listed("values")))
    .values(valid_to=sa.bindparam("at"))
)
_UNPARK_OTHERS = (
    sa.update(parked_member)
    .where(*_PARKED_OF, parked_member.c.value.not_in(listed("values")))
    .values(valid_to=sa.bindparam("at"))
)

_WAITING = (
    sa.select(parked_member.c.group_id)
    .join(user_group, user_group.c.id == parked_member.c.group_id)
    .where(
        user_group.c.directory_id == sa.bindparam("directory"),
        user_group.c.removed_at.is_(None),
        parked_member.c.valid_to.is_(None),
        parked_member.c.value.in_(listed("values")),
        parked_member.c.organization_id == user_group.c.organization_id,
    )
)


def add_children(
    connection: sa.Connection, change: Change, parent_id: GroupId, children: Iterable[GroupId]
) -> list[GroupId]:
    """Nest these groups in another and return those that were not in it."""
    wanted = list(children)
    present = connection.execute(_PRESENT, {"group": parent_id, "children": as_list(wanted)}).all()
    held = [row_id for row_id, _, is_held in present if is_held]
    if held:
        connection.execute(_RELEASE, {"rows": as_list(held)})
    missing = sorted(set(wanted) - {child_id for _, child_id, _ in present})
    rows = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "parent_id": parent_id,
            "child_id": child_id,
            "origin": ORIGIN,
            "valid_from": change.at,
        }
        for child_id in missing
    ]
    if rows:
        connection.execute(sa.insert(nesting), rows)
        note(connection, change, "nestings.began", parent=parent_id, origin=ORIGIN, children=missing)
    return [*missing, *(child_id for _, child_id, is_held in present if is_held)]


def end_children(
    connection: sa.Connection,
    change: Change,
    parent_id: GroupId,
    children: Iterable[GroupId],
    *,
    inferred: bool = False,
) -> list[GroupId]:
    """Take these groups out of another and return those that were in it; ``inferred``: nobody named them."""
    values = {"group": parent_id, "children": as_list(children), "at": change.at, "left_out": inferred}
    return _ended(connection, change, parent_id, connection.execute(_END, values).scalars())


def hold_children(connection: sa.Connection, change: Change, parent_id: GroupId, children: Iterable[GroupId]) -> None:
    """Take these groups out of another for its directory, and keep them in it for access."""
    wanted = list(children)
    if wanted:
        connection.execute(_HOLD, {"group": parent_id, "children": as_list(wanted), "at": change.at})


def end_held(
    connection: sa.Connection, change: Change, parent_id: GroupId, only: Collection[str] | None = None
) -> list[GroupId]:
    """End the held nestings in a group, all or those of some groups, and return which groups they were."""
    found = _of_held(connection, _END_HELD, {"group": parent_id, "at": change.at}, only)
    return _ended(connection, change, parent_id, found)


def release_held(connection: sa.Connection, parent_id: GroupId, only: Collection[str] | None = None) -> list[GroupId]:
    """Let groups that are held in a group be in it like others again, and return which groups they are."""
    return [GroupId(each) for each in _of_held(connection, _RELEASE_HELD, {"group": parent_id}, only)]


def _of_held(
    connection: sa.Connection,
    statement: ReturningUpdate[Any],
    values: Mapping[str, object],
    only: Collection[str] | None,
) -> list[str]:
    if only is not None:
        statement, values = statement.where(_AMONG), {**values, "only": as_list(only)}
    return list(connection.execute(statement, values).scalars())


def groups_around(connection: sa.Connection, group_ids: Iterable[GroupId]) -> list[GroupId]:
    """Return these groups and all that they are in, however deep."""
    above = sa.select(user_group.c.id).where(user_group.c.id.in_(listed("ids"))).cte("above", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    in_force = nesting.c.valid_to.is_(None)
    above = above.union(sa.select(nesting.c.parent_id).where(nesting.c.child_id == above.c.id, in_force))
    found = connection.execute(sa.select(above.c.id), {"ids": as_list(group_ids)}).scalars()
    return sorted(GroupId(each) for each in found)


def end_nestings(connection: sa.Connection, change: Change, group_id: GroupId) -> list[GroupId]:
    """End every nesting of a group, up and down, and return the groups that it was in."""
    parents = list(connection.execute(_END_GROUP, {"group": group_id, "at": change.at}).scalars())
    if parents:
        note(connection, change, "nestings.ended", group=group_id)
    return sorted({parent for parent in parents if parent != group_id})


def _ended(connection: sa.Connection, change: Change, parent_id: GroupId, found: Iterable[str]) -> list[GroupId]:
    children = [GroupId(child_id) for child_id in found]
    if children:
        note(connection, change, "nestings.ended", parent=parent_id, origin=ORIGIN, children=children)
    return children


def park(connection: sa.Connection, change: Change, group_id: GroupId, values: Iterable[str]) -> list[str]:
    """Keep member ids that name nobody, and return those that were not kept yet."""
    wanted = [value for value in values if len(value) <= LONGEST_PARKED]
    present = set(connection.execute(_PARKED, {"group": group_id, "values": as_list(wanted)}).scalars())
    missing = [value for value in wanted if value not in present]
    rows = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "group_id": group_id,
            "value": value,
            "valid_from": change.at,
        }
        for value in missing
    ]
    if rows:
        connection.execute(sa.insert(parked_member), rows)
    return missing


def groups_waiting_for(connection: sa.Connection, directory_id: DirectoryId, values: Iterable[str]) -> list[GroupId]:
    """Return the directory's present groups in which one of these member ids is parked, in the order of locking."""
    found = connection.execute(_WAITING, {"directory": directory_id, "values": as_list(values)}).scalars()
    return sorted({GroupId(group_id) for group_id in found})


def unpark(connection: sa.Connection, change: Change, group_id: GroupId, values: Iterable[str]) -> int:
    """Drop member ids that name nobody; return how many."""
    named = {"group": group_id, "values": as_list(values), "at": change.at}
    return connection.execute(_UNPARK, named).rowcount


def unpark_others(connection: sa.Connection, change: Change, group_id: GroupId, kept: Iterable[str]) -> int:
    """Drop every parked member id but these; return how many."""
    named = {"group": group_id, "values": as_list(kept), "at": change.at}
    return connection.execute(_UNPARK_OTHERS, named).rowcount
