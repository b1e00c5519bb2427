"""What `access explain` reads beside the snapshot: since when, because of what, which objects hold somebody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.moments import AT, NOW, THEN, Moment
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    grant_origin,
    membership,
    nesting,
    removal_request,
    removal_request_cluster,
    rule,
    rule_set,
)


@dataclass(frozen=True, slots=True)
class When:
    """Now, or a moment of the past, with its time."""

    at: datetime
    is_past: bool = False

    @property
    def moment(self) -> Moment:
        """Return what decides which rows were in force."""
        return THEN if self.is_past else NOW


@dataclass(frozen=True, slots=True)
class HeldBinding:
    """An object on a cluster that holds somebody's subject; ``written_at`` is its last confirmed write."""

    cluster_id: ClusterId
    name: str
    namespace: str
    key: str
    subject: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class OpenRemoval:
    """An asked-for removal that is not done; ``cluster_id`` None: its clusters are not known yet."""

    cause: str
    requested_at: datetime
    cluster_id: ClusterId | None
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class OriginThen:
    """One origin that was in force, with the rule version that gave it."""

    grant_id: str
    kind: str
    reference: str
    since: datetime
    rule: str | None
    rule_since: datetime | None
    version: int | None
    author: str | None


def memberships_since(connection: sa.Connection, member_id: MemberId, when: When) -> dict[GroupId, datetime]:
    """Return since when a person is in each of their groups, by the oldest origin in force."""
    rows = connection.execute(_memberships(when.moment), {"member": member_id, AT: when.at})
    return {GroupId(group_id): since for group_id, since in rows}


def nestings_since(
    connection: sa.Connection, children: Iterable[GroupId], when: When
) -> dict[tuple[GroupId, GroupId], datetime]:
    """Return since when each of these groups is in another one, by (group, the one it is in)."""
    rows = connection.execute(_nestings(when.moment), {"children": as_list(children), AT: when.at})
    return {(GroupId(child_id), GroupId(parent_id)): since for child_id, parent_id, since in rows}


def origins_then(connection: sa.Connection, grant_ids: Iterable[str], when: When) -> dict[str, list[OriginThen]]:
    """Return the origins of these grants that are in force, the oldest first, by grant."""
    found: dict[str, list[OriginThen]] = {}
    rows = connection.execute(_origins(when.moment), {"grants": as_list(sorted(set(grant_ids))), AT: when.at})
    for row in rows:
        found.setdefault(row[0], []).append(OriginThen(*row))
    return found


def bindings_holding(connection: sa.Connection, member_id: MemberId) -> list[HeldBinding]:
    """Return every object that holds a subject rendered for a person, on any cluster."""
    return [HeldBinding(*row) for row in connection.execute(_HOLDING, {"member": member_id})]


def groups_holding(connection: sa.Connection, member_id: MemberId) -> list[HeldBinding]:
    """Return every object that holds the subject of a group that the person is in, on any cluster."""
    return [HeldBinding(*row) for row in connection.execute(_BY_GROUP, {"member": member_id})]


def open_removals(connection: sa.Connection, member_id: MemberId, when: When) -> list[OpenRemoval]:
    """Return the asked-for removals of a person that some cluster has not confirmed."""
    rows = connection.execute(_removals(when.moment), {"member": member_id, AT: when.at})
    return [OpenRemoval(*row) for row in rows]


_OBJECTS = (
    sa.select(
        applied_subject.c.cluster_id,
        applied_binding.c.name,
        applied_binding.c.namespace,
        applied_binding.c.key,
        applied_subject.c.subject,
        applied_binding.c.applied_at,
    )
    .join(applied_binding, applied_binding.c.id == applied_subject.c.binding_id)
    # An object without a uid was announced and is not confirmed.
    .where(applied_binding.c.uid != "")
    .order_by(applied_binding.c.namespace, applied_binding.c.name)
)
_HOLDING = _OBJECTS.where(applied_subject.c.member_id == sa.bindparam("member"))
_BY_GROUP = _OBJECTS.where(
    applied_subject.c.group_id.in_(
        sa.select(membership.c.group_id).where(
            membership.c.member_id == sa.bindparam("member"),
            membership.c.valid_to.is_(None),
            membership.c.held.is_(sa.false()),
        )
    )
)


@lru_cache
def _memberships(moment: Moment) -> sa.Select[Any]:
    return (
        sa.select(membership.c.group_id, membership.c.valid_from)
        .where(membership.c.member_id == sa.bindparam("member"), moment.in_force(membership))
        .order_by(membership.c.valid_from.desc())
    )


@lru_cache
def _nestings(moment: Moment) -> sa.Select[Any]:
    return (
        sa.select(nesting.c.child_id, nesting.c.parent_id, nesting.c.valid_from)
        .where(nesting.c.child_id.in_(listed("children")), moment.in_force(nesting))
        .order_by(nesting.c.valid_from.desc())
    )


@lru_cache
def _origins(moment: Moment) -> sa.Select[Any]:
    return (
        sa.select(
            grant_origin.c.grant_id,
            grant_origin.c.kind,
            grant_origin.c.reference,
            grant_origin.c.valid_from,
            rule.c.name,
            rule.c.valid_from,
            rule_set.c.version,
            rule_set.c.author,
        )
        .outerjoin(rule, rule.c.id == grant_origin.c.rule_id)
        .outerjoin(rule_set, rule_set.c.id == rule.c.rule_set_id)
        .where(grant_origin.c.grant_id.in_(listed("grants")), moment.in_force(grant_origin))
        .order_by(grant_origin.c.valid_from, grant_origin.c.id)
    )


@lru_cache
def _removals(moment: Moment) -> sa.Select[Any]:
    parts = removal_request_cluster
    asked, at = removal_request.c, sa.bindparam(AT, type_=removal_request.c.requested_at.type)
    is_open = parts.c.state == "open"
    conditions = [asked.member_id == sa.bindparam("member")]
    if moment.is_past:
        is_open = sa.or_(is_open, parts.c.done_at > at)
        conditions += [asked.requested_at <= at, sa.or_(asked.closed_at.is_(None), asked.closed_at > at)]
    else:
        conditions.append(asked.closed_at.is_(None))
    return (
        sa.select(
            asked.cause,
            asked.requested_at,
            parts.c.cluster_id,
            sa.func.coalesce(parts.c.attempts, 0),
            parts.c.last_error,
        )
        .outerjoin(parts, sa.and_(parts.c.removal_request_id == asked.id, is_open))
        .where(*conditions)
        .order_by(asked.id)
    )
