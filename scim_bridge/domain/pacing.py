"""When a cluster's next pass is: by the clock after one that worked, ever later after one that did not."""

from dataclasses import dataclass
from datetime import timedelta

LONGEST_WISH = 60.0
"""A cluster that asks for more patience than this many seconds is asked again after them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often passes run, and how failures slow them down; ``fraction`` is a random number from 0 to below 1."""

    interval_seconds: float = 300
    jitter_seconds: float = 30
    first_seconds: float = 1
    most_seconds: float = 600

    def until_next(self, fraction: float) -> timedelta:
        """Return the time to the next pass that nothing asks for: clusters must not all be read at one moment."""
        return timedelta(seconds=self.interval_seconds + fraction * self.jitter_seconds)

    def until_retry(self, failures: int, fraction: float, wish: float | None = None) -> timedelta:
        """
        Return the time to the next try after so many failures in a row: doubling, with full jitter.

        ``wish`` is the cluster's own Retry-After; it is obeyed up to a minute.
        """
        # 2.0 ** 1024 overflows, and nobody waits that long.
        longest = min(self.most_seconds, self.first_seconds * 2.0 ** min(max(failures - 1, 0), 64))
        return timedelta(seconds=max(fraction * longest, min(wish or 0.0, LONGEST_WISH)))
