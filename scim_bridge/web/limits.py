"""
How much one directory may ask, and how often somebody may guess: token buckets, in the memory of one process.

Each process counts for itself: with two of them a directory may ask twice as much. The limits are there to keep one
directory's storm from others and guessing slow, not to bill anybody; for that, counting at no cost is right.
"""

from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic

from scim_bridge.errors import TooManyRequests

MOST_KEYS = 10_000
MOST_KNOWN = 10_000


class Buckets:
    """A bucket a key: ``burst`` at once, refilled with ``per_second``; safe to use from all threads."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate = per_second
        self._burst = float(burst)
        self._clock = clock
        self._lock = Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> int:
        """Take one and return 0, or the whole seconds after which there is one again."""
        with self._lock:
            at = self._clock()
            left = self._at(key, at)
            if left < 1:
                return self._seconds(left)
            self._left[key] = (left - 1, at)
            if len(self._left) > MOST_KEYS:
                self._forget(at)
            return 0

    def wait(self, key: str) -> int:
        """Return the whole seconds after which there is one; 0 now. Nothing is taken."""
        if key not in self._left:
            return 0
        with self._lock:
            left = self._at(key, self._clock())
            return 0 if left >= 1 else self._seconds(left)

    def _at(self, key: str, at: float) -> float:
        left, since = self._left.get(key, (self._burst, at))
        return min(self._burst, left + (at - since) * self._rate)

    def _seconds(self, left: float) -> int:
        return max(1, ceil((1 - left) / self._rate))

    def _forget(self, at: float) -> None:
        """Drop the buckets that are full again, and if there are none the oldest: memory has an end."""
        for key in [key for key in self._left if self._at(key, at) >= self._burst] or list(self._left)[
            : MOST_KEYS // 2
        ]:
            del self._left[key]


class Limits:
    """The limits of one process's SCIM door."""

    def __init__(
        self, per_second: float, burst: int, refused_per_minute: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._directories = Buckets(per_second, burst, clock)
        self._strangers = Buckets(refused_per_minute / 60, refused_per_minute, clock)
        # Hashes of one process, of tokens that were good: neither the tokens nor what is stored of them.
        self._known: set[int] = set()

    def admit(self, address: str | None, token: str | None) -> None:
        """
        Raise TooManyRequests for an address from which too many credentials were refused.

        A token that was good in this process is admitted from anywhere: a neighbour who guesses must not shut out
        the identity provider behind the same address.
        """
        wait = self._strangers.wait(address or "")
        if wait and hash(token) not in self._known:
            raise TooManyRequests("Too many requests with a wrong token; try again later.", wait)

    def note_refused(self, address: str | None, token: str | None) -> None:
        """Note a credential that was refused."""
        self._known.discard(hash(token))
        self._strangers.take(address or "")

    def charge(self, directory_id: str, token: str | None) -> None:
        """Count a request with a good token; raises TooManyRequests when its directory has used up what it may ask."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(hash(token))
        self.count(directory_id)

    def count(self, who: str) -> None:
        """Count a request; raises TooManyRequests when whoever asks has used up what they may ask."""
        wait = self._directories.take(who)
        if wait:
            raise TooManyRequests("More requests were sent than are allowed here; try again later.", wait)


class GuessLimits:
    """How often somebody may be wrong about who they are: from one address, about one account, and both together."""

    def __init__(self, refused_per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._addresses = Buckets(refused_per_minute / 60, refused_per_minute, clock)
        # From anywhere: slow enough for guessing, wide enough that a stranger does not shut somebody out.
        self._accounts = Buckets(1 / 30, 60, clock)
        self._pairs = Buckets(1 / 60, 8, clock)

    def admit(self, address: str | None, about: str) -> None:
        """Raise TooManyRequests for whoever was wrong too often; whether the account exists makes no difference."""
        waits = (bucket.wait(key) for bucket, key in self._keys(address, about))
        longest = max(waits)
        if longest:
            raise TooManyRequests("Too many attempts; try again later.", longest)

    def note_wrong(self, address: str | None, about: str) -> None:
        """Count a wrong guess."""
        for bucket, key in self._keys(address, about):
            bucket.take(key)

    def _keys(self, address: str | None, about: str) -> tuple[tuple[Buckets, str], ...]:
        place = address or ""
        return (self._addresses, place), (self._accounts, about), (self._pairs, f"{place} {about}")
