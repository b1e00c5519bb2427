"""
Jobs as they lie in Procrastinate's queue: which there are, in which lane, and how one is put there.

The queue holds no truth: what is due stands in our own tables, and a job only says where to look. It may be lost, come
twice or come late, and nothing but time is lost with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from scim_bridge.errors import StoreError
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.work_queue import locks_in_use
from scim_bridge.sync.dispatch.looking import Due, Kind

CLUSTER, ERRAND = "cluster", "errand"
"""The two tasks: something on one cluster, and a round of an errand."""

REMOVALS, PASSES, FAILING, PROOFS, SCANS = "removals", "passes", "failing", "proofs", "scans"
"""The queues of clusters; errands bring the names of theirs along."""
QUEUES = {Kind.REMOVALS: REMOVALS, Kind.PASS: PASSES, Kind.PROOFS: PROOFS, Kind.SCAN: SCANS}

URGENT, CHANGED, PLAIN, NIGHTLY = 100, 10, 0, -10
"""Priorities: what was asked for, what changed, what only the clock made due, and what nobody waits for."""

_defers = App(connector=SyncPsycopgConnector())
"""Never opened: each job is put there on a connection, and in a transaction, of ours."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job to be put into a queue; of one lock one waits and one is in hand at most."""

    task: str
    queue: str
    lock: str
    lease: str
    args: dict[str, Any]
    priority: int = PLAIN
    not_before: datetime | None = None


def job_for(due: Due, not_before: datetime | None = None) -> Job:
    """Return the job for what is due on a cluster; one that fails has a queue, and so workers, apart."""
    place = due.place
    # The lock of a pass is its cluster's id. Removals have one of their own: they never wait for a pass.
    lock = place.id if due.kind is Kind.PASS else due.lease
    queue = QUEUES[due.kind]
    if place.failures and due.kind in {Kind.REMOVALS, Kind.PASS}:
        queue = FAILING
    args = {"kind": due.kind.value, "cluster_id": place.id, "organization_id": place.organization_id}
    return Job(CLUSTER, queue, lock, due.lease, args | {"failures": place.failures}, _priority(due), not_before)


def _priority(due: Due) -> int:
    if due.kind is Kind.PASS and due.place.changed:
        return CHANGED
    return {Kind.REMOVALS: URGENT, Kind.SCAN: NIGHTLY}.get(due.kind, PLAIN)


def job_of_errand(name: str, queue: str) -> Job:
    """Return the job for one round of an errand."""
    return Job(ERRAND, queue, errand_lease(name), errand_lease(name), {"name": name})


def errand_lease(name: str) -> str:
    """Return the name of the lease under which a worker does a round of an errand."""
    return f"errand:{name}"


def put(connection: Connection, jobs: Iterable[Job]) -> int:
    """
    Put jobs into their queues, each behind a savepoint, and return how many of them were not there yet.

    In one order, whatever it is that is due: two dispatchers that wait for one another's jobs would do so for ever.
    """
    known = locks_in_use(connection)
    made = 0
    for job in sorted(jobs, key=lambda each: each.lock):
        if job.lock not in known:
            made += _put(connection, job)
    return made


def put_again(connection: Connection, job: Job) -> None:
    """Put a job into its queue while one of the same lock is still in hand; it waits for that one's end."""
    _put(connection, job)


def _put(connection: Connection, job: Job) -> int:
    savepoint = connection.begin_nested()
    deferring = _defers.configure_task(
        job.task,
        queue=job.queue,
        lock=job.lock,
        queueing_lock=job.lock,
        priority=job.priority,
        schedule_at=job.not_before,
        connection=connection.connection.driver_connection,
    )
    try:
        deferring.defer(lease=job.lease, **job.args)
    except AlreadyEnqueued:
        savepoint.rollback()
        return 0
    except ConnectorException as error:
        # The connection is of no use any more; whoever looks next defers it.
        connection.invalidate()
        raise StoreError(f"A job cannot be put into its queue: {error}") from error
    savepoint.commit()
    return 1


def open_app(database: Database, most: int) -> App:
    """Return a way to the queue for an event loop; opened by whoever uses it."""
    return App(connector=PsycopgConnector(conninfo=address_of(database), min_size=1, max_size=most, timeout=10))


def address_of(database: Database) -> str:
    """Return the database's address as the driver itself reads it."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
