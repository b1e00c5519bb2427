"""What a simulated life came to: who left and when that was answered, what failed, how fast the answers were."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from scim_bridge.simulator.wire import Dialect


@dataclass(frozen=True)
class Leaver:
    """Somebody whose deactivation was answered; ``answered_at`` is on the machine's monotonic clock."""

    user_name: str
    id: str
    answered_at: float
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A request that was answered with an error, or (``status`` None) not at all, and the event it belonged to."""

    event: str
    method: str
    target: str
    status: int | None
    detail: str


@dataclass(frozen=True)
class Report:
    """A life that was lived: ``events`` counts what happened, failed events left out; times are in seconds."""

    dialect: Dialect
    events: Mapping[str, int]
    leavers: tuple[Leaver, ...]
    failures: tuple[Failure, ...]
    requests: int
    seconds: float
    p50: float
    p95: float

    @property
    def ok(self) -> bool:
        """Return whether every request was answered as the identity provider needs it."""
        return not self.failures

    def as_document(self) -> dict[str, Any]:
        """Return the report in a form that JSON can hold."""
        return asdict(self) | {"events": dict(self.events), "ok": self.ok}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; 0.0 for none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, ceil(len(values) * share) - 1)]
