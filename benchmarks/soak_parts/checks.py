"""What has to be so in the end, whatever was killed: read from the database, the SCIM door and the clusters."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from scim_bridge.store.database import Database
from scim_bridge.store.schema import sync_pass

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


def counts(database: Database) -> dict[str, int]:
    """Return how many passes ended how."""
    query = sa.select(sync_pass.c.state, sa.func.count()).group_by(sync_pass.c.state)
    with database.read() as connection:
        return {str(state): int(count) for state, count in connection.execute(query)}
