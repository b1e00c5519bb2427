"""When removals that failed are tried again, and what a run of them did."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from scim_bridge.errors import ClusterError, ClusterThrottled
from scim_bridge.store.removal_queue import Removal

LONGEST_WAIT = 60.0
"""Nobody who was asked to go stays for longer than this on a cluster that works again."""
LONGEST_PATIENCE = 60.0
"""What a cluster that says "later" may ask for."""


@dataclass(frozen=True, slots=True)
class RemovalPolicy:
    """When a removal that failed is tried again, and from how many people on it is worth a line in the log."""

    first_wait: float = 1.0
    longest_wait: float = LONGEST_WAIT
    alarm_from: int = 10


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What a run did: how many removals it confirmed, found void or postponed, and which shards failed and why."""

    done: int = 0
    void: int = 0
    postponed: int = 0
    problems: tuple[str, ...] = ()


def wait_for(removals: Iterable[Removal], policy: RemovalPolicy, problems: Iterable[ClusterError]) -> timedelta:
    """Return how long a cluster is left alone: ever longer, at random so that not all ask at once."""
    asked = max((each.retry_after or 0 for each in problems if isinstance(each, ClusterThrottled)), default=0)
    times = max((each.attempts for each in removals), default=0)
    wait = min(policy.first_wait * 2 ** min(times, 16), policy.longest_wait)
    wait *= random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
    return timedelta(seconds=max(wait, min(asked, LONGEST_PATIENCE)))


def summed(one: RemovalReport, other: RemovalReport) -> RemovalReport:
    """Return what two runs did together."""
    return RemovalReport(
        one.done + other.done,
        one.void + other.void,
        one.postponed + other.postponed,
        tuple(sorted({*one.problems, *other.problems})),
    )
