"""The lead: of several schedulers one minds the clock, and another takes over when it dies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from scim_bridge.store.database import Connection, Database
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease
from scim_bridge.sync.turns import HOLDER

LEASE = "clock"
LEASE_TIME = timedelta(seconds=10)


class Lead:
    """This process's share in the election; `keep` is called every second or so."""

    def __init__(self, database: Database, clock: Callable[[], datetime], holder: str = HOLDER) -> None:
        """Prepare; nothing is held yet."""
        self._database = database
        self._clock = clock
        self._holder = holder
        self._lease: Lease | None = None
        self._until: datetime | None = None
        self._lock = Lock()

    @property
    def is_mine(self) -> bool:
        """Tell whether this process leads, by its own clock: one that was stopped for long does not know yet."""
        until = self._until
        return until is not None and self._clock() < until

    def keep(self) -> bool:
        """Take the lead where nobody has it, or keep it; tell whether it is ours. Raises what the store raises."""
        at = self._clock()
        with self._lock:
            if self._until is not None and at < self._until - LEASE_TIME * 2 / 3:
                return True
            with self._database.write() as connection:
                return self._take(connection, at)

    def holds(self, connection: Connection) -> bool:
        """Tell inside a transaction whether the lead is still ours: who lost it meanwhile cannot write what follows."""
        with self._lock:
            return self._lease is not None and renew_lease(connection, self._lease, self._clock() + LEASE_TIME)

    def give_up(self) -> None:
        """Let another process lead at once."""
        with self._lock:
            lease, self._lease, self._until = self._lease, None, None
        if lease is not None:
            with self._database.write() as connection:
                release_lease(connection, lease)

    def _take(self, connection: Connection, at: datetime) -> bool:
        until = at + LEASE_TIME
        if self._lease is None or not renew_lease(connection, self._lease, until):
            self._lease = take_lease(connection, LEASE, self._holder, at, until)
        self._until = None if self._lease is None else until
        return self._lease is not None
