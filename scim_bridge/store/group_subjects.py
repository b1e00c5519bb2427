"""Subjects on clusters that stand for groups: which there are, and who is, or lately was, in those groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.bindings import Family, parse_key
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.store.listing import as_list, beside, listed
from scim_bridge.store.schema import applied_binding, applied_subject, cluster, member, membership


def groups_on(connection: sa.Connection, cluster_id: ClusterId) -> dict[str, GroupId]:
    """Return the groups whose subjects are on a cluster by the record, by their subjects."""
    columns = applied_subject.c
    # By the index of groups, which is empty where nobody lets them: not by all that is on the cluster.
    query = sa.select(columns.subject, columns.group_id).where(
        beside(columns.cluster_id) == cluster_id, columns.group_id.is_not(None)
    )
    return {subject: GroupId(group_id) for subject, group_id in connection.execute(query.distinct())}


def in_lately(
    connection: sa.Connection, group_ids: Iterable[GroupId], since: datetime
) -> dict[GroupId, frozenset[MemberId]]:
    """Return the active members who were in these groups at any moment since then."""
    found: dict[GroupId, set[MemberId]] = {}
    for group_id, member_id in connection.execute(
        _lately(), {"groups": as_list(sorted(set(group_ids))), "since": since}
    ):
        found.setdefault(GroupId(group_id), set()).add(MemberId(member_id))
    return {group_id: frozenset(members) for group_id, members in found.items()}


@lru_cache
def _lately() -> sa.Select[Any]:
    return (
        sa.select(membership.c.group_id, membership.c.member_id)
        .join(member, member.c.id == membership.c.member_id)
        .where(
            membership.c.group_id.in_(listed("groups")),
            sa.or_(
                membership.c.valid_to.is_(None),
                membership.c.valid_to > sa.bindparam("since", type_=membership.c.valid_to.type),
            ),
            member.c.state == MemberState.ACTIVE.value,
        )
        .distinct()
    )


def more_by_groups(connection: sa.Connection, clusters: sa.Select[Any]) -> int:
    """Return how many more people than subjects there are on these clusters, since some subjects are groups."""
    columns = applied_subject.c
    on_them = (columns.group_id.is_not(None), beside(columns.cluster_id).in_(clusters))
    count = connection.execute(sa.select(sa.func.count(sa.distinct(columns.subject))).where(*on_them)).scalar_one()
    if not count:
        return 0
    named = sa.select(columns.member_id).where(columns.member_id.is_not(None), columns.cluster_id.in_(clusters))
    query = (
        sa.select(sa.func.count(sa.distinct(membership.c.member_id)))
        .join(member, member.c.id == membership.c.member_id)
        .where(
            membership.c.group_id.in_(sa.select(columns.group_id).where(*on_them)),
            membership.c.valid_to.is_(None),
            membership.c.member_id.not_in(named),
            member.c.state == MemberState.ACTIVE.value,
        )
    )
    return int(connection.execute(query).scalar_one()) - int(count)


@dataclass(frozen=True, slots=True)
class Standing:
    """A group's subject on a cluster that stands, or stood until ``left_at``, for a member."""

    subject: str
    family: Family
    left_at: datetime | None


def standing_for(
    connection: sa.Connection, cluster_id: ClusterId, members: Iterable[MemberId], since: datetime
) -> dict[MemberId, list[Standing]]:
    """Return the groups' subjects on a cluster that stand for these members, or have since then."""
    found: dict[MemberId, list[Standing]] = {}
    rows = connection.execute(_standing(), {"members": as_list(sorted(set(members))), "since": since})
    for row in rows:
        if row.cluster_id == cluster_id:
            each = Standing(row.subject, parse_key(row.key).family, row.valid_to)
            found.setdefault(MemberId(row.member_id), []).append(each)
    return found


def clusters_standing_for(
    connection: sa.Connection, members: Iterable[MemberId], since: datetime
) -> set[tuple[MemberId, ClusterId]]:
    """Return on which clusters a group's subject stands for which of these members, or has since then."""
    rows = connection.execute(_standing(), {"members": as_list(sorted(set(members))), "since": since})
    return {(MemberId(row.member_id), ClusterId(row.cluster_id)) for row in rows}


@lru_cache
def _standing() -> sa.Select[Any]:
    on = applied_subject.c
    # What is on clusters first: where groups stand for nobody, that is nothing.
    columns = (on.cluster_id, on.subject, on.binding_id, on.group_id)
    groups = sa.select(*columns).where(on.group_id.is_not(None)).cte("groups_on_clusters")
    return (
        sa.select(
            membership.c.member_id, groups.c.subject, applied_binding.c.key, membership.c.valid_to, groups.c.cluster_id
        )
        .select_from(groups)
        .join(applied_binding, applied_binding.c.id == groups.c.binding_id)
        .join(membership, membership.c.group_id == groups.c.group_id)
        .join(cluster, sa.and_(cluster.c.id == groups.c.cluster_id, cluster.c.removed_at.is_(None)))
        .where(
            membership.c.member_id.in_(listed("members")),
            sa.or_(
                membership.c.valid_to.is_(None),
                membership.c.valid_to >= sa.bindparam("since", type_=membership.c.valid_to.type),
            ),
        )
    )


def still_there(connection: sa.Connection, subjects: Iterable[str]) -> set[tuple[ClusterId, str]]:
    """Return which of these groups' subjects are on which clusters by the record."""
    columns = applied_subject.c
    query = sa.select(columns.cluster_id, columns.subject).where(
        columns.group_id.is_not(None), columns.subject.in_(listed("subjects"))
    )
    rows = connection.execute(query.distinct(), {"subjects": as_list(sorted(set(subjects)))})
    return {(ClusterId(cluster_id), subject) for cluster_id, subject in rows}
