"""Groups that no directory owns, or that one has left behind: their names, and who is put in and taken out by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryState, GroupId, MemberId, MemberState
from scim_bridge.errors import NotUnique
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import directory, member, membership, nesting, user_group

MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class HandGroup:
    """A group, and the directory that it belongs to, if any."""

    id: GroupId
    name: str
    description: str | None
    directory: str | None
    directory_state: DirectoryState | None

    @property
    def is_read_only(self) -> bool:
        """Say whether a directory owns it: one that is detached has let go of it."""
        return self.directory_state not in (None, DirectoryState.DETACHED)


@dataclass(frozen=True, slots=True)
class Expired:
    """A membership whose time is over."""

    organization_id: OrganizationId
    group_id: GroupId
    member_id: MemberId


_IN_FORCE = membership.c.valid_to.is_(None)


def insert_hand_group(connection: sa.Connection, change: Change, name: str, description: str | None) -> GroupId:
    """Add a group by hand; raises NotUnique if there is one of that name."""
    made = GroupId(new_id())
    values: dict[str, object] = {
        "id": made,
        "organization_id": change.organization_id,
        "description": description,
        "version": 1,
    }
    values |= {"display_name": name, "display_name_key": fold(name), "description": description}
    values |= {"created_at": change.at, "updated_at": change.at}
    _write(connection, sa.insert(user_group).values(values), name)
    note(connection, change, "group.began", group=made)
    return made


def update_hand_group(
    connection: sa.Connection, change: Change, group_id: GroupId, name: str, description: str | None
) -> None:
    """Give a group another name or description; raises NotUnique if there is one of that name."""
    values: dict[str, object] = {"display_name": name, "display_name_key": fold(name), "description": description}
    values |= {"updated_at": change.at}
    counted = sa.update(user_group).where(user_group.c.id == group_id).values(version=user_group.c.version + 1)
    _write(connection, counted.values(values), name)


def remove_hand_group(connection: sa.Connection, change: Change, group_id: GroupId) -> None:
    """Take a group away; the row stays for history."""
    values = {"removed_at": change.at, "updated_at": change.at, "version": user_group.c.version + 1}
    connection.execute(sa.update(user_group).where(user_group.c.id == group_id).values(values))
    note(connection, change, "group.ended", group=group_id)


def get_hand_group(connection: sa.Connection, group_id: GroupId) -> HandGroup | None:
    """Return a group that is present."""
    query = (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            user_group.c.description,
            directory.c.name,
            directory.c.state,
        )
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(user_group.c.id == group_id, user_group.c.removed_at.is_(None))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return HandGroup(row[0], row[1], row[2], row[3], None if row[4] is None else DirectoryState(row[4]))


def present_members(connection: sa.Connection, ids: Iterable[MemberId]) -> list[MemberId]:
    """Return those of these people who are not removed, and keep them from being removed now."""
    query = (
        sa.select(member.c.id)
        .where(member.c.id.in_(listed("ids")), member.c.state != MemberState.REMOVED.value)
        .order_by(member.c.id)
        .with_for_update(read=True)
    )
    return [MemberId(each) for each in connection.execute(query, {"ids": as_list(ids)}).scalars()]


def put_in(
    connection: sa.Connection,
    change: Change,
    group_id: GroupId,
    members: Iterable[MemberId],
    origin: str = MANUAL,
    expires_at: datetime | None = None,
) -> list[MemberId]:
    """
    Put people into a group and return those for whom that changes something.

    Whoever is in it by the same origin until another time is in it until this one from now on.
    """
    wanted = list(dict.fromkeys(members))
    of_group = (membership.c.group_id == group_id, membership.c.origin == origin, _IN_FORCE)
    query = sa.select(membership.c.id, membership.c.member_id, membership.c.expires_at)
    query = query.where(*of_group, membership.c.member_id.in_(listed("ids")))
    present = connection.execute(query, {"ids": as_list(wanted)}).all()
    _end_rows(connection, change, group_id, origin, [row for row in present if row.expires_at != expires_at])
    same = {row.member_id for row in present if row.expires_at == expires_at}
    rows = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "group_id": group_id,
            "member_id": member_id,
            "origin": origin,
            "expires_at": expires_at,
            "valid_from": change.at,
        }
        for member_id in wanted
        if member_id not in same
    ]
    if rows:
        connection.execute(sa.insert(membership), rows)
        began = {str(row["member_id"]): None for row in rows}
        told = {"group": group_id, "origin": origin, "members": began, "expires_at": expires_at}
        note(connection, change, "memberships.began", **told)
    return [MemberId(str(row["member_id"])) for row in rows]


def take_out(
    connection: sa.Connection, change: Change, group_id: GroupId, members: Iterable[MemberId]
) -> list[MemberId]:
    """Take people out of a group, whoever put them in, and return those who were in it."""
    query = (
        sa.update(membership)
        .where(membership.c.group_id == group_id, _IN_FORCE, membership.c.member_id.in_(listed("ids")))
        .values(valid_to=change.at, held=False)
        .returning(membership.c.member_id)
    )
    found = sorted({MemberId(each) for each in connection.execute(query, {"ids": as_list(members)}).scalars()})
    if found:
        note(connection, change, "memberships.ended", group=group_id, members=found)
    return found


def expired_memberships(connection: sa.Connection, at: datetime, most: int) -> list[Expired]:
    """Return memberships whose time is over and that nobody has ended yet, in every organization."""
    query = (
        sa.select(membership.c.organization_id, membership.c.group_id, membership.c.member_id)
        .where(_IN_FORCE, membership.c.expires_at.is_not(None), membership.c.expires_at <= at)
        .order_by(membership.c.organization_id, membership.c.group_id)
        .limit(most)
    )
    return [Expired(*row) for row in connection.execute(query)]


def end_expired(
    connection: sa.Connection, change: Change, group_id: GroupId, members: Iterable[MemberId]
) -> list[MemberId]:
    """End these people's memberships in a group whose time is over; one without an end, or a later one, stays."""
    query = (
        sa.update(membership)
        .where(
            membership.c.group_id == group_id,
            _IN_FORCE,
            membership.c.expires_at <= change.at,
            membership.c.member_id.in_(listed("ids")),
        )
        .values(valid_to=change.at)
        .returning(membership.c.member_id, membership.c.origin)
    )
    ended = connection.execute(query, {"ids": as_list(members)}).all()
    for member_id, origin in ended:
        note(connection, change, "memberships.ended", group=group_id, origin=origin, members=[member_id])
    return sorted({MemberId(member_id) for member_id, _ in ended})


def nest_by_hand(connection: sa.Connection, change: Change, parent_id: GroupId, child_id: GroupId) -> bool:
    """Put a group into another and tell whether it was not in it by hand yet."""
    link = (nesting.c.parent_id == parent_id, nesting.c.child_id == child_id, nesting.c.valid_to.is_(None))
    if connection.execute(sa.select(nesting.c.id).where(*link, nesting.c.origin == MANUAL)).first() is not None:
        return False
    values = {"id": new_id(), "organization_id": change.organization_id, "origin": MANUAL, "valid_from": change.at}
    connection.execute(sa.insert(nesting).values(parent_id=parent_id, child_id=child_id, **values))
    note(connection, change, "nestings.began", parent=parent_id, origin=MANUAL, children=[child_id])
    return True


def unnest(connection: sa.Connection, change: Change, parent_id: GroupId, child_id: GroupId) -> bool:
    """Take a group out of another, whoever put it in, and tell whether it was in it."""
    link = (nesting.c.parent_id == parent_id, nesting.c.child_id == child_id, nesting.c.valid_to.is_(None))
    ended = connection.execute(sa.update(nesting).where(*link).values(valid_to=change.at, held=False))
    if ended.rowcount:
        note(connection, change, "nestings.ended", parent=parent_id, children=[child_id])
    return ended.rowcount > 0


def _end_rows(connection: sa.Connection, change: Change, group_id: GroupId, origin: str, rows: Sequence[Any]) -> None:
    if rows:
        query = sa.update(membership).where(membership.c.id.in_(listed("ids"))).values(valid_to=change.at)
        connection.execute(query, {"ids": as_list(row.id for row in rows)})
        members = sorted(row.member_id for row in rows)
        note(connection, change, "memberships.ended", group=group_id, origin=origin, members=members)


def _write(connection: sa.Connection, statement: Any, name: str) -> None:
    try:
        connection.execute(statement)
    except IntegrityError as error:
        text = str(error.orig)
        if "display_name_key" in text or "uq_user_group" in text:
            raise NotUnique(f"There is a group {name!r} already.") from None
        raise
