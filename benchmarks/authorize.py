"""
What `POST /api/v1/authorize` costs another service that asks on every request of its own.

gunicorn as in the Procfile with two workers, 10,000 people on SQLite and on PostgreSQL, beside Flask saying hello in
JSON under the same gunicorn. One connection gives the time of one question, eight give the rate; the sides take turns
and the ratio is the median of the rounds' ratios, so that it says something on any machine.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import orjson
from pydantic import SecretStr

from benchmarks.scim_floor.servers import Server, start
from benchmarks.scim_floor.worlds import ACTOR, databases_in, seed_bridge
from scim_bridge.app import open_runtime
from scim_bridge.identity import api_tokens, application_users, grants
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.settings import Settings

CONNECTIONS = 8
GROUP = 100
SLUG = "bench"


@dataclass(frozen=True)
class Side:
    """One server and what it is asked; ``ask`` gives the request's method, path, body and headers."""

    server: Server
    ask: Callable[[int], tuple[str, str, bytes | None, dict[str, str]]]

    def seconds(self, count: int, offset: int = 0) -> list[float]:
        """Ask one question after the other on one connection; return what each took."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        taken = []
        for number in range(count):
            method, path, body, headers = self.ask(offset + number)
            begun = time.perf_counter()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            taken.append(time.perf_counter() - begun)
            if answer.status != 200:
                raise SystemExit(f"{path} was answered {answer.status}: {text.decode()}")
        connection.close()
        return taken

    def rate(self, count: int) -> float:
        """Ask on several connections at once; return questions a second."""
        begun = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda lane: self.seconds(count // CONNECTIONS, lane * 1000), range(CONNECTIONS)))
        return count / (time.perf_counter() - begun)


def main() -> int:
    """Measure on each database and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=10_000)
    options.add_argument("--count", type=int, default=800)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    given = options.parse_args()
    print(f"POST /authorize among {given.people:,} people, beside Flask's hello; load {os.getloadavg()[0]:.1f}")
    for kind in given.database or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder, databases_in(kind, Path(folder), 1) as [url]:
            measure(kind, url, Path(folder), given)
    return 0


def measure(kind: str, url: str, folder: Path, given: argparse.Namespace) -> None:
    """Measure one database."""
    world = seed_bridge(url, folder, given.people, [GROUP])
    token = prepare(url, folder, world.sample.groups[GROUP])
    settings = {"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(folder)}
    settings |= {"SCIM_BRIDGE_REQUESTS_PER_SECOND": "1000000", "SCIM_BRIDGE_REQUESTS_BURST": "1000000"}
    bridge = start("bridge", "scim_bridge.wsgi:app", folder, settings)
    hello = start("hello", "benchmarks.scim_floor.hello:app", folder)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        report(kind, Side(bridge, questions(headers)), Side(hello, greetings), given)
    finally:
        hello.stop()
        bridge.stop()


def prepare(url: str, folder: Path, group: str) -> str:
    """Make the group viewers, and an application user that may ask; return its token."""
    runtime = open_runtime(Settings(home=folder, database_url=SecretStr(url)))
    try:
        database = runtime.database
        application_users.create(database, ACTOR, SLUG, "platform")
        grants.add(database, ACTOR, SLUG, GrantWanted("organization", person="platform", api_role="authorizer"))
        grants.add(database, ACTOR, SLUG, GrantWanted("organization", group=group, api_role="viewer"))
        return api_tokens.create(database, ACTOR, SLUG, "platform").text
    finally:
        runtime.database.dispose()


def questions(headers: dict[str, str]) -> Callable[[int], tuple[str, str, bytes | None, dict[str, str]]]:
    """Return what asks about one of the group after the other."""
    from benchmarks.scim_floor.documents import user_name

    def ask(number: int) -> tuple[str, str, bytes | None, dict[str, str]]:
        body = {"organization": SLUG, "person": user_name(number % GROUP), "permission": "org:read"}
        return "POST", "/api/v1/authorize", orjson.dumps(body), headers

    return ask


def greetings(number: int) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Return what is asked of the floor."""
    return "GET", f"/scim/v2/Users/{number}", None, {}


def report(kind: str, bridge: Side, hello: Side, given: argparse.Namespace) -> None:
    """Measure by turns and print one row."""
    for side in (bridge, hello):
        side.seconds(50)
    times, ratios, rates = [], [], []
    for _ in range(given.rounds):
        mine, floor = bridge.seconds(given.count // 4), hello.seconds(given.count // 4)
        times += mine
        ratios.append(statistics.median(floor) / statistics.median(mine))
        rates.append(bridge.rate(given.count) / hello.rate(given.count))
    times.sort()
    middle, late = statistics.median(times) * 1000, times[int(len(times) * 0.95)] * 1000
    print(
        f"  {kind:10}  p50 {middle:6.2f} ms   p95 {late:6.2f} ms"
        f"   hello's time / ours {statistics.median(ratios):.2f}   rate / hello's at {CONNECTIONS} connections "
        f"{statistics.median(rates):.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
