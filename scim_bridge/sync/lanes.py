"""Lanes: work on many clusters side by side, one piece of work a cluster, so that a slow one holds up no other."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread

from scim_bridge.domain.organizations import ClusterId

Guard = Callable[[str, Callable[[], None]], bool]
"""Runs a piece of work that has this name and tells whether it came to its end; it never raises."""

ASIDE = 4


@dataclass(frozen=True, slots=True)
class _Run:
    failing: bool
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often in a row a cluster's work broke off, and until when it is left alone."""

    times: int
    until: float


class Lane:
    """
    Threads for one kind of work.

    ``workers`` is how many clusters are worked on at a time. A run that takes longer than ``patience`` seconds, or of
    a cluster that fails, does not count among them: `ASIDE` times as many have places beside, so clusters that hang
    leave the others theirs.
    """

    def __init__(self, name: str, workers: int, patience: float, guard: Guard, finished: Callable[[], None]) -> None:
        """Prepare; ``finished`` is called after each run, when there is a place again."""
        self._name = name
        self._workers = workers
        self._patience = patience
        self._guard = guard
        self._finished = finished
        self._running: dict[ClusterId, _Run] = {}
        self._rests: dict[ClusterId, _Rest] = {}
        self._changed = Condition()

    def offer(self, cluster_id: ClusterId, work: Callable[[], None], *, failing: bool = False) -> bool:
        """Start the work on a thread of its own; False when the cluster is being worked on or there is no place."""
        with self._changed:
            rest = self._rests.get(cluster_id)
            if cluster_id in self._running or (rest is not None and time.monotonic() < rest.until):
                return False
            if not self._has_place(failing):
                return False
            self._running[cluster_id] = _Run(failing)
        # Daemons: a process that is told to stop does not wait for a cluster that never answers.
        Thread(target=self._run, args=(cluster_id, work), name=f"{self._name}:{cluster_id}", daemon=True).start()
        return True

    def is_at(self, cluster_id: ClusterId) -> bool:
        """Tell whether a cluster is being worked on."""
        with self._changed:
            return cluster_id in self._running

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait for what runs now; tell whether all of it ended in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout=seconds)

    def _has_place(self, failing: bool) -> bool:
        at = time.monotonic()
        aside = sum(run.failing or at - run.started > self._patience for run in self._running.values())
        most_aside = ASIDE * self._workers
        if failing:
            return aside < most_aside
        return len(self._running) - min(aside, most_aside) < self._workers

    def _run(self, cluster_id: ClusterId, work: Callable[[], None]) -> None:
        ended = self._guard(f"{self._name} of cluster {cluster_id}", work)
        with self._changed:
            del self._running[cluster_id]
            rest = self._rests.pop(cluster_id, None)
            if not ended:
                # The store could not be told what went wrong, so the store cannot say when to try again.
                times = 1 if rest is None else min(rest.times + 1, 7)
                self._rests[cluster_id] = _Rest(times, time.monotonic() + 0.25 * 2**times)
            self._changed.notify_all()
        self._finished()
