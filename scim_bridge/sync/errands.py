"""Work that comes by every few seconds on a thread of its own: what it waits for holds up nothing else."""

from collections.abc import Callable
from threading import Event, Thread

Guard = Callable[[str, Callable[[], None]], bool]
"""Runs a piece of work that has this name and tells whether it came to its end; it never raises."""


class Errand:
    """One piece of work, done again and again with ``seconds`` between."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        """Prepare; nothing runs yet."""
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = Event()

    def start(self, guard: Guard) -> None:
        """Begin at once; ``guard`` sees to it that a failure ends one round and not the errand."""
        # A daemon: a process that is told to stop does not wait for a mail server that never answers.
        Thread(target=self._run, args=(guard,), name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Begin no other round."""
        self._stopping.set()

    def _run(self, guard: Guard) -> None:
        while not self._stopping.is_set():
            guard(self._name, self._once)
            self._stopping.wait(self._seconds)

    def _once(self) -> None:
        self._work()
