"""
The part of the provisioning log that does not stand in its request's own transaction: what was read, and who knocked.

A transaction costs more than the read that it would tell of. So these entries wait in memory, for a second at most,
and are written together. What changes something, and what is refused to a directory, is never written from here
unless the database did not take it at once.
"""

import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from threading import Lock, Timer
from time import monotonic

from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.log import get_logger
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.provisioning_log import LogEntry, add_late_entries, delete_entries, unknown_beyond

FLUSH_SECONDS = 1.0
AWAY_SECONDS = 10.0
"""After a flush that failed: a database that is away is not asked every second."""
MOST_WAITING = 10_000
A_TRANSACTION = 1_000
TRIM_EVERY = 500

log = get_logger(__name__)

Waiting = deque[tuple[LogEntry, datetime]]


class Journal:
    """Entries that wait to be written, at most `MOST_WAITING`; safe to use from all threads of one process."""

    def __init__(
        self,
        database: Database,
        *,
        unknown_per_minute: int = 30,
        unknown_most: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare; a thread runs only while something waits, and what waits at the end of the process is written."""
        self._database = database
        self._waiting: Waiting = deque()
        self._lock = Lock()
        self._timer: Timer | None = None
        self._lost = 0
        self._strangers = _Allowance(unknown_per_minute, clock)
        self._unknown_most = unknown_most
        self._until_trim = TRIM_EVERY
        weakref.finalize(self, _write_out, database, self._waiting)

    def add(self, entry: LogEntry) -> None:
        """Keep an entry; when too many wait already, it is only counted, and the process's own log says so."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
            else:
                self._waiting.append((entry, now()))
            self._see_to_it()

    def add_unknown(self, entry: LogEntry) -> None:
        """Keep what somebody asked whom we do not know, unless there were too many; the next one tells how many."""
        with self._lock:
            passed_over = self._strangers.take()
        if passed_over is None:
            return
        if passed_over:
            told = f"{entry.message or ''} Before it, {passed_over} more were refused and not kept."
            entry = replace(entry, message=told.strip())
        self.add(entry)
        self._until_trim -= 1
        if self._until_trim <= 0:
            self._until_trim = TRIM_EVERY
            self.flush()
            self._trim()

    def flush(self) -> None:
        """Write what waits, now; what the database does not take waits on."""
        with self._lock:
            self._timer = None
            lost, self._lost = self._lost, 0
        if lost:
            log.warning("Requests were answered faster than they could be logged", not_logged=lost)
        if not _write_out(self._database, self._waiting):
            with self._lock:
                self._see_to_it(AWAY_SECONDS)

    def _see_to_it(self, seconds: float = FLUSH_SECONDS) -> None:
        if self._timer is None:
            self._timer = Timer(seconds, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def _trim(self) -> None:
        try:
            with self._database.write() as connection:
                delete_entries(connection, unknown_beyond(connection, self._unknown_most, 2 * TRIM_EVERY))
        except (StoreError, Unavailable) as error:
            log.warning("The log of unknown credentials was not trimmed", reason=str(error))


class _Allowance:
    """So many a minute, as many at once; what comes on top is counted."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most = float(per_minute)
        self._left = self._most
        self._clock = clock
        self._at = clock()
        self._passed_over = 0

    def take(self) -> int | None:
        """Return how many were passed over since the last one, or None when this one is."""
        at = self._clock()
        self._left = min(self._most, self._left + (at - self._at) * self._most / 60)
        self._at = at
        if self._left < 1:
            self._passed_over += 1
            return None
        self._left -= 1
        passed_over, self._passed_over = self._passed_over, 0
        return passed_over


def _write_out(database: Database, waiting: Waiting) -> bool:
    while taken := _take(waiting):
        try:
            with database.write() as connection:
                add_late_entries(connection, taken)
        except (StoreError, Unavailable) as error:
            log.warning("The provisioning log could not be written", reason=str(error), waiting=len(waiting))
            waiting.extendleft(reversed(taken))
            return False
    return True


def _take(waiting: Waiting) -> list[tuple[LogEntry, datetime]]:
    taken: list[tuple[LogEntry, datetime]] = []
    with suppress(IndexError):
        # The end of the process may take from the same queue as its last flush.
        while len(taken) < A_TRANSACTION:
            taken.append(waiting.popleft())
    return taken
