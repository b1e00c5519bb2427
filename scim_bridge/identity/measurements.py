"""How the whole installation is doing, as one read sees it: for whoever watches it, never for a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.objective import BOUNDS, WINDOW
from scim_bridge.store import measurements as store
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_numbers import ClusterNumber as ClusterNumber
from scim_bridge.store.cluster_numbers import numbers_by_kind
from scim_bridge.store.counters import PASS_BOUNDS as PASS_BOUNDS
from scim_bridge.store.counters import Counted as Counted
from scim_bridge.store.counters import read_counters
from scim_bridge.store.database import Database
from scim_bridge.store.day_numbers import day_numbers, directory_conditions
from scim_bridge.store.jobs import read_jobs
from scim_bridge.store.measurements import ClusterNumbers as ClusterNumbers
from scim_bridge.store.measurements import DirectoryNumbers as DirectoryNumbers
from scim_bridge.store.measurements import Queues as Queues
from scim_bridge.store.work_queue import QueueDepth as QueueDepth
from scim_bridge.store.work_queue import live_workers, queue_depths

REVOCATION_BOUNDS = BOUNDS


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
    directory_conditions: Mapping[tuple[str, str, str], int]
    counters: list[Counted]
    by_kind: list[ClusterNumber]


def measure(database: Database, objective_seconds: float, lease_seconds: float) -> Measurements:
    """
    Return the numbers of this moment; removals are late that took longer than the objective.

    A worker that was not heard of for as long as a lease lasts has died.
    """
    at = now()
    patience = timedelta(seconds=lease_seconds)
    with database.read() as connection:
        days = day_numbers(connection, at - WINDOW, at, objective_seconds)
        jobs = read_jobs(connection).values()
        return Measurements(
            at,
            store.cluster_numbers(connection, days),
            store.directory_numbers(connection, at),
            store.queues(connection),
            queue_depths(connection, at, patience),
            live_workers(connection, at, patience),
            sum(each.failures > 0 for each in jobs),
            sum(each.paused_at is not None for each in jobs),
            directory_conditions(connection),
            read_counters(connection),
            numbers_by_kind(connection),
        )
