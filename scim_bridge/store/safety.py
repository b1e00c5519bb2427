"""What is known of a cluster beside its passes: the way in without the bridge, and how it names groups."""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.schema import cluster_safety


@dataclass(frozen=True, slots=True)
class Safety:
    """The break-glass path as it was registered, when the cluster last agreed, or what it said instead."""

    break_glass: str | None = None
    seen_at: datetime | None = None
    problem: str | None = None
    group_template: str | None = None
    events: bool = False


def read_safety(connection: sa.Connection, cluster_id: ClusterId) -> Safety:
    """Return what is known; nothing for a cluster that nobody said anything about."""
    columns = cluster_safety.c
    row = connection.execute(sa.select(cluster_safety).where(columns.cluster_id == cluster_id)).one_or_none()
    if row is None:
        return Safety()
    return Safety(row.break_glass, row.break_glass_seen_at, row.break_glass_problem, row.group_template, row.events)


def write_safety(
    connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId, safety: Safety, at: datetime
) -> None:
    """Replace what is known."""
    connection.execute(sa.delete(cluster_safety).where(cluster_safety.c.cluster_id == cluster_id))
    connection.execute(
        sa.insert(cluster_safety).values(
            cluster_id=cluster_id,
            organization_id=organization_id,
            break_glass=safety.break_glass,
            break_glass_seen_at=safety.seen_at,
            break_glass_problem=safety.problem,
            group_template=safety.group_template,
            events=safety.events,
            changed_at=at,
        )
    )


def note_seen(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    seen_at: datetime | None,
    problem: str | None,
    at: datetime,
) -> None:
    """Write down whether a cluster agrees that its break-glass path opens it."""
    known = read_safety(connection, cluster_id)
    write_safety(connection, organization_id, cluster_id, replace(known, seen_at=seen_at, problem=problem), at)
