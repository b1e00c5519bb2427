"""What the clusters show, looked at from outside: how long leavers stay, and whether anybody comes back uncalled."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles

from tests.fakes.kube_api import FakeKubeApi
from tests.journeys.troubled import access

LOOK_SECONDS = 0.05


@dataclass
class Watch:
    """Looks at every cluster all the time."""

    clusters: Mapping[str, FakeKubeApi]
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
                # Before the look: who comes back meanwhile is not judged by it.
                with self._lock:
                    waiting = {who: at for (where, who), at in self._waiting.items() if where == name}
                    out = {who for where, who in self._out if where == name}
                present = access(api).get("edit", set())
                self._judge(name, waiting, out, present)
                api.requests.clear()

    def _judge(self, cluster: str, waiting: Mapping[str, float], out: set[str], present: set[str]) -> None:
        at = time.monotonic()
        with self._lock:
            self._seen.update((cluster, who) for who in present)
            for who, since in waiting.items():
                if who not in present and (cluster, who) in self._seen and self._waiting.get((cluster, who)) == since:
                    del self._waiting[cluster, who]
                    self._out[cluster, who] = at
                    self.taken.append((since, max(at - since, 0.0)))
            for who in out & present:
                # Seen out before, never called back, and in again: somebody wrote what was past.
                if self._out.pop((cluster, who), None) is not None:
                    self.uncalled.append(f"{who} is in {cluster} again")


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile; of fewer than two the only one, or nothing."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else sum(seconds)
