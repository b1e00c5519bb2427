"""Turns: one process at a time works on a cluster, and a turn that was lost stops before its next write."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import uuid4

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.store.database import Database
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease

Clock = Callable[[], datetime]

HOLDER = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def pass_lease(cluster_id: ClusterId) -> str:
    """Return the name of the lease that a cluster's pass holds."""
    return f"pass:{cluster_id}"


def removal_lease(cluster_id: ClusterId) -> str:
    """Return the name of the lease that a cluster's asked-for removals hold: they never wait for a pass."""
    return f"removals:{cluster_id}"


def proof_lease(cluster_id: ClusterId) -> str:
    """Return the name of the lease under which a cluster is asked about removals: nothing waits for it."""
    return f"proofs:{cluster_id}"


def scan_lease(cluster_id: ClusterId) -> str:
    """Return the name of the lease under which all of a cluster is looked at."""
    return f"scan:{cluster_id}"


class Turn:
    """A lease that is held; ask `goes_on` before every batch of writes."""

    def __init__(self, database: Database, lease: Lease, seconds: float, clock: Clock) -> None:
        """Take a lease that was taken just now for ``seconds``."""
        self._database = database
        self._lease = lease
        self._length = timedelta(seconds=seconds)
        self._clock = clock
        self._lock = threading.Lock()
        self._renew_at = clock() + self._length / 3
        self._lost = False

    @property
    def epoch(self) -> int:
        """Return the lease's epoch, which grows with every holder."""
        return self._lease.epoch

    def goes_on(self) -> bool:
        """Tell whether the lease is still ours, renewing it when a third of its time has gone; safe in threads."""
        with self._lock:
            at = self._clock()
            if self._lost or at < self._renew_at:
                return not self._lost
            try:
                with self._database.write() as connection:
                    self._lost = not renew_lease(connection, self._lease, at + self._length)
            except (StoreError, Unavailable):
                # Not known to be ours is not ours.
                self._lost = True
            self._renew_at = at + self._length / 3
            return not self._lost

    def release(self) -> None:
        """Give the lease back; a database that is away lets it run out by itself."""
        with suppress(StoreError, Unavailable), self._database.write() as connection:
            release_lease(connection, self._lease)


@contextmanager
def take_turn(
    database: Database, name: str, seconds: float, clock: Clock, holder: str = HOLDER
) -> Iterator[Turn | None]:
    """Hold the lease of this name while the block runs; None when somebody else holds it."""
    at = clock()
    with database.write() as connection:
        lease = take_lease(connection, name, holder, at, at + timedelta(seconds=seconds))
    if lease is None:
        yield None
        return
    turn = Turn(database, lease, seconds, clock)
    try:
        yield turn
    finally:
        turn.release()
