"""The queue when something goes wrong with it, or with whoever uses it: time is lost, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings, SettingsError, load_settings
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.leases import take_lease
from scim_bridge.store.work_queue import locks_in_use, queue_depths
from scim_bridge.sync.dispatch.engines import engine_of
from scim_bridge.sync.dispatch.jobs import PASSES, REMOVALS, Job, job_for, put, put_again
from scim_bridge.sync.dispatch.looking import Due, Kind
from scim_bridge.sync.dispatch.queueing import QueueDispatcher
from scim_bridge.sync.dispatch.rescue import rescue
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.scheduler import carried_out
from scim_bridge.sync.turns import pass_lease
from tests.conftest import Lent
from tests.sync.clockwork import PATIENCE, TroubledCluster, eventually
from tests.sync.yard import ALL, LEASE, Yard, holds, opened_yard, place


@pytest.fixture
def yard(lent_postgresql: Lent) -> Iterator[Yard]:
    with opened_yard(lent_postgresql.lend()) as opened:
        yield opened


def queued(yard: Yard) -> list[tuple[str, int, dict[str, Any]]]:
    """Return what lies in the queue, as workers would take it."""
    query = sa.text("SELECT queue_name, priority, args FROM procrastinate_jobs ORDER BY priority DESC, id")
    with yard.world.database.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def test_two_dispatchers_at_once_put_each_cluster_there_once_and_wait_for_neither(yard: Yard) -> None:
    for number in range(30):
        yard.add(f"other-{number}", TroubledCluster())
    yard.change()
    both = Barrier(4)
    well: list[bool] = []

    def look() -> None:
        dispatcher = QueueDispatcher(yard.world.database, yard.settings)
        both.wait(PATIENCE)
        well.append(carried_out("tick", dispatcher.tick))

    threads = [Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(PATIENCE)

    assert well == [True] * 4
    assert yard.depths() == {PASSES: (31, 0, 0)}


def test_what_was_asked_for_goes_before_what_changed_and_that_before_what_is_only_due(yard: Yard) -> None:
    changed = DueCluster(yard.world.cluster_id, yard.world.organization_id, changed=True)
    other = DueCluster(yard.add("other", TroubledCluster()), yard.world.organization_id)

    with yard.world.database.write() as connection:
        put(connection, [job_for(Due(Kind.PASS, each)) for each in (other, changed)])
        put(connection, [job_for(Due(Kind.REMOVALS, other))])

    assert [(name, priority) for name, priority, _ in queued(yard)] == [(REMOVALS, 100), (PASSES, 10), (PASSES, 0)]
    # The lock of a pass is its cluster's id, so that no other job of a pass of it is ever taken beside it.
    with yard.world.database.read() as connection:
        assert locks_in_use(connection) == {changed.id, other.id, f"removals:{other.id}"}


def test_a_job_that_cannot_be_put_there_leaves_the_others_there(yard: Yard) -> None:
    with yard.world.database.write() as connection:
        put_again(connection, job_for(Due(Kind.PASS, place(yard))))
        put_again(connection, job_for(Due(Kind.PASS, place(yard))))
        put_again(connection, job_for(Due(Kind.REMOVALS, place(yard))))

    assert yard.depths() == {PASSES: (1, 0, 0), REMOVALS: (1, 0, 0)}


def test_a_cluster_that_somebody_works_on_is_not_handed_out(yard: Yard) -> None:
    at = datetime.now(UTC)
    with yard.world.database.write() as connection:
        take_lease(connection, pass_lease(yard.world.cluster_id), "somebody", at, at + timedelta(seconds=60))

    yard.dispatcher.tick()

    assert yard.depths() == {}


def test_a_job_whose_lease_somebody_else_has_ends_without_a_pass_and_is_not_tried_in_a_circle(yard: Yard) -> None:
    at = datetime.now(UTC)
    with yard.world.database.write() as connection:
        put(connection, [job_for(Due(Kind.PASS, place(yard)))])
        take_lease(connection, pass_lease(yard.world.cluster_id), "somebody", at, at + timedelta(seconds=60))

    yard.work()

    assert eventually(lambda: yard.depths() == {})
    assert yard.cluster.access == {}


def test_a_worker_whose_connections_are_cut_goes_on_by_itself(yard: Yard) -> None:
    yard.start()
    yard.work()
    assert eventually(holds(yard.cluster, *ALL))
    cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                  "AND pid <> pg_backend_pid()")  # fmt: skip
    with yard.world.database.write() as connection:
        connection.execute(cut)

    yard.world.deactivate(yard.people[0])

    assert eventually(holds(yard.cluster, "team-1", "team-2"), PATIENCE * 2)


def test_a_job_of_a_task_that_no_worker_knows_stops_nothing(yard: Yard) -> None:
    with yard.world.database.write() as connection:
        put(connection, [Job("of another release", PASSES, "other", "other", {"any": 1})])
    yard.start()
    yard.work()

    assert eventually(holds(yard.cluster, *ALL))
    assert eventually(lambda: yard.depths() == {})


def test_a_queue_that_cannot_be_reached_is_one_sentence() -> None:
    nowhere = Database("postgresql://postgres@127.0.0.1:1/nowhere")

    with pytest.raises(StoreError, match="cannot be"):
        rescue(nowhere, lambda: datetime.now(UTC), timedelta(seconds=LEASE))


def test_the_engine_is_a_setting_and_needs_postgresql_for_workers(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [
        engine_of(yard.world.database, yard.targets, settings, carried_out, lambda: None, lambda: datetime.now(UTC))
        for settings in (Settings(), yard.settings)
    ]

    assert [type(each) for each in chosen] == [Dispatcher, QueueDispatcher]
    assert [[errand.name for errand in each.upkeep] for each in chosen] == [[], ["rescue"]]
    monkeypatch.setenv("SCIM_BRIDGE_ENGINE", "procrastinate")
    with pytest.raises(SettingsError, match="needs PostgreSQL"):
        load_settings()


def test_sqlite_has_no_queue_to_look_at(migrated_sqlite: Any) -> None:
    database = Database(f"sqlite:///{migrated_sqlite}")
    with database.read() as connection:
        found = queue_depths(connection, datetime.now(UTC), timedelta(seconds=LEASE))
    database.dispose()

    assert found == []
