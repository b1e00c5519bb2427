"""
How many passes a second 1, 2 and 3 workers make: 300 clusters, each a Kubernetes API that takes 20 ms for an answer.

A change of the organization makes every cluster due at once; the clock runs until the last has shown it. Each worker
has a few places for passes only, as on a machine of its own, so that it waits for clusters and not for a processor:
what is shown is that workers do not stand in one another's way. With as many places as a processor can serve, the
processors of this one machine are what limits them. PostgreSQL is one that the run starts itself.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks.workers_parts.api import kubeconfig, many_apis
from scim_bridge.domain.organizations import ClusterId, TargetKind
from scim_bridge.settings import Settings
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.schema import cluster, cluster_sync
from scim_bridge.store.sealing import Keyring, load_keyring
from tests.journeys.own_postgresql import own_server
from tests.journeys.processes import living_world, started
from tests.sync.worlds import World, team

LATENCY_SECONDS, PLACES, ROUNDS, PEOPLE = 0.02, 2, 2, 10
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Yard:
    """The database with its clusters, where they are reached, and the home that holds the key."""

    world: World
    url: str
    home: Path


def main() -> int:
    """Measure each number of workers and print it beside the first."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clusters", type=int, default=300)
    options.add_argument("--places", type=int, default=PLACES, help="passes at a time in one worker")
    options.add_argument("--workers", type=int, default=3)
    given = options.parse_args()
    print(f"{given.clusters} clusters, {LATENCY_SECONDS * 1000:.0f} ms an answer, {given.places} places a worker")
    print(f"{'workers':<10}{'seconds':>10}{'passes/s':>10}{'ratio':>8}")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yard = set_up(home, stack.enter_context(own_server()).url, stack.enter_context(many_apis(LATENCY_SECONDS)),
                      given.clusters)  # fmt: skip
        stack.callback(yard.world.database.dispose)
        first = 0.0
        for count in range(1, given.workers + 1):
            seconds = measure(yard, count, given.places)
            first = first or seconds
            print(f"{count:<10}{seconds:>10.2f}{given.clusters / seconds:>10.1f}{first / seconds:>7.2f}x", flush=True)
    return 0


def set_up(home: Path, url: str, address: str, clusters: int) -> Yard:
    """Make an organization with so many clusters, and people who may edit on all of them."""
    world = living_world(url)
    team(world, PEOPLE)
    keyring = load_keyring(Settings(home=home))
    for number in range(clusters):
        register(world, keyring, address, f"cluster-{number}")
    # The world's own one has no API behind it.
    with world.database.write() as connection:
        gone = sa.update(cluster).where(cluster.c.id == world.cluster_id).values(removed_at=world.at)
        connection.execute(gone)
    return Yard(world, url, home)


def register(world: World, keyring: Keyring, address: str, name: str) -> None:
    """Register one cluster at its path."""
    sealed = keyring.seal(kubeconfig(address, ClusterId(name)))
    target = NewTarget(
        name, None, TargetKind.KUBERNETES, "{user_name}", f"{address}/{name}", sealed_credential=sealed, approved=True
    )
    with world.database.write() as connection:
        insert_cluster(connection, world.change(connection), target)


def measure(yard: Yard, workers: int, places: int) -> float:
    """Return the seconds until every cluster has shown a change; the best of some rounds, after a first one."""
    settings = {
        "engine": "procrastinate", "pass_workers": str(places), "pass_interval_seconds": "3600",
        "log_level": "warning",
    }  # fmt: skip
    with ExitStack() as stack:
        for verb, count in (("worker", workers), ("scheduler", 1)):
            for _ in range(count):
                process = stack.enter_context(started("scim-bridge", verb, home=yard.home, url=yard.url, **settings))
                process.hear(f"The {verb} runs")
        a_round(yard)
        return min(a_round(yard) for _ in range(ROUNDS))


def a_round(yard: Yard) -> float:
    """Change something, and return the seconds until no cluster is behind."""
    begun = time.monotonic()
    with yard.world.database.write() as connection:
        yard.world.change(connection)
    behind = sa.select(sa.func.count()).select_from(cluster_sync).join(cluster).where(
        cluster.c.removed_at.is_(None), cluster_sync.c.generation > cluster_sync.c.done_generation
    )  # fmt: skip
    # It is behind as soon as a scheduler has seen the change.
    waiting = True
    while time.monotonic() - begun < PATIENCE_SECONDS:
        with yard.world.database.read() as connection:
            count = connection.execute(behind).scalar_one()
        waiting = waiting and count == 0
        if not waiting and count == 0:
            return time.monotonic() - begun
        time.sleep(0.02)
    raise SystemExit(f"{count} clusters are behind after {PATIENCE_SECONDS:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
