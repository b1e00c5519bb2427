"""How the whole installation is doing, as one read sees it: for whoever watches it, never for a decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.store import measurements as store
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import read_jobs
from scim_bridge.store.measurements import ClusterNumbers as ClusterNumbers
from scim_bridge.store.measurements import DirectoryNumbers as DirectoryNumbers
from scim_bridge.store.measurements import Queues as Queues
from scim_bridge.store.work_queue import QueueDepth as QueueDepth
from scim_bridge.store.work_queue import live_workers, queue_depths


@dataclass(frozen=True, slots=True)
class Measurements:
    """All numbers at one moment."""

    at: datetime
    clusters: list[ClusterNumbers]
    directories: list[DirectoryNumbers]
    queues: Queues
    work: list[QueueDepth]
    worker_lanes: int
    failing_jobs: int
    paused_jobs: int


def measure(database: Database, lease_seconds: float) -> Measurements:
    """Return the numbers of this moment; a worker that was not heard of for as long as a lease lasts has died."""
    at = now()
    with database.read() as connection:
        jobs = read_jobs(connection).values()
        patience = timedelta(seconds=lease_seconds)
        return Measurements(
            at,
            store.cluster_numbers(connection),
            store.directory_numbers(connection, at),
            store.queues(connection),
            queue_depths(connection, at, patience),
            live_workers(connection, at, patience),
            sum(each.failures > 0 for each in jobs),
            sum(each.paused_at is not None for each in jobs),
        )
