"""Work that comes by every few seconds on a thread of its own: what it waits for holds up nothing else."""

from collections.abc import Callable
from threading import Event, Thread

AWAY_SECONDS = 1.0

Guard = Callable[[str, Callable[[], object]], bool]
"""Runs a piece of work that has this name and tells whether it came to its end; it never raises."""


class Errand:
    """
    One piece of work, done again and again with ``seconds`` between.

    With a ``queue``, workers on other machines may do it where there are any: a round is handed out whenever
    ``is_due`` says that there is something to do. Without one it stays in the scheduler.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        work: Callable[[], object],
        end: Callable[[], object] | None = None,
        *,
        queue: str | None = None,
        is_due: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare; nothing runs yet. ``end`` is done once, after the last round."""
        self.name = name
        self.seconds = seconds
        self.work = work
        self.queue = queue
        self.is_due = is_due
        self.end = end or (lambda: None)
        self._thread: Thread | None = None
        self._stopping = Event()
        self._rung = Event()

    def start(self, guard: Guard, a_round: Callable[[], object] | None = None) -> None:
        """
        Begin at once; ``guard`` sees to it that a failure ends one round and not the errand.

        ``a_round`` is what is done instead of the work itself: handing it out, or asking whether it is to be done.
        """
        # A daemon: a process that is told to stop does not wait for a mail server that never answers.
        words = (guard, a_round or self.work)
        self._thread = Thread(target=self._run, args=words, name=self.name, daemon=True)
        self._thread.start()

    def ring(self) -> None:
        """Begin the next round now, or as soon as this one ends."""
        self._rung.set()

    def stop(self) -> None:
        """Begin no other round."""
        self._stopping.set()
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end after `stop`, and tell whether it came."""
        if self._thread is None:
            return True
        self._thread.join(timeout=seconds)
        return not self._thread.is_alive()

    def _run(self, guard: Guard, a_round: Callable[[], object]) -> None:
        while not self._stopping.is_set():
            # A ring that comes during a round is heard after it.
            came_to_its_end = guard(self.name, a_round)
            # A database that is away is not asked twice a second.
            self._rung.wait(self.seconds if came_to_its_end else max(self.seconds, AWAY_SECONDS))
            self._rung.clear()
        guard(f"end of the {self.name}", self.end)
