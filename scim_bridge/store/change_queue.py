"""Change rows as the dispatcher consumes them, and the clusters they wake."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

import psycopg
import psycopg.sql
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.changes import CHANNEL
from scim_bridge.store.database import Database
from scim_bridge.store.schema import change_row, cluster, cluster_sync, removal_request

_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class DueCluster:
    """A cluster that something should be done on: ``failures`` in a row so far, ``changed`` or by the clock only."""

    id: ClusterId
    organization_id: OrganizationId
    failures: int = 0
    changed: bool = field(default=False, compare=False)


def has_news(connection: sa.Connection) -> bool:
    """Tell whether a change or a removal request waits for the dispatcher: two looks into small indexes."""
    changes = sa.select(change_row.c.id).where(change_row.c.dispatched_at.is_(None)).limit(1)
    removals = (
        sa.select(removal_request.c.id)
        .where(removal_request.c.closed_at.is_(None), removal_request.c.dispatched_at.is_(None))
        .limit(1)
    )
    return any(connection.execute(query).first() is not None for query in (changes, removals))


def oldest_waiting_change(connection: sa.Connection) -> datetime | None:
    """Return when the first change was made that no dispatcher has claimed."""
    query = sa.select(sa.func.min(change_row.c.created_at)).where(change_row.c.dispatched_at.is_(None))
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def claim_changes(connection: sa.Connection, at: datetime) -> frozenset[OrganizationId]:
    """
    Mark waiting change rows as dispatched and wake the clusters of their organizations.

    Exactly the rows that were read are marked, never "all up to N": an id that is older may be committed later.
    """
    waiting = (
        sa.select(change_row.c.id, change_row.c.organization_id)
        .where(change_row.c.dispatched_at.is_(None))
        .order_by(change_row.c.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(waiting).all()
    for start in range(0, len(rows), 500):
        ids = [id_ for id_, _ in rows[start : start + 500]]
        connection.execute(sa.update(change_row).where(change_row.c.id.in_(ids)).values(dispatched_at=at))
    organizations = frozenset(OrganizationId(owner) for _, owner in rows)
    # In one order, whatever the organizations: two dispatchers that wake each other's clusters would wait for ever.
    lock_clusters(connection, organizations)
    for organization_id in sorted(organizations):
        wake_clusters(connection, organization_id, at)
    return organizations


def lock_clusters(connection: sa.Connection, organizations: Collection[str]) -> None:
    """Let no pass of these organizations announce writes until the transaction ends (SQLite: none can anyway)."""
    if organizations:
        query = sa.select(cluster_sync.c.cluster_id).where(cluster_sync.c.organization_id.in_(organizations))
        connection.execute(query.order_by(cluster_sync.c.cluster_id).with_for_update()).all()


def wake_clusters(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> None:
    """
    Say that every live cluster of an organization has something new to show.

    A cluster that cannot be reached keeps its back-off; one where only some objects failed is tried at once, so that
    a single bad grant delays nobody's change.
    """
    add_missing_clusters(connection, organization_id)
    live = sa.select(cluster.c.id).where(cluster.c.organization_id == organization_id, cluster.c.removed_at.is_(None))
    connection.execute(
        sa.update(cluster_sync)
        .where(cluster_sync.c.cluster_id.in_(live))
        .values(
            generation=cluster_sync.c.generation + 1,
            due_since=sa.func.coalesce(cluster_sync.c.due_since, sa.bindparam("at", at, cluster_sync.c.due_since.type)),
            retry_at=sa.case((cluster_sync.c.health == "failing", cluster_sync.c.retry_at), else_=None),
        )
    )


def make_due(connection: sa.Connection, cluster_id: ClusterId, at: datetime) -> None:
    """Say that one cluster has something to show, though nothing changed in its organization."""
    columns = cluster_sync.c
    connection.execute(
        sa.update(cluster_sync)
        .where(columns.cluster_id == cluster_id)
        .values(
            generation=columns.generation + 1,
            due_since=sa.func.coalesce(columns.due_since, sa.bindparam("at", at, columns.due_since.type)),
        )
    )


def add_missing_clusters(connection: sa.Connection, organization_id: OrganizationId | None = None) -> None:
    """Give every live cluster its row of synchronization, where it has none yet."""
    known = sa.select(cluster_sync.c.cluster_id)
    missing = sa.select(cluster.c.id, cluster.c.organization_id).where(
        cluster.c.removed_at.is_(None), cluster.c.id.not_in(known)
    )
    if organization_id is not None:
        missing = missing.where(cluster.c.organization_id == organization_id)
    rows = [{"cluster_id": id_, "organization_id": owner} for id_, owner in connection.execute(missing)]
    if rows:
        connection.execute(sa.insert(cluster_sync), rows)


def due_clusters(connection: sa.Connection, at: datetime, only: ClusterId | None = None) -> list[DueCluster]:
    """Return the clusters that a pass is due for: those that work before those that fail, then changes first."""
    columns = cluster_sync.c
    changed = columns.generation > columns.done_generation
    by_clock = sa.or_(columns.next_pass_at.is_(None), columns.next_pass_at <= at)
    query = (
        sa.select(columns.cluster_id, columns.organization_id, columns.failures, changed)
        .join(cluster, cluster.c.id == columns.cluster_id)
        .where(
            cluster.c.removed_at.is_(None),
            sa.or_(changed, by_clock),
            sa.or_(columns.retry_at.is_(None), columns.retry_at <= at),
        )
        .order_by(columns.failures, sa.case((changed, 0), else_=1), columns.last_attempt_at)
    )
    if only is not None:
        query = query.where(columns.cluster_id == only)
    return [DueCluster(id_, owner, failed, bool(was)) for id_, owner, failed, was in connection.execute(query)]


class Listener:
    """
    Calls back when somebody committed a change.

    PostgreSQL says so to every process. With SQLite only this process's own commits are heard, and the poll finds
    those of others.
    """

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        """Prepare; `start` listens on a thread of its own."""
        self._database = database
        self._wake = wake
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Listen until `stop`; a lost connection is made anew, and the poll covers the time between."""
        if self._database.is_sqlite:
            self._database.after_changes = self._wake
        elif self._thread is None:
            self._thread = Thread(target=self._listen, name="changes", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop listening; returns within a second."""
        self._stopped.set()
        self._database.after_changes = None
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _listen(self) -> None:
        address = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._stopped.is_set():
            try:
                with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(CHANNEL)))
                    while not self._stopped.is_set():
                        for _ in connection.notifies(timeout=0.5, stop_after=1):
                            self._wake()
            except psycopg.Error:
                # The poll works on; asking a database that is away more often would not bring it back.
                self._stopped.wait(1)
