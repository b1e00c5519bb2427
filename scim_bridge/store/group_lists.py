"""Groups and who is in them, as lists show them; a page costs what it shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, MemberState
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import directory, member, membership, nesting, user_group

GroupPlace = tuple[str, str]
"""Where a page of groups ended: the last one's folded name and id."""


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group in a list; ``directory`` is the one that owns it, None for one made by hand."""

    id: GroupId
    name: str
    description: str | None
    directory: str | None
    directory_state: str | None
    members: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MembershipOrigin:
    """Because of what somebody is in a group, since when and until when; ``held``: gone for the directory only."""

    origin: str
    since: datetime
    expires_at: datetime | None
    held: bool


@dataclass(frozen=True, slots=True)
class GroupMember:
    """Somebody in a group, as one sees them at a glance."""

    id: MemberId
    user_name: str
    display_name: str | None
    state: MemberState
    last_active_at: datetime | None
    origins: tuple[MembershipOrigin, ...]


@dataclass(frozen=True, slots=True)
class NestedGroup:
    """A group in, or around, another one."""

    id: GroupId
    name: str
    directory: str | None
    origin: str
    since: datetime


def list_groups(
    connection: sa.Connection,
    organization_id: OrganizationId,
    search: str | None,
    directory_id: DirectoryId | None,
    by_hand: bool,
    count: int,
    after: GroupPlace | None,
) -> tuple[list[ListedGroup], GroupPlace | None]:
    """Return up to ``count`` groups by name whose name contains a text, and where the next page begins."""
    query = _groups().where(user_group.c.organization_id == organization_id)
    if search:
        query = query.where(user_group.c.display_name_key.contains(fold(search.replace("\x00", "")), autoescape=True))
    if directory_id is not None:
        query = query.where(user_group.c.directory_id == directory_id)
    if by_hand:
        query = query.where(user_group.c.directory_id.is_(None))
    order = (user_group.c.display_name_key, user_group.c.id)
    if after is not None:
        query = query.where(sa.tuple_(*order) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    rows = connection.execute(query.order_by(*order).limit(count + 1)).all()
    page = [ListedGroup(*row[:-1]) for row in rows[:count]]
    return page, (rows[count - 1][-1], page[-1].id) if len(rows) > count else None


def one_group(connection: sa.Connection, group_id: GroupId) -> ListedGroup:
    """Return one group that is known to be there."""
    return ListedGroup(*connection.execute(_groups().where(user_group.c.id == group_id)).one()[:-1])


def members_page(
    connection: sa.Connection, group_id: GroupId, count: int, after: MemberId | None
) -> tuple[list[GroupMember], MemberId | None]:
    """Return up to ``count`` people who are in a group themselves, by id, and where the next page begins."""
    ids = (
        sa.select(membership.c.member_id).where(
            membership.c.group_id == group_id, membership.c.valid_to.is_(None), membership.c.member_id > after
        )
        if after is not None
        else sa.select(membership.c.member_id).where(membership.c.group_id == group_id, membership.c.valid_to.is_(None))
    )
    query = ids.distinct().order_by(membership.c.member_id).limit(count + 1)
    found = [MemberId(each) for each in connection.execute(query).scalars()]
    return _at_a_glance(connection, group_id, found[:count]), found[count - 1] if len(found) > count else None


def member_ids(connection: sa.Connection, group_id: GroupId) -> set[MemberId]:
    """Return everybody who is in a group by hand, for ever."""
    query = sa.select(membership.c.member_id).where(
        membership.c.group_id == group_id,
        membership.c.valid_to.is_(None),
        membership.c.origin == "manual",
        membership.c.expires_at.is_(None),
    )
    return {MemberId(each) for each in connection.execute(query).scalars()}


def nested_in(connection: sa.Connection, group_id: GroupId) -> list[NestedGroup]:
    """Return the groups in a group."""
    return _links(connection, nesting.c.child_id, nesting.c.parent_id == group_id)


def nested_around(connection: sa.Connection, group_id: GroupId) -> list[NestedGroup]:
    """Return the groups that a group is in."""
    return _links(connection, nesting.c.parent_id, nesting.c.child_id == group_id)


def _groups() -> sa.Select[Any]:
    members = (
        sa.select(sa.func.count(sa.distinct(membership.c.member_id)))
        .where(membership.c.group_id == user_group.c.id, membership.c.valid_to.is_(None))
        .correlate(user_group)
        .scalar_subquery()
    )
    return (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            user_group.c.description,
            directory.c.name,
            directory.c.state,
            members,
            user_group.c.created_at,
            user_group.c.updated_at,
            user_group.c.display_name_key,
        )
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(user_group.c.removed_at.is_(None))
    )


def _at_a_glance(connection: sa.Connection, group_id: GroupId, ids: list[MemberId]) -> list[GroupMember]:
    query = (
        sa.select(
            member.c.id,
            member.c.user_name,
            member.c.display_name,
            member.c.state,
            member.c.last_active_at,
            membership.c.origin,
            membership.c.valid_from,
            membership.c.expires_at,
            membership.c.held,
        )
        .join(membership, membership.c.member_id == member.c.id)
        .where(membership.c.group_id == group_id, membership.c.valid_to.is_(None), member.c.id.in_(listed("ids")))
        .order_by(member.c.id, membership.c.origin)
    )
    found: dict[str, GroupMember] = {}
    for row in connection.execute(query, {"ids": as_list(ids)}):
        origin = MembershipOrigin(row[5], row[6], row[7], bool(row[8]))
        before = found[row[0]].origins if row[0] in found else ()
        found[row[0]] = GroupMember(row[0], row[1], row[2], MemberState(row[3]), row[4], (*before, origin))
    return list(found.values())


def _links(connection: sa.Connection, other: sa.Column[Any], where: sa.ColumnElement[bool]) -> list[NestedGroup]:
    query = (
        sa.select(user_group.c.id, user_group.c.display_name, directory.c.name, nesting.c.origin, nesting.c.valid_from)
        .join(nesting, other == user_group.c.id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(where, nesting.c.valid_to.is_(None), user_group.c.removed_at.is_(None))
        .order_by(user_group.c.display_name_key, user_group.c.id, nesting.c.origin)
    )
    return [NestedGroup(*row) for row in connection.execute(query)]
