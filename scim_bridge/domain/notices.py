"""Which conditions are told on the cluster itself, as Kubernetes Events, and how often."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId

TOLD = ("RemovalsHeld", "BindDenied", "RemovedByDelete", "ForeignConflict")
"""Somebody has to decide something, to give a right back, or to take something away; all else mends itself."""
MOST = 10
"""So many at a time: a thousand conflicts are one problem."""
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Notice:
    """One Event; its name is the same within an hour, so that a condition that comes and goes is told once."""

    name: str
    reason: str
    message: str


def notices(cluster_id: ClusterId, conditions: Iterable[Condition], at: datetime) -> Sequence[Notice]:
    """Return what to tell of conditions that are new."""
    found = [_notice(cluster_id, each, at) for each in conditions if each.kind in TOLD]
    return found[:MOST]


def _notice(cluster_id: ClusterId, condition: Condition, at: datetime) -> Notice:
    what = "\n".join((cluster_id, condition.kind, condition.about, f"{at:%Y-%m-%dT%H}"))
    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    message = f"{condition.about}: {condition.message}" if condition.about else condition.message
    return Notice(f"scim-bridge.{digest}", condition.kind, message[:LONGEST])
