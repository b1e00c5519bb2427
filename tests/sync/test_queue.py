"""The engine of many machines: what is due becomes jobs, and workers of any process do them, once at a time."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.work_queue import live_workers, queue_depths
from scim_bridge.sync.dispatch.jobs import FAILING, PASSES, REMOVALS, job_for, put, put_again
from scim_bridge.sync.dispatch.looking import Due, Kind
from scim_bridge.sync.dispatch.queueing import QueueDispatcher
from scim_bridge.sync.dispatch.rescue import rescue
from scim_bridge.sync.dispatch.worker import Worker
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.scheduler import carried_out
from tests.sync.clockwork import PATIENCE, Targets, TroubledCluster, add_cluster, eventually, outcomes
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


@pytest.fixture
def yard(lent_postgresql: Any) -> Iterator[Yard]:
    database = Database(lent_postgresql.lend())
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


def test_a_change_becomes_a_pass_and_a_request_a_removal_that_is_confirmed(yard: Yard) -> None:
    yard.start()
    yard.work()
    assert eventually(holds(yard.cluster, *ALL))

    yard.world.deactivate(yard.people[0])

    assert eventually(holds(yard.cluster, "team-1", "team-2"))
    assert eventually(lambda: outcomes(yard.world) == ["done"])
    # Nothing is left behind in the queue but what the removal makes due after it.
    assert eventually(lambda: yard.depths() == {})


def test_of_what_is_due_one_job_a_cluster_waits_however_often_it_is_looked_for(yard: Yard) -> None:
    for _ in range(3):
        yard.change()
        QueueDispatcher(yard.world.database, yard.settings).tick()

    assert yard.depths() == {PASSES: (1, 0, 0)}


def test_a_cluster_that_fails_waits_in_a_queue_of_its_own(yard: Yard) -> None:
    with yard.world.database.write() as connection:
        put(connection, [job_for(Due(Kind.PASS, place(yard, failures=2))), job_for(Due(Kind.REMOVALS, place(yard)))])

    assert yard.depths() == {FAILING: (1, 0, 0), REMOVALS: (1, 0, 0)}


def test_two_workers_share_the_clusters_and_never_a_cluster(yard: Yard) -> None:
    others = [TroubledCluster() for _ in range(6)]
    for number, gateway in enumerate(others):
        yard.add(f"other-{number}", gateway)
    yard.start()
    yard.work("one")
    yard.work("two")

    for _ in range(5):
        yard.change()
        assert eventually(lambda: all(holds(each, *ALL)() for each in (yard.cluster, *others)))

    assert {each.most_at_work for each in (yard.cluster, *others)} == {1}


def test_a_change_during_a_pass_is_carried_out_after_it(yard: Yard) -> None:
    yard.start()
    yard.cluster.listing.clear()
    yard.work()
    assert eventually(yard.cluster.reached.is_set)
    yard.world.give("view", member_id=yard.world.add_member("late"))
    yard.change()

    yard.cluster.listing.set()

    assert eventually(lambda: yard.cluster.access.get((None, "view")) == {"late"})


def test_removals_do_not_wait_for_passes_that_hang_and_these_leave_others_their_places(yard: Yard) -> None:
    hanging = [TroubledCluster() for _ in range(4)]
    for number, gateway in enumerate(hanging):
        gateway.listing.clear()
        yard.add(f"hanging-{number}", gateway)
    yard.start()
    yard.work()
    # More hang than there are places for passes.
    assert eventually(holds(yard.cluster, *ALL))
    assert eventually(lambda: all(each.reached.is_set() for each in hanging))

    yard.world.deactivate(yard.people[0])

    assert eventually(holds(yard.cluster, "team-1", "team-2"))


DIED = (
    "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - '1 h'::interval)",
    "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)",
    "UPDATE procrastinate_events SET at = now() - '1 h'::interval",
)
"""What is left of a worker that had a job in hand."""


def test_what_a_dead_worker_had_in_hand_is_taken_out_and_done_by_another(yard: Yard) -> None:
    with yard.world.database.write() as connection:
        put(connection, [job_for(Due(Kind.PASS, place(yard)))])
        for text in DIED:
            connection.execute(sa.text(text))
    yard.start()
    yard.work()
    # It is locked: whatever is due, nobody can take it.
    assert yard.depths() == {PASSES: (0, 1, 1)}

    gone = rescue(yard.world.database, lambda: datetime.now(UTC), timedelta(seconds=LEASE))

    assert gone == 1
    assert eventually(holds(yard.cluster, *ALL))
    assert rescue(yard.world.database, lambda: datetime.now(UTC), timedelta(seconds=LEASE)) == 0


def test_a_job_that_nobody_holds_the_lease_of_is_taken_out_though_its_worker_lives(yard: Yard) -> None:
    yard.cluster.listing.clear()
    yard.start()
    yard.work()
    assert eventually(yard.cluster.reached.is_set)
    # In time a job of a hanging cluster gives its place back, and its lease stays.
    assert eventually(lambda: yard.depths() == {})
    with yard.world.database.write() as connection:
        put_again(connection, job_for(Due(Kind.REMOVALS, place(yard))))
        connection.execute(sa.text("UPDATE procrastinate_jobs SET status = 'doing'"))
        connection.execute(sa.text("UPDATE procrastinate_events SET at = now() - '1 h'::interval"))
        connection.execute(
            sa.text("UPDATE procrastinate_jobs SET worker_id = (SELECT min(id) FROM procrastinate_workers)")
        )

    assert rescue(yard.world.database, lambda: datetime.now(UTC), timedelta(seconds=LEASE)) == 1


def test_a_worker_that_is_told_to_stop_finishes_its_write_and_takes_nothing_more(yard: Yard) -> None:
    yard.start()
    yard.cluster.answering.clear()
    worker = yard.work()
    assert eventually(yard.cluster.reached.is_set)

    worker.stop()
    yard.cluster.answering.set()
    yard.workers[0][1].join(PATIENCE)
    left = yard.cluster.access
    yard.change()

    assert left == {EDIT: set(ALL)}
    assert not yard.workers[0][1].is_alive()
    with yard.world.database.read() as connection:
        assert live_workers(connection, datetime.now(UTC), timedelta(seconds=60)) == 0
    assert eventually(lambda: yard.depths().get(PASSES, (0, 0, 0))[0] == 1)


def test_a_round_of_an_errand_is_done_by_a_worker_and_handed_out_only_when_it_is_due(yard: Yard) -> None:
    waiting = [1, 2]
    errand = Errand("post", 0.05, waiting.clear, queue="mail", is_due=lambda: bool(waiting))
    yard.errands = (errand,)
    hand_out = yard.dispatcher.round_of(errand)

    hand_out()
    hand_out()
    queued = yard.depths()
    yard.work()

    assert queued == {"mail": (1, 0, 0)}
    assert eventually(lambda: not waiting)
    assert eventually(lambda: yard.depths() == {})
    hand_out()
    assert yard.depths() == {}


def test_what_nobody_foresaw_is_tried_again_later_and_stops_nothing_else(yard: Yard) -> None:
    broken = TroubledCluster()
    broken.list_bindings = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    yard.add("broken", broken)
    yard.start()
    yard.work()

    assert eventually(holds(yard.cluster, *ALL))
    assert eventually(lambda: yard.depths().get(PASSES, (0, 0, 0))[0] == 1)
