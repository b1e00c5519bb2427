"""Whatever is sent to a server as it is deployed: no failure of ours, no traceback, and no memory that grows."""

import http.client
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.bridge import Bridge, installed
from tests.scim.fuzzing import Fuzzer, Sent

# `make soak` asks for more, and for other requests each time.
SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "20261125"))
# What the door does not offer it says with 501; every other 5xx is a failure of ours.
NOT_OFFERED = "/Me"
# Enough to be known again, and too few for lists to grow with the time.
MOST_KNOWN = 40
MIB = 1024 * 1024
MOST_GROWTH = 32 * MIB


@dataclass
class Attack:
    """One connection to the door, what came back, and what was wrong with it."""

    port: int
    token: str
    fuzzer: Fuzzer = field(default_factory=lambda: Fuzzer(SEED))
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def run(self, seconds: float) -> None:
        """Send requests for so long, or until something is wrong."""
        end = time.monotonic() + seconds
        for number, sent in enumerate(self.fuzzer.requests()):
            if self.faults or time.monotonic() > end:
                return
            status, kind, body = self.send(sent)
            self.statuses[status] += 1
            fault = judged(sent, status, kind, body)
            if fault is not None:
                self.faults.append(f"seed {self.fuzzer.seed}, request {number}: {fault}: {sent} -> {status} {body!r}")
            self._learn(sent, status, body)
            if number % 200 == 0:
                self._look()

    def send(self, sent: Sent) -> tuple[int, str, bytes]:
        """Send one request and return status, content type and body."""
        headers = {"Authorization": f"Bearer {self.token}", **dict(sent.headers)}
        encoded = {name: value.encode("utf-8") for name, value in headers.items()}
        try:
            self._connection.request(sent.method, f"/scim/v2{sent.target}", sent.body or None, encoded)
            answer = self._connection.getresponse()
        except ConnectionError:
            # A worker is renewed now and then, and closes its connections; a new one has to be served.
            self._connection.close()
            self._connection.request(sent.method, f"/scim/v2{sent.target}", sent.body or None, encoded)
            answer = self._connection.getresponse()
        body = answer.read()
        return answer.status, answer.headers.get("Content-Type", ""), body

    def _learn(self, sent: Sent, status: int, body: bytes) -> None:
        known = self.fuzzer.users if sent.target.startswith("/Users") else self.fuzzer.groups
        if status == 201:
            known.append(str(json.loads(body)["id"]))
        gone = sent.target.partition("?")[0].rpartition("/")[2]
        if sent.method == "DELETE" and status == 204 and gone in known:
            known.remove(gone)
        if len(known) > MOST_KNOWN:
            self.send(Sent("DELETE", f"/{'Users' if known is self.fuzzer.users else 'Groups'}/{known.pop(0)}"))

    def _look(self) -> None:
        """One document that cannot be read would take the whole list with it."""
        for endpoint in ("/Users", "/Groups"):
            status, _, body = self.send(Sent("GET", f"{endpoint}?count=1000"))
            if status != 200 or json.loads(body)["totalResults"] != len(json.loads(body)["Resources"]):
                self.faults.append(f"{endpoint} cannot be listed any more: {status} {body[:500]!r}")


def judged(sent: Sent, status: int, kind: str, body: bytes) -> str | None:
    """Return what is wrong with an answer."""
    if status >= 500 and not (status == 501 and sent.target.startswith(NOT_OFFERED)):
        return "a failure of ours"
    if status in (204, 304) or sent.method in ("HEAD", "OPTIONS"):
        return "a body where none may be" if body and sent.method != "OPTIONS" else None
    if kind != "application/scim+json":
        return f"not SCIM but {kind}"
    document = json.loads(body)
    if status >= 400 and not (document["status"] == str(status) and document["detail"].endswith(".")):
        return "an error without a sentence"
    return None


def resident(bridge: Bridge) -> int:
    """Return the memory of the installation's processes, in bytes; they are in one session."""
    assert bridge.process is not None
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Fields 6 and 24 of proc(5): session, and resident pages; the command's name before them may hold blanks.
        if int(words[3]) == bridge.process.pid:
            total += int(words[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


@pytest.mark.slow
def test_nothing_that_can_be_sent_makes_the_server_fail_or_grow(database_url: str, tmp_path: Path) -> None:
    # It is to be answered, not held off.
    often = {"requests_per_second": "100000", "requests_burst": "100000"}
    with installed(tmp_path / "home", database_url=database_url, log_level="info", **often) as bridge:
        bridge.command("organization", "create", "acme", "--owner", "ana@acme.example")
        made = bridge.command("directory", "create", "--organization", "acme", "--kind", "generic", "--name", "fuzz")
        bridge.start()
        attack = Attack(bridge.port, made["token"])

        # Both databases share the time.
        attack.run(SECONDS / 4)
        warm = resident(bridge)
        attack.run(SECONDS / 4)
        grown = resident(bridge) - warm
        log = (bridge.home / "log").read_text(errors="replace")

    print(attack.statuses, warm / MIB, grown / MIB)
    assert attack.faults == [], log[-5000:]
    assert "Traceback" not in log, log[-5000:]
    assert grown < MOST_GROWTH, f"{grown / MIB:.1f} MiB more than the {warm / MIB:.1f} MiB after the first half"
    # It was let in, and did not only stand at the door.
    assert {200, 201, 204, 400, 404, 409} <= attack.statuses.keys()
    assert sum(attack.statuses.values()) > SECONDS * 5
