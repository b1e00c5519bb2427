"""What has to be so in the end, whatever was killed: read from the database, the SCIM door and the clusters."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from scim_bridge.store.database import Database
from scim_bridge.store.schema import cluster, member, removal_request, removal_request_cluster, sync_pass

GONE_ON = ("running", "abandoned")
"""Passes that said nothing about their cluster: their process died, or they lost their turn and stopped."""


def overlapping(database: Database) -> Iterator[str]:
    """Yield each pair of passes that both brought one cluster up to date at the same time."""
    query = (
        sa.select(sync_pass.c.cluster_id, sync_pass.c.started_at, sync_pass.c.finished_at)
        .where(sync_pass.c.kind == "full", sync_pass.c.state.not_in(GONE_ON), sync_pass.c.finished_at.is_not(None))
        .order_by(sync_pass.c.cluster_id, sync_pass.c.started_at)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    yield from overlaps(rows)


def overlaps(rows: Iterable[tuple[str, datetime, datetime]]) -> Iterator[str]:
    """Yield what overlaps of (cluster, from, to), ordered by cluster and beginning."""
    cluster, until = "", datetime.min.replace(tzinfo=UTC)
    for place, begun, ended in rows:
        if place == cluster and begun < until:
            yield f"two passes of {place} at {begun:%H:%M:%S}"
        cluster, until = place, ended if place != cluster else max(until, ended)


def was_confirmed(database: Database, cluster_name: str, person: str, before: datetime) -> bool:
    """Tell whether a person's last removal was confirmed by a cluster before a moment."""
    query = (
        sa.select(removal_request.c.closed_at, removal_request_cluster.c.done_at)
        .join(member, member.c.id == removal_request.c.member_id)
        .join(cluster, sa.and_(cluster.c.organization_id == member.c.organization_id, cluster.c.name == cluster_name))
        .outerjoin(
            removal_request_cluster,
            sa.and_(
                removal_request_cluster.c.removal_request_id == removal_request.c.id,
                removal_request_cluster.c.cluster_id == cluster.c.id,
            ),
        )
        .where(member.c.user_name == person)
        .order_by(removal_request.c.id.desc())
        .limit(1)
    )
    with database.read() as connection:
        found = connection.execute(query).first()
    moments = [each for each in found or () if each is not None]
    return bool(moments) and min(moments) < before


def counts(database: Database) -> dict[str, int]:
    """Return how many passes ended how."""
    query = sa.select(sync_pass.c.state, sa.func.count()).group_by(sync_pass.c.state)
    with database.read() as connection:
        return {str(state): int(count) for state, count in connection.execute(query)}
