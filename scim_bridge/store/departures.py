"""Who would leave with a new member list, and how many left before: what `domain.holds` is told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.memberships import IN_FORCE, groups_below
from scim_bridge.store.nestings import ORIGIN
from scim_bridge.store.schema import member, membership, nesting

_IS_ACTIVE = member.c.state == MemberState.ACTIVE.value
_OTHERS = (
    sa.select(membership.c.member_id, _IS_ACTIVE)
    .join(member, member.c.id == membership.c.member_id)
    .where(
        membership.c.group_id == sa.bindparam("group"),
        *IN_FORCE,
        membership.c.held.is_(False),
        membership.c.member_id.not_in(listed("kept")),
    )
    .order_by(membership.c.id)
)
_OTHER_CHILDREN = (
    sa.select(nesting.c.child_id)
    .where(
        nesting.c.parent_id == sa.bindparam("group"),
        nesting.c.origin == ORIGIN,
        nesting.c.valid_to.is_(None),
        nesting.c.held.is_(False),
        nesting.c.child_id.not_in(listed("kept")),
    )
    .order_by(nesting.c.id)
)
_ACTIVE_AMONG = sa.select(member.c.id).where(member.c.id.in_(listed("members")), _IS_ACTIVE).limit(1)
_ELSEWHERE = (
    sa.select(membership.c.id)
    .join(member, member.c.id == membership.c.member_id)
    .where(
        membership.c.organization_id == sa.bindparam("organization"),
        membership.c.valid_to.is_(None),
        _IS_ACTIVE,
        sa.or_(membership.c.group_id != sa.bindparam("group"), membership.c.member_id.not_in(listed("leaving"))),
    )
    .limit(1)
)


def other_members(
    connection: sa.Connection, group_id: GroupId, kept: Iterable[MemberId]
) -> list[tuple[MemberId, bool]]:
    """Return the people whom a directory sees in a group beside these, the longest there first, and who is active."""
    rows = connection.execute(_OTHERS, {"group": group_id, "kept": as_list(kept)})
    return [(MemberId(member_id), bool(is_active)) for member_id, is_active in rows]


def other_children(connection: sa.Connection, group_id: GroupId, kept: Iterable[GroupId]) -> list[GroupId]:
    """Return the groups that a directory sees in a group beside these."""
    rows = connection.execute(_OTHER_CHILDREN, {"group": group_id, "kept": as_list(kept)}).scalars()
    return [GroupId(child_id) for child_id in rows]


def active_below(connection: sa.Connection, group_ids: Iterable[GroupId]) -> set[MemberId]:
    """Return the active people who are in one of these groups or in a group nested in them."""
    below = groups_below()
    query = (
        sa.select(membership.c.member_id)
        .distinct()
        .join(below, membership.c.group_id == below.c.id)
        .join(member, member.c.id == membership.c.member_id)
        .where(membership.c.valid_to.is_(None), _IS_ACTIVE)
    )
    return _members(connection.execute(query, {"groups": as_list(group_ids)}).scalars())


def has_active(connection: sa.Connection, members: Iterable[MemberId]) -> bool:
    """Say whether one of these people is active."""
    return connection.execute(_ACTIVE_AMONG, {"members": as_list(members)}).first() is not None


def anybody_else(
    connection: sa.Connection, organization_id: OrganizationId, group_id: GroupId, leaving: Iterable[MemberId]
) -> bool:
    """Say whether an active person is in any group of the organization, but for these in this group."""
    values = {"organization": organization_id, "group": group_id, "leaving": as_list(leaving)}
    return connection.execute(_ELSEWHERE, values).first() is not None


def left_since(connection: sa.Connection, organization_id: OrganizationId, since: datetime) -> frozenset[MemberId]:
    """Return whom lists left out of groups after a moment without anybody naming them."""
    left = sa.select(membership.c.member_id).where(
        membership.c.organization_id == organization_id,
        membership.c.valid_to > since,
        membership.c.inferred.is_(sa.true()),
    )
    groups = sa.select(nesting.c.child_id).where(
        nesting.c.organization_id == organization_id, nesting.c.valid_to > since, nesting.c.inferred.is_(sa.true())
    )
    found = _members(connection.execute(left).scalars())
    unnested = [GroupId(child_id) for child_id in connection.execute(groups).scalars()]
    return frozenset(found | active_below(connection, unnested)) if unnested else frozenset(found)


def subjects_at(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> int:
    """Return how many of the active people of an organization were in a group at a moment."""
    query = (
        sa.select(sa.func.count(sa.distinct(membership.c.member_id)))
        .join(member, member.c.id == membership.c.member_id)
        .where(
            membership.c.organization_id == organization_id,
            membership.c.valid_from <= at,
            sa.or_(membership.c.valid_to.is_(None), membership.c.valid_to > at),
            _IS_ACTIVE,
        )
    )
    return int(connection.execute(query).scalar_one())


def _members(found: Iterable[Any]) -> set[MemberId]:
    return {MemberId(member_id) for member_id in found}
