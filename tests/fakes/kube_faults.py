"""What the fake API server is told to do wrong."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

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
    HALF_LIST = "half a list"
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
        # Faults may be planned before what they are not meant for has been done.
        self.armed = True

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

    def document(self, document: Mapping[str, Any], verb: str = "*", match: str = "") -> Fault:
        """Answer 200 with this document, after the request was carried out."""
        return self.garbage(orjson.dumps(document), verb, match)

    def answer(self, status: int, body: bytes, verb: str = "*", match: str = "") -> Fault:
        """Answer so, in nobody's name, instead of doing what was asked."""
        return self.add(Fault(Trouble.STATUS, verb, match, status=status, body=body))

    def redirect(self, location: str, verb: str = "*", match: str = "") -> Fault:
        found = Fault(Trouble.STATUS, verb, match, status=307, headers={"Location": location})
        return self.add(found)

    def lie_empty(self, match: str = "", times: int = FOR_EVER) -> Fault:
        """Answer lists with no items, as if everything had been deleted."""
        return self.add(Fault(Trouble.EMPTY_LIST, "list", match, times))

    def lie_half(self, match: str = "", times: int = FOR_EVER) -> Fault:
        """Answer lists with every second item, as if the others had been deleted."""
        return self.add(Fault(Trouble.HALF_LIST, "list", match, times))

    def trickle(self, seconds: float, verb: str = "*", match: str = "") -> Fault:
        """Send the answer's body a byte at a time, with this pause after each."""
        return self.add(Fault(Trouble.TRICKLE, verb, match, seconds=seconds))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._planned.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults and let go what hangs."""
        with self._lock:
            self._planned.clear()
            self.armed = True
            held, self.released = self.released, threading.Event()
        held.set()

    def take(self, verb: str, path: str) -> Fault | None:
        """Return the fault for a request, and count it."""
        with self._lock:
            for fault in self._planned if self.armed else ():
                if fault.verb in ("*", verb) and fault.match in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None
