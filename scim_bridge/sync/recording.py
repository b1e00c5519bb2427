"""Writes down what a cluster confirmed: those that wait at one moment in one transaction, for a commit is dear."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from scim_bridge.domain.bindings import BindingKey
from scim_bridge.store.announcements import Confirmed, Sight, confirm
from scim_bridge.store.applied import forget_applied
from scim_bridge.store.database import Database
from scim_bridge.store.written import Written, audit_written, recorded


@dataclass(slots=True)
class _Entry:
    """One write; ``confirmed`` None means that the object is gone."""

    key: BindingKey
    confirmed: Confirmed | None
    is_recorded: bool = False


class Recorder:
    """The record of one pass, used by all of its writers."""

    def __init__(self, database: Database, sight: Sight, clock: Callable[[], datetime]) -> None:
        """Prepare; nothing waits yet."""
        self._database = database
        self._sight = sight
        self._clock = clock
        self._waiting: list[_Entry] = []
        self._lock = Lock()
        self._turn = Lock()

    def record(self, key: BindingKey, confirmed: Confirmed | None) -> None:
        """
        Return once a write is on disk, None for an object that is gone; raises what the store raises.

        Whoever has the turn writes down what all the others wait for. What could not be written goes on waiting: it is
        true, and the next writer tries again.
        """
        entry = _Entry(key, confirmed)
        with self._lock:
            self._waiting.append(entry)
        with self._turn:
            if not entry.is_recorded:
                with self._lock:
                    entries = list(self._waiting)
                self._write_down(entries)
                with self._lock:
                    self._waiting = [each for each in self._waiting if not each.is_recorded]

    def _write_down(self, entries: list[_Entry]) -> None:
        with self._database.write() as connection:
            before = recorded(connection, [each.key for each in entries])
            for each in entries:
                if each.confirmed is None:
                    forget_applied(connection, each.key)
            found = [each.confirmed for each in entries if each.confirmed is not None]
            if found:
                confirm(connection, self._sight, found, self._clock())
            written = [_written(each) for each in entries if each.confirmed is not None or each.key in before]
            audit_written(connection, written, before, self._sight.members, self._clock())
        for each in entries:
            each.is_recorded = True


def _written(entry: _Entry) -> Written:
    if entry.confirmed is None:
        return Written(entry.key, is_gone=True)
    return Written(entry.key, entry.confirmed.added, entry.confirmed.removed, name=entry.confirmed.applied.name)
