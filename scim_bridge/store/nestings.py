"""Groups in groups, and the member ids that name nobody."""

from collections.abc import Iterable

import sqlalchemy as sa

from scim_bridge.domain.people import GroupId
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import nesting, parked_member

ORIGIN = "scim"
LONGEST_PARKED = 255

_OF_PARENT = (nesting.c.parent_id == sa.bindparam("group"), nesting.c.origin == ORIGIN, nesting.c.valid_to.is_(None))
_PRESENT = sa.select(nesting.c.id, nesting.c.child_id, nesting.c.held).where(
    *_OF_PARENT, nesting.c.child_id.in_(listed("children"))
)
_RELEASE = sa.update(nesting).where(nesting.c.id.in_(listed("rows"))).values(held=False)
_END = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.child_id.in_(listed("children")))
    .values(valid_to=sa.bindparam("at"))
    .returning(nesting.c.child_id)
)
_END_OTHERS = (
    sa.update(nesting)
    .where(*_OF_PARENT, nesting.c.held.is_(False), nesting.c.child_id.not_in(listed("children")))
    .values(valid_to=sa.bindparam("at"))
    .returning(nesting.c.child_id)
)
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
    return [*missing, *(child_id for _, child_id, is_held in present if is_held)]


def end_children(
    connection: sa.Connection, change: Change, parent_id: GroupId, children: Iterable[GroupId]
) -> list[GroupId]:
    """Take these groups out of another and return those that were in it."""
    values = {"group": parent_id, "children": as_list(children), "at": change.at}
    return list(connection.execute(_END, values).scalars())


def end_other_children(
    connection: sa.Connection, change: Change, parent_id: GroupId, kept: Iterable[GroupId]
) -> list[GroupId]:
    """Take every group out of another but these, and return which that was."""
    values = {"group": parent_id, "children": as_list(kept), "at": change.at}
    return list(connection.execute(_END_OTHERS, values).scalars())


def end_nestings(connection: sa.Connection, change: Change, group_id: GroupId) -> list[GroupId]:
    """End every nesting of a group, up and down, and return the groups that it was in."""
    parents = connection.execute(_END_GROUP, {"group": group_id, "at": change.at}).scalars()
    return sorted({parent for parent in parents if parent != group_id})


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


def unpark(connection: sa.Connection, change: Change, group_id: GroupId, values: Iterable[str]) -> int:
    """Drop member ids that name nobody; return how many."""
    named = {"group": group_id, "values": as_list(values), "at": change.at}
    return connection.execute(_UNPARK, named).rowcount


def unpark_others(connection: sa.Connection, change: Change, group_id: GroupId, kept: Iterable[str]) -> int:
    """Drop every parked member id but these; return how many."""
    named = {"group": group_id, "values": as_list(kept), "at": change.at}
    return connection.execute(_UNPARK_OTHERS, named).rowcount
