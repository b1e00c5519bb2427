"""Change rows are claimed once, by whoever read them, and wake exactly the clusters of their organization."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store import migrations
from scim_bridge.store.change_queue import (
    DueCluster,
    Listener,
    add_missing_clusters,
    claim_changes,
    due_clusters,
    has_news,
    make_due,
)
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.database import Database
from scim_bridge.store.schema import change_row, cluster, cluster_sync
from tests.sync.clockwork import add_cluster, add_organization
from tests.sync.worlds import NOON, World, make_world

CLI = Actor(ActorKind.CLI, "ada")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    database = Database(migrated_url)
    made = make_world(database)
    claim(made)
    carried_out(made)
    yield made
    database.dispose()


def claim(world: World) -> frozenset[OrganizationId]:
    with world.database.write() as connection:
        return claim_changes(connection, world.at)


def commit_change(world: World) -> str:
    with world.database.write() as connection:
        return world.change(connection).id


def set_sync(world: World, **values: object) -> None:
    with world.database.write() as connection:
        connection.execute(sa.update(cluster_sync).values(**values))


def carried_out(world: World) -> None:
    """Say what a pass that showed everything says."""
    set_sync(
        world,
        done_generation=cluster_sync.c.generation,
        due_since=None,
        retry_at=None,
        failures=0,
        health="ok",
        next_pass_at=NOON + timedelta(hours=1),
    )


def due(world: World, after: timedelta = timedelta(0)) -> list[ClusterId]:
    with world.database.read() as connection:
        return [each.id for each in due_clusters(connection, world.at + after)]


def news(world: World) -> bool:
    with world.database.read() as connection:
        return has_news(connection)


def test_a_change_is_news_until_somebody_claims_it(world: World) -> None:
    before = news(world)
    commit_change(world)
    committed = news(world)

    claimed = claim(world)

    assert (before, committed, news(world)) == (False, True, False)
    assert claimed == {world.organization_id}


def test_a_removal_request_is_news_of_its_own(world: World) -> None:
    world.deactivate(world.add_member("leaver"))
    claim(world)

    assert news(world)


def test_a_claimed_change_makes_the_cluster_due_and_a_pass_that_saw_it_makes_it_idle(world: World) -> None:
    idle = due(world)
    commit_change(world)
    claim(world)
    woken = due(world)

    carried_out(world)

    assert (idle, woken, due(world)) == ([], [world.cluster_id], [])


def test_a_pass_that_did_not_see_the_newest_change_leaves_the_cluster_due(world: World) -> None:
    commit_change(world)
    claim(world)
    with world.database.read() as connection:
        seen = connection.execute(sa.select(cluster_sync.c.generation)).scalar_one()
    commit_change(world)
    claim(world)

    set_sync(world, done_generation=seen)

    assert due(world) == [world.cluster_id]


def test_a_change_that_is_committed_late_with_an_older_id_is_not_lost(world: World) -> None:
    early = new_change(world.organization_id, CLI, "test", world.at)
    commit_change(world)
    claim(world)
    carried_out(world)

    with world.database.write() as connection:
        add_change(connection, early)

    assert news(world)
    assert claim(world) == {world.organization_id}
    assert due(world) == [world.cluster_id]


def test_changes_of_one_organization_wake_nobody_elses_cluster(world: World, migrated_url: str) -> None:
    other = add_organization(world, "other")
    with world.database.write() as connection:
        add_change(connection, new_change(other, CLI, "test", world.at))

    claimed = claim(world)

    assert claimed == {other}
    assert due(world) == []


def test_two_dispatchers_never_claim_the_same_row(postgresql_url: str) -> None:
    # SQLite has one writer at a time; with PostgreSQL both transactions are open at once.
    database = Database(postgresql_url)
    migrations.upgrade(database)
    world = make_world(database)
    claim(world)
    commit_change(world)

    with database.write() as one, database.write() as other:
        first = claim_changes(one, world.at)
        second = claim_changes(other, world.at)

    assert (set(first), set(second)) == ({world.organization_id}, set())
    database.dispose()


def test_exactly_the_rows_that_were_read_are_marked(world: World) -> None:
    changes = [commit_change(world) for _ in range(3)]

    claim(world)

    with world.database.read() as connection:
        marked = connection.execute(sa.select(change_row.c.id).where(change_row.c.dispatched_at.is_not(None)))
        assert set(changes) <= set(marked.scalars())


def test_a_cluster_that_cannot_be_reached_keeps_its_back_off_though_something_changed(world: World) -> None:
    set_sync(world, health="failing", failures=3, retry_at=world.at + timedelta(minutes=1))
    commit_change(world)
    claim(world)

    assert due(world) == []
    assert due(world, timedelta(minutes=2)) == [world.cluster_id]


def test_a_cluster_where_one_object_fails_is_tried_at_once_when_something_changed(world: World) -> None:
    set_sync(world, health="degraded", failures=3, retry_at=world.at + timedelta(minutes=1))
    commit_change(world)
    claim(world)

    assert due(world) == [world.cluster_id]


def test_the_clock_makes_a_cluster_due_without_any_change(world: World) -> None:
    assert due(world, timedelta(hours=2)) == [world.cluster_id]


def test_a_removed_cluster_is_never_due(world: World) -> None:
    commit_change(world)
    claim(world)

    with world.database.write() as connection:
        connection.execute(sa.update(cluster).values(removed_at=world.at))

    assert due(world) == []


def test_a_cluster_can_be_made_due_alone_and_asked_for_alone(world: World) -> None:
    with world.database.write() as connection:
        make_due(connection, world.cluster_id, world.at)

    with world.database.read() as connection:
        found = due_clusters(connection, world.at, world.cluster_id)
        other = due_clusters(connection, world.at, ClusterId("another"))

    assert found == [DueCluster(world.cluster_id, world.organization_id, 0)]
    assert other == []


def test_clusters_that_work_come_before_those_that_fail(world: World) -> None:
    failing = world.cluster_id
    set_sync(world, failures=2)
    working = add_cluster(world, "working")

    commit_change(world)
    claim(world)

    assert due(world) == [working, failing]


def test_a_cluster_without_a_row_gets_one_and_is_due(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(sa.delete(cluster_sync))
        add_missing_clusters(connection)

    assert due(world) == [world.cluster_id]


def test_a_listener_hears_what_is_committed_and_not_what_is_rolled_back(world: World) -> None:
    heard = threading.Event()
    listener = Listener(world.database, heard.set)
    listener.start()
    # PostgreSQL's listener needs a moment to be there; until then the poll finds changes.
    for _ in range(50):
        commit_change(world)
        if heard.wait(0.1):
            break
    first = heard.is_set()

    _let_it_be_quiet(heard)
    _break_off(world)
    second = heard.wait(0.3)
    with world.database.write() as connection:
        connection.execute(sa.update(cluster_sync).values(failures=0))
    third = heard.wait(0.3)
    listener.stop()

    assert (first, second, third) == (True, False, False)


def test_after_stop_nothing_is_heard(world: World) -> None:
    heard = threading.Event()
    listener = Listener(world.database, heard.set)
    listener.start()
    listener.stop()

    commit_change(world)

    assert not heard.wait(0.2)


def _break_off(world: World) -> None:
    with suppress(ZeroDivisionError), world.database.write() as connection:
        world.change(connection)
        raise ZeroDivisionError


def _let_it_be_quiet(heard: threading.Event) -> None:
    heard.clear()
    while heard.wait(0.2):
        heard.clear()
