"""The queue between dispatchers and workers, as it is looked at: how much waits, who works, what is stuck."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import sqlalchemy as sa

_jobs = sa.table(
    "procrastinate_jobs",
    sa.column("id", sa.BigInteger),
    sa.column("queue_name", sa.String),
    sa.column("status", sa.String),
    sa.column("queueing_lock", sa.String),
    sa.column("lock", sa.String),
)
_workers = sa.table("procrastinate_workers", sa.column("id"), sa.column("last_heartbeat", sa.DateTime(timezone=True)))
DriverError = psycopg.Error
"""What the queue's own library lets through of the driver's complaints."""

# Its type is an enumeration, which a text parameter is not compared with.
_STATUS = sa.cast(_jobs.c.status, sa.String)

# In hand for longer than a worker takes to begin, and nobody holds its lease: its worker has died, or lost it.
_UNHELD = sa.text(
    """
    SELECT job.id FROM procrastinate_jobs job
    JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'started'
    WHERE job.status = 'doing' AND NOT EXISTS (
        SELECT 1 FROM lease
        WHERE lease.name = job.args->>'lease' AND lease.holder IS NOT NULL AND lease.until > :at)
    GROUP BY job.id HAVING max(event.at) < :before
    """
)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """One queue: jobs that wait, that are in hand, and that are in hand of nobody."""

    queue: str
    waiting: int
    doing: int
    stalled: int


def locks_in_use(connection: sa.Connection) -> frozenset[str]:
    """Return the locks of all jobs that wait or are in hand: another job of that lock has nothing to do yet."""
    waiting = sa.select(_jobs.c.queueing_lock).where(_STATUS == "todo", _jobs.c.queueing_lock.is_not(None))
    doing = sa.select(_jobs.c.lock).where(_STATUS == "doing", _jobs.c.lock.is_not(None))
    return frozenset(connection.execute(sa.union(waiting, doing)).scalars())


def unheld_jobs(connection: sa.Connection, at: datetime, patience: timedelta) -> list[int]:
    """Return the jobs that were begun longer than ``patience`` ago and whose lease nobody holds."""
    found = connection.execute(_UNHELD, {"at": at, "before": at - patience})
    return [int(each) for each in found.scalars()]


def queue_depths(connection: sa.Connection, at: datetime, patience: timedelta) -> list[QueueDepth]:
    """Return how much is in each queue that has something in it; nothing on SQLite, which has no queue."""
    if connection.dialect.name != "postgresql":
        return []
    stuck = unheld_jobs(connection, at, patience)
    count = sa.func.count()
    query = (
        sa.select(
            _jobs.c.queue_name,
            count.filter(_STATUS == "todo"),
            count.filter(_STATUS == "doing"),
            count.filter(_jobs.c.id.in_(stuck), _STATUS == "doing"),
        )
        .where(_STATUS.in_(("todo", "doing")))
        .group_by(_jobs.c.queue_name)
        .order_by(_jobs.c.queue_name)
    )
    return [QueueDepth(*row) for row in connection.execute(query)]


def live_workers(connection: sa.Connection, at: datetime, patience: timedelta) -> int:
    """Return how many workers have been heard of lately; a process has one for each of its lanes."""
    if connection.dialect.name != "postgresql":
        return 0
    query = sa.select(sa.func.count()).select_from(_workers).where(_workers.c.last_heartbeat > at - patience)
    return int(connection.execute(query).scalar_one())
