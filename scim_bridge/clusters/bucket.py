"""How fast one cluster is asked: a token bucket that gives way when the cluster says that it is too much."""

import threading
import time
from collections.abc import Callable

SLOWEST = 1 / 16
RECOVERY_SECONDS = 30.0
"""After so long without a complaint the pace doubles again, until it is what it was."""


class TokenBucket:
    """
    So many requests a second, and twice as many in a burst; may be used from several threads.

    Nobody is refused: whoever comes too early waits, in the order of coming.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start full."""
        self._whole = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._share = 1.0
        self._tokens = self._burst
        self._at = self._changed = clock()

    @property
    def rate(self) -> float:
        """Return how many requests a second there are now."""
        return self._whole * self._share

    @property
    def _burst(self) -> float:
        return max(1.0, 2 * self.rate)

    def take(self) -> None:
        """Take a token, and wait for it if there is none."""
        with self._lock:
            self._refill()
            # Below nothing is what others have been promised already.
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self.rate)
        if wait:
            self._sleep(wait)

    def slow_down(self) -> None:
        """Halve the pace: the cluster asked for patience, or could not keep up."""
        with self._lock:
            self._refill()
            self._share = max(SLOWEST, self._share / 2)
            self._tokens = min(self._tokens, self._burst)
            self._changed = self._at

    def _refill(self) -> None:
        at = self._clock()
        while self._share < 1 and at - self._changed >= RECOVERY_SECONDS:
            self._share = min(1.0, self._share * 2)
            self._changed += RECOVERY_SECONDS
        self._tokens = min(self._burst, self._tokens + (at - self._at) * self.rate)
        self._at = at
