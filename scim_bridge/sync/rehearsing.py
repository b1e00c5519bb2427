"""The dry run of a plan on the cluster itself: each planned write is sent, checked there, and kept nowhere."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.planning import Change, Plan
from scim_bridge.errors import ClusterError, ClusterThrottled, ClusterUnreachable

PATIENCE = 3
"""So many writes in a row without an answer: the others would each wait as long, and are not asked about."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """
    What the cluster says of one planned write.

    ``accepted`` is None for one that it was not asked about, or did not answer; ``waits`` tells that a pass would not
    send it before somebody approves it.
    """

    action: str
    role: str
    namespace: str | None
    subjects: int
    waits: bool
    accepted: bool | None
    problem: str | None = None


def rehearse(
    gateway: Gateway,
    plan: Plan,
    observed: Iterable[ObservedBinding],
    writers: int,
    goes_on: Callable[[], bool] = lambda: True,
) -> tuple[Rehearsed, ...]:
    """
    Return the cluster's answer to every write of a plan, what waits included, in the plan's order.

    Each is judged against the cluster as it is now: a binding that is to grow and then to shrink is asked about twice.
    """
    seen = {each.binding.key: each for each in observed}
    asking = _Asking(gateway, seen, goes_on)
    changes = [*((change, False) for change in plan.changes), *((change, True) for change in plan.held)]
    with ThreadPoolExecutor(writers, "dry-run") as pool:
        return tuple(pool.map(asking.about, changes))


@dataclass(slots=True)
class _Asking:
    gateway: Gateway
    seen: Mapping[BindingKey, ObservedBinding]
    goes_on: Callable[[], bool]
    _lock: Lock = field(default_factory=Lock)
    _silent: int = 0
    _why: str = ""

    def about(self, planned: tuple[Change, bool]) -> Rehearsed:
        change, waits = planned
        if self._silent >= PATIENCE:
            return _answer(change, waits, None, f"not asked, as the cluster stopped answering: {self._why}")
        if not self.goes_on():
            return _answer(change, waits, None, "not asked: the time of a pass is over")
        try:
            self.gateway.rehearse(change, self.seen.get(change.binding.key))
        except (ClusterUnreachable, ClusterThrottled) as error:
            with self._lock:
                self._silent += 1
                self._why = str(error)
            return _answer(change, waits, None, str(error))
        except ClusterError as error:
            self._answered()
            return _answer(change, waits, False, str(error))
        self._answered()
        return _answer(change, waits, True)

    def _answered(self) -> None:
        with self._lock:
            self._silent = 0


def _answer(change: Change, waits: bool, accepted: bool | None, problem: str | None = None) -> Rehearsed:
    family, action = change.binding.key.family, change.action
    count = len(change.added) + len(change.removed)
    return Rehearsed(action.value, family.role.value, family.namespace, count, waits, accepted, problem)
