"""
What the clusters show, looked at from outside: how long leavers stay, and whether anybody comes back uncalled.

A pass that began before somebody left may still bring them for a moment, as long as their removal is not confirmed:
that is a late removal. Who is there again after it was confirmed was written by somebody who had no right to.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import quantiles

from tests.fakes.kube_api import FakeKubeApi
from tests.journeys.troubled import access

LOOK_SECONDS = 0.05


@dataclass
class Watch:
    """Looks at every cluster all the time."""

    clusters: Mapping[str, FakeKubeApi]
    was_confirmed: Callable[[str, str, datetime], bool]
    """Tells of a cluster and a person whether their removal there was confirmed before a moment."""
    taken: list[tuple[float, float]] = field(default_factory=list)
    """For each leaver and cluster: when the identity provider had its answer, and the seconds until they were out."""
    uncalled: list[str] = field(default_factory=list)
    _waiting: dict[tuple[str, str], float] = field(default_factory=dict)
    _out: dict[tuple[str, str], float] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    """Who has been there since they were last called: whoever has not is not out yet, a pass may be bringing them."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        assert self._thread is not None
        self._thread.join(10)

    def left(self, name: str, answered_at: float) -> None:
        """Hear that somebody has left, and since when the identity provider relies on it."""
        with self._lock:
            for cluster in self.clusters:
                self._waiting[cluster, name] = answered_at

    def comes_back(self, name: str) -> None:
        """Hear that somebody is about to come back: from now on they may be there."""
        with self._lock:
            for cluster in self.clusters:
                self._waiting.pop((cluster, name), None)
                self._out.pop((cluster, name), None)
                self._seen.discard((cluster, name))

    @property
    def still_in(self) -> list[str]:
        """Return which leavers are still in a cluster."""
        with self._lock:
            return [f"{who} in {where}" for where, who in self._waiting if (where, who) in self._seen]

    def since(self, begin: float, end: float) -> list[float]:
        """Return how long those took who left in a window."""
        return [seconds for at, seconds in list(self.taken) if begin <= at < end]

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for name, api in self.clusters.items():
                # Nobody is heard of meanwhile: what is seen is held against what was known when it was looked at.
                with self._lock:
                    self.judge(name, access(api).get("edit", set()), datetime.now(UTC))
                api.requests.clear()

    def judge(self, cluster: str, present: set[str], seen_at: datetime) -> None:
        """Hold what a cluster shows against who has left."""
        at = time.monotonic()
        self._seen.update((cluster, who) for who in present)
        for (where, who), since in list(self._waiting.items()):
            if where == cluster and who not in present and (cluster, who) in self._seen:
                del self._waiting[cluster, who]
                self._out[cluster, who] = since
                self.taken.append((since, max(at - since, 0.0)))
        for where, who in [each for each in self._out if each[0] == cluster and each[1] in present]:
            since = self._out.pop((where, who))
            if self.was_confirmed(cluster, who, seen_at):
                self.uncalled.append(f"{who} is in {cluster} again")
            else:
                self._waiting[where, who] = since


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile; of fewer than two the only one, or nothing."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else sum(seconds)
