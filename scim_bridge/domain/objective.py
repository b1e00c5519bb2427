"""The revocation objective: how long an asked-for removal may take on a cluster, and how it did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=1)
BUDGET = 0.01
"""Of a day's removals, this part may take longer than the objective before it is an alarm."""
BOUNDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 3600)
"""Seconds up to which removals are counted together; the last count is of all that took longer."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One asked-for removal on one cluster; ``done_at`` None: it is not confirmed."""

    asked_at: datetime
    done_at: datetime | None

    def seconds(self, at: datetime) -> float:
        """Return how long it took, or has taken by now."""
        return max(0.0, ((self.done_at or at) - self.asked_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many removals took at most so many seconds and more than the bucket before; None: however long."""

    seconds: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Performance:
    """How removals did: ``late`` took longer than the objective, ``open`` are not confirmed."""

    objective_seconds: float
    count: int
    late: int
    open: int
    slowest_seconds: float
    histogram: tuple[Bucket, ...]

    @property
    def is_burning(self) -> bool:
        """Tell whether more were late than the objective allows."""
        return self.late > 0 and self.late > BUDGET * self.count


def performance(removals: Iterable[Timed], objective_seconds: float, at: datetime) -> Performance:
    """Return how these removals did by now."""
    found = list(removals)
    seconds = [each.seconds(at) for each in found]
    late = sum(each > objective_seconds for each in seconds)
    waiting = sum(each.done_at is None for each in found)
    return Performance(objective_seconds, len(found), late, waiting, max(seconds, default=0.0), _histogram(seconds))


def _histogram(seconds: Sequence[float]) -> tuple[Bucket, ...]:
    left = sorted(seconds)
    buckets = []
    for bound in BOUNDS:
        inside = [each for each in left if each <= bound]
        buckets.append(Bucket(bound, len(inside)))
        left = left[len(inside) :]
    return (*buckets, Bucket(None, len(left)))
