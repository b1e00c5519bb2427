"""The asked-for removals as they are read for a report: who asked, when, and what became of each on each cluster."""

from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    cluster,
    member,
    removal_request,
    removal_request_cluster,
)

LEAVING = ("deactivated", "deleted", "removed")
"""Causes after which somebody has nothing left; the others take a part away."""


@dataclass(frozen=True, slots=True)
class Part:
    """A request on one cluster."""

    cluster_id: ClusterId
    cluster: str
    state: str
    attempts: int
    last_error: str | None
    done_at: datetime | None
    lingers: tuple[str, ...]
    lingers_until: datetime | None


@dataclass(frozen=True, slots=True)
class Request:
    """One asked-for removal; ``extent`` None concerned all that the member had."""

    id: str
    cause: str
    extent: str | None
    actor: str
    requested_at: datetime
    closed_at: datetime | None
    outcome: str | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who left: since when, and when the last cluster had confirmed it (None: not yet)."""

    member_id: MemberId
    user_name: str
    state: MemberState
    cause: str
    actor: str
    requested_at: datetime
    closed_at: datetime | None


def requests_of_member(connection: sa.Connection, member_id: MemberId) -> list[Request]:
    """Return every asked-for removal about a member, the oldest first."""
    request = removal_request.c
    rows = connection.execute(
        sa.select(removal_request).where(request.member_id == member_id).order_by(request.id)
    ).all()
    parts = _parts(connection, [row.id for row in rows])
    return [
        Request(
            row.id,
            row.cause,
            row.extent,
            row.actor,
            row.requested_at,
            row.closed_at,
            row.outcome,
            tuple(parts.get(row.id, ())),
        )
        for row in rows
    ]


def leavers_since(connection: sa.Connection, organization_id: OrganizationId, since: datetime) -> list[Leaver]:
    """Return who left since a moment, the latest first."""
    request = removal_request.c
    query = (
        sa.select(
            request.member_id,
            member.c.user_name,
            member.c.state,
            request.cause,
            request.actor,
            request.requested_at,
            request.closed_at,
        )
        .join(member, member.c.id == request.member_id)
        .where(request.organization_id == organization_id, request.requested_at > since, request.cause.in_(LEAVING))
        .order_by(request.id.desc())
    )
    return [Leaver(row[0], row[1], MemberState(row[2]), *row[3:]) for row in map(tuple, connection.execute(query))]


def still_bound(connection: sa.Connection, member_id: MemberId) -> list[tuple[str, str, str, str]]:
    """Return what the record has of a member on clusters now: (cluster, namespace, object, subject)."""
    query = (
        sa.select(cluster.c.name, applied_binding.c.namespace, applied_binding.c.name, applied_subject.c.subject)
        .join(applied_binding, applied_binding.c.id == applied_subject.c.binding_id)
        .join(cluster, cluster.c.id == applied_subject.c.cluster_id)
        .where(applied_subject.c.member_id == member_id)
        .order_by(cluster.c.name, applied_binding.c.namespace, applied_binding.c.name)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def _parts(connection: sa.Connection, request_ids: list[str]) -> dict[str, list[Part]]:
    part = removal_request_cluster.c
    query = (
        sa.select(
            part.removal_request_id,
            part.cluster_id,
            cluster.c.name,
            part.state,
            part.attempts,
            part.last_error,
            part.done_at,
            part.lingers,
            part.lingers_until,
        )
        .join(cluster, cluster.c.id == part.cluster_id)
        .where(part.removal_request_id.in_(request_ids))
        .order_by(cluster.c.name)
    )
    found: dict[str, list[Part]] = {}
    for row in connection.execute(query):
        found.setdefault(row[0], []).append(Part(*row[1:7], _groups(row.lingers), row.lingers_until))
    return found


def _groups(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()
