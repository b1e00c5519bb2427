"""Work that comes by every few seconds on a thread of its own: what it waits for holds up nothing else."""

from collections.abc import Callable
from threading import Event, Thread

AWAY_SECONDS = 1.0

Guard = Callable[[str, Callable[[], object]], bool]
"""Runs a piece of work that has this name and tells whether it came to its end; it never raises."""


class Errand:
    """One piece of work, done again and again with ``seconds`` between."""

    def __init__(
        self, name: str, seconds: float, work: Callable[[], object], end: Callable[[], object] | None = None
    ) -> None:
        """Prepare; nothing runs yet. ``end`` is done once, after the last round."""
        self._name = name
        self._seconds = seconds
        self._work = work
        self._end = end
        self._thread: Thread | None = None
        self._stopping = Event()

    def start(self, guard: Guard) -> None:
        """Begin at once; ``guard`` sees to it that a failure ends one round and not the errand."""
        # A daemon: a process that is told to stop does not wait for a mail server that never answers.
        self._thread = Thread(target=self._run, args=(guard,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no other round."""
        self._stopping.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end after `stop`, and tell whether it came."""
        if self._thread is None:
            return True
        self._thread.join(timeout=seconds)
        return not self._thread.is_alive()

    def _run(self, guard: Guard) -> None:
        while not self._stopping.is_set():
            came_to_its_end = guard(self._name, self._work)
            # A database that is away is not asked twice a second.
            self._stopping.wait(self._seconds if came_to_its_end else max(self._seconds, AWAY_SECONDS))
        if self._end is not None:
            guard(f"end of the {self._name}", self._end)
