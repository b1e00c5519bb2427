"""What the fake API server is told to do wrong."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

FOR_EVER = 1_000_000_000


class Trouble(StrEnum):
    """How an answer goes wrong; all but STATUS and LATENCY happen after the request was carried out."""

    STATUS = "status"
    LATENCY = "latency"
    HANG = "hang"
    RESET = "reset"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    EMPTY_LIST = "empty list"
    TRICKLE = "trickle"


@dataclass
class Fault:
    """One trouble for the next ``times`` requests of a verb whose path holds ``match``."""

    trouble: Trouble
    verb: str = "*"
    match: str = ""
    times: int = FOR_EVER
    status: int = 500
    reason: str = ""
    message: str = "as told"
    retry_after: int | None = None
    seconds: float = 0.0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Faults:
    """The plan of faults; the first that fits a request is used up by it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self.released = threading.Event()

    def fail(
        self,
        verb: str = "*",
        match: str = "",
        status: int = 500,
        retry_after: int | None = None,
        times: int = FOR_EVER,
        reason: str = "",
        message: str = "as told",
    ) -> Fault:
        """Answer with a Status object instead of doing what was asked."""
        return self.add(Fault(Trouble.STATUS, verb, match, times, status, reason, message, retry_after))

    def latency(self, seconds: float, verb: str = "*", match: str = "", times: int = FOR_EVER) -> Fault:
        return self.add(Fault(Trouble.LATENCY, verb, match, times, seconds=seconds))

    def hang(self, verb: str = "*", match: str = "", times: int = FOR_EVER) -> Fault:
        """Take the request and never answer, until the faults are cleared."""
        return self.add(Fault(Trouble.HANG, verb, match, times))

    def reset(self, verb: str = "*", match: str = "", times: int = FOR_EVER) -> Fault:
        return self.add(Fault(Trouble.RESET, verb, match, times))

    def truncate(self, verb: str = "*", match: str = "", times: int = FOR_EVER) -> Fault:
        return self.add(Fault(Trouble.TRUNCATED, verb, match, times))

    def garbage(self, body: bytes, verb: str = "*", match: str = "", times: int = FOR_EVER) -> Fault:
        """Answer 200 with these bytes."""
        return self.add(Fault(Trouble.GARBAGE, verb, match, times, body=body))

    def redirect(self, location: str, verb: str = "*", match: str = "") -> Fault:
        found = Fault(Trouble.STATUS, verb, match, status=307, headers={"Location": location})
        return self.add(found)

    def lie_empty(self, match: str = "", times: int = FOR_EVER) -> Fault:
        """Answer lists with no items, as if everything had been deleted."""
        return self.add(Fault(Trouble.EMPTY_LIST, "list", match, times))

    def trickle(self, seconds: float, verb: str = "*", match: str = "") -> Fault:
        """Send the answer a byte at a time, with this pause after each."""
        return self.add(Fault(Trouble.TRICKLE, verb, match, seconds=seconds))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._planned.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults and let go what hangs."""
        with self._lock:
            self._planned.clear()
            held, self.released = self.released, threading.Event()
        held.set()

    def take(self, verb: str, path: str, accept: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
        """Return the fault for a request, and count it."""
        with self._lock:
            for fault in self._planned:
                if fault.verb in ("*", verb) and fault.match in path and fault.times > 0 and accept(fault):
                    fault.times -= 1
                    return fault
        return None
