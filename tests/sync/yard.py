"""A world with a queue: a dispatcher that ticks by itself, and workers that are begun and stopped."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.work_queue import queue_depths
from scim_bridge.sync.dispatch.queueing import QueueDispatcher
from scim_bridge.sync.dispatch.worker import Worker
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.scheduler import carried_out
from tests.sync.clockwork import PATIENCE, Targets, TroubledCluster, add_cluster
from tests.sync.worlds import World, make_world

EDIT = (None, "edit")
LEASE = 1.5


class Yard:
    """A world with a dispatcher that ticks by itself, and workers that are begun and stopped."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = TroubledCluster()
        self.targets = Targets({world.cluster_id: self.cluster})
        self.group = world.add_group("team")
        self.people = [world.add_member(f"team-{number}") for number in range(3)]
        world.join(self.group, *self.people)
        world.give("edit", group=self.group)
        self.settings = Settings(
            database_url=world.database.url.render_as_string(hide_password=False),
            engine="procrastinate",
            lease_seconds=LEASE,
            cluster_connect_seconds=0.2,
            pass_workers=2,
        )
        self.dispatcher = QueueDispatcher(world.database, self.settings)
        self.workers: list[tuple[Worker, Thread]] = []
        self.errands: tuple[Errand, ...] = ()
        self._ended = Event()
        self._ticks = Thread(target=self._tick, daemon=True)

    def start(self) -> None:
        self._ticks.start()

    def work(self, holder: str = "one", **settings: Any) -> Worker:
        chosen = self.settings.model_copy(update=settings)
        worker = Worker(
            self.world.database, self.targets, chosen, carried_out, self.errands, holder=f"{holder}-{time.monotonic()}"
        )
        thread = Thread(target=worker.run, daemon=True)
        thread.start()
        self.workers.append((worker, thread))
        return worker

    def add(self, name: str, gateway: Gateway) -> ClusterId:
        made = add_cluster(self.world, name)
        self.targets.gateways[made] = gateway
        return made

    def change(self) -> None:
        with self.world.database.write() as connection:
            self.world.change(connection)

    def depths(self) -> dict[str, tuple[int, int, int]]:
        with self.world.database.read() as connection:
            found = queue_depths(connection, datetime.now(UTC), timedelta(seconds=LEASE))
        return {each.queue: (each.waiting, each.doing, each.stalled) for each in found}

    def release(self) -> None:
        for gateway in self.targets.gateways.values():
            if isinstance(gateway, TroubledCluster):
                gateway.listing.set()
                gateway.answering.set()
        self._ended.set()
        for worker, _ in self.workers:
            worker.stop()
        for _, thread in self.workers:
            thread.join(PATIENCE)

    def _tick(self) -> None:
        while not self._ended.wait(0.05):
            carried_out("tick", self.dispatcher.tick)


@contextmanager
def opened_yard(url: str) -> Iterator[Yard]:
    """Open one on a migrated database of PostgreSQL; everything in it is ended with the block."""
    database = Database(url)
    world = make_world(database)
    world.at = datetime.now(UTC)
    made = Yard(world)
    yield made
    made.release()
    database.dispose()


def holds(cluster: TroubledCluster, *names: str) -> Callable[[], bool]:
    return lambda: cluster.access.get(EDIT, set()) == set(names)


ALL = ("team-0", "team-1", "team-2")


def place(yard: Yard, failures: int = 0) -> DueCluster:
    return DueCluster(yard.world.cluster_id, yard.world.organization_id, failures)
