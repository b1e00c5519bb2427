"""The engine of many machines: what is due becomes jobs, and workers of any process do them, once at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.store.scans import read_scan
from scim_bridge.store.schema import cluster
from scim_bridge.store.work_queue import live_workers
from scim_bridge.sync.dispatch.jobs import FAILING, PASSES, REMOVALS, SCANS, job_for, put, put_again
from scim_bridge.sync.dispatch.looking import LEAVERS_FIRST, Due, Kind
from scim_bridge.sync.dispatch.queueing import QueueDispatcher
from scim_bridge.sync.dispatch.rescue import rescue
from scim_bridge.sync.errands import Errand
from tests.conftest import Lent
from tests.sync.clockwork import PATIENCE, TroubledCluster, eventually, outcomes
from tests.sync.yard import ALL, EDIT, LEASE, Yard, holds, opened_yard, place


@pytest.fixture
def yard(lent_postgresql: Lent) -> Iterator[Yard]:
    with opened_yard(lent_postgresql.lend()) as opened:
        yield opened


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


def test_while_leavers_wait_for_a_worker_nothing_else_is_handed_out_but_not_for_long(yard: Yard) -> None:
    at = [yard.world.at]
    dispatcher = QueueDispatcher(yard.world.database, yard.settings, lambda: at[0])
    yard.change()
    yard.world.reconcile()
    yard.world.deactivate(yard.people[0])

    dispatcher.tick()
    at_once = yard.depths()
    at[0] += LEAVERS_FIRST
    dispatcher.tick()

    assert at_once == {REMOVALS: (1, 0, 0)}
    assert yard.depths() == {REMOVALS: (1, 0, 0), PASSES: (1, 0, 0)}


def test_the_nightly_look_at_a_cluster_is_a_job_that_lets_all_others_pass(yard: Yard) -> None:
    with yard.world.database.write() as connection:
        connection.execute(sa.update(cluster).values(target_kind="kubernetes", folder=None))
    at = yard.world.at

    QueueDispatcher(yard.world.database, yard.settings).tick()
    queued, jobs = yard.depths(), sa.text("SELECT queue_name FROM procrastinate_jobs ORDER BY priority")
    with yard.world.database.read() as connection:
        least = connection.execute(jobs).scalars().first()
    yard.work()

    assert (queued[SCANS], least) == ((1, 0, 0), SCANS)
    assert eventually(lambda: scanned(yard) > at)
    assert eventually(lambda: SCANS not in yard.depths())


def scanned(yard: Yard) -> datetime:
    with yard.world.database.read() as connection:
        return read_scan(connection, yard.world.cluster_id).scanned_at or datetime.min.replace(tzinfo=UTC)


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
