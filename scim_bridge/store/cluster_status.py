"""What is known about how clusters are doing: read for people, never by a pass."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.schema import (
    cluster_condition,
    cluster_sync,
    removal_request,
    removal_request_cluster,
)


@dataclass(frozen=True, slots=True)
class SyncState:
    """How one cluster's passes went; ``is_behind`` tells that it has a change to show."""

    health: str
    is_behind: bool
    due_since: datetime | None
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    next_pass_at: datetime | None
    retry_at: datetime | None
    failures: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class LastingCondition:
    """Something a person should know about a cluster, and since when it is so."""

    kind: str
    about: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenRemovals:
    """The asked-for removals that a cluster has not confirmed."""

    count: int
    oldest: datetime
    attempts: int
    last_error: str | None


def sync_states(connection: sa.Connection, organization_id: OrganizationId) -> dict[ClusterId, SyncState]:
    """Return how each cluster of an organization is doing."""
    columns = cluster_sync.c
    query = sa.select(
        columns.cluster_id,
        columns.health,
        (columns.generation > columns.done_generation).label("is_behind"),
        columns.due_since,
        columns.last_success_at,
        columns.last_attempt_at,
        columns.next_pass_at,
        columns.retry_at,
        columns.failures,
        columns.last_error,
    ).where(columns.organization_id == organization_id)
    return {
        ClusterId(row[0]): SyncState(row[1], bool(row[2]), *row[3:]) for row in map(tuple, connection.execute(query))
    }


def lasting_conditions(
    connection: sa.Connection, organization_id: OrganizationId
) -> dict[ClusterId, tuple[LastingCondition, ...]]:
    """Return the conditions of each cluster of an organization, by kind."""
    columns = cluster_condition.c
    query = (
        sa.select(columns.cluster_id, columns.kind, columns.about, columns.message, columns.since)
        .where(columns.organization_id == organization_id)
        .order_by(columns.kind, columns.about)
    )
    found: dict[ClusterId, tuple[LastingCondition, ...]] = {}
    for cluster_id, kind, about, message, since in connection.execute(query):
        found[cluster_id] = (*found.get(cluster_id, ()), LastingCondition(kind, about, message, since))
    return found


def open_removals_of(connection: sa.Connection, organization_id: OrganizationId) -> dict[ClusterId, OpenRemovals]:
    """Return the asked-for removals that each cluster of an organization has not confirmed."""
    part = removal_request_cluster.c
    query = (
        sa.select(
            part.cluster_id,
            sa.func.count(),
            sa.func.min(removal_request.c.requested_at),
            sa.func.max(part.attempts),
            sa.func.max(part.last_error),
        )
        .join(removal_request, removal_request.c.id == part.removal_request_id)
        .where(part.organization_id == organization_id, part.state == "open")
        .group_by(part.cluster_id)
    )
    return {ClusterId(row[0]): OpenRemovals(*row[1:]) for row in map(tuple, connection.execute(query))}
