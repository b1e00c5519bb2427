"""What passes and removals add to a cluster's counters."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.objective import BOUNDS
from scim_bridge.domain.planning import Action
from scim_bridge.errors import ClusterError
from scim_bridge.store.counters import (
    DRIFT,
    PASS_BOUNDS,
    PASS_SECONDS,
    PASSES,
    REVOCATION_SECONDS,
    WRITES,
    Amounts,
    observed,
)
from scim_bridge.store.written import Recorded
from scim_bridge.sync.writing import Outcome

OK = "ok"


def of_pass(outcome: Outcome, state: str, seconds: float) -> Amounts:
    """Return what one pass adds: itself, how long it took, and every write by what became of it."""
    writes = Counter(f"{change.action.value} {OK}" for change in outcome.done)
    writes.update(f"{change.action.value} {type(error).__name__}" for change, error in outcome.failed)
    return {(PASSES, state): 1.0, **_named(WRITES, writes), **observed(PASS_SECONDS, [seconds], PASS_BOUNDS)}


def of_removals(updated: int, deleted: int, problems: Iterable[ClusterError], took: Sequence[float]) -> Amounts:
    """Return what one run of asked-for removals adds; ``took`` are the seconds from each request to its end."""
    writes = Counter({f"{Action.SHRINK.value} {OK}": updated, f"{Action.DELETE.value} {OK}": deleted})
    writes.update(f"removal {type(error).__name__}" for error in problems)
    return {**_named(WRITES, writes), **observed(REVOCATION_SECONDS, took, BOUNDS)}


def of_drift(
    seen: Iterable[ObservedBinding], before: Mapping[BindingKey, Recorded], gone: Iterable[BindingKey]
) -> Amounts:
    """
    Return what of the recorded bindings was found otherwise than it was written.

    ``before`` is the record as it is now: what the lane of removals wrote meanwhile stands there already.
    """
    edited = sum(
        each.binding.key in before
        and (not each.intact or set(each.binding.subjects) != before[each.binding.key].members.keys())
        for each in seen
    )
    return {(DRIFT, "edited"): edited, (DRIFT, "missing"): sum(key in before for key in gone)}


def seconds_between(begin: datetime, end: datetime) -> float:
    """Return how long something took, never less than nothing: clocks are set."""
    return max(0.0, (end - begin).total_seconds())


def _named(name: str, counts: Mapping[str, int]) -> dict[tuple[str, str], float]:
    return {(name, label): float(amount) for label, amount in counts.items()}
