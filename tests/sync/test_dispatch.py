"""Changes become passes and requests become removals, on every cluster that can take them, once at a time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterDenied
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.leases import take_lease
from scim_bridge.store.schema import cluster, cluster_sync, lease, sync_pass
from scim_bridge.sync.dispatch.looking import LEAVERS_FIRST
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.scheduler import carried_out
from scim_bridge.sync.turns import pass_lease
from tests.sync.clockwork import Targets, TroubledCluster, add_cluster, eventually, outcomes
from tests.sync.worlds import World, make_world

EDIT = (None, "edit")


class Tower:
    """A world with a dispatcher, or several, whose ticks are told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = TroubledCluster()
        world.cluster = self.cluster
        self.targets = Targets({world.cluster_id: self.cluster})
        self.people = [world.add_member(f"team-{number}") for number in range(3)]
        group = world.add_group("team")
        world.join(group, *self.people)
        world.give("edit", group=group)
        self.dispatchers: list[Dispatcher] = []

    def dispatcher(self, holder: str = "one", **settings: Any) -> Dispatcher:
        values = {"cluster_connect_seconds": 0.1} | settings
        made = Dispatcher(
            self.world.database,
            self.targets,
            Settings(database_url=SecretStr("sqlite:///unused"), **values),
            carried_out,
            clock=lambda: self.world.at,
            holder=holder,
        )
        self.dispatchers.append(made)
        return made

    def add(self, name: str, gateway: Gateway | Exception) -> ClusterId:
        made = add_cluster(self.world, name)
        self.targets.gateways[made] = gateway
        return made

    def change(self) -> None:
        with self.world.database.write() as connection:
            self.world.change(connection)

    def until(self, happened: Callable[[], bool], *dispatchers: Dispatcher) -> bool:
        """Let time go on, second by second, until something is so."""

        def tick() -> bool:
            self.world.at += timedelta(seconds=1)
            for each in dispatchers or self.dispatchers:
                each.tick()
            return happened()

        return eventually(tick)

    def release(self) -> None:
        for gateway in self.targets.gateways.values():
            if isinstance(gateway, TroubledCluster):
                gateway.listing.set()
                gateway.answering.set()
        for each in self.dispatchers:
            each.stop(10)


@pytest.fixture
def tower(migrated_url: str) -> Iterator[Tower]:
    database = Database(migrated_url)
    made = Tower(make_world(database))
    yield made
    made.release()
    database.dispose()


def holds(cluster: TroubledCluster, *names: str) -> Callable[[], bool]:
    return lambda: cluster.access.get(EDIT, set()) == set(names)


ALL = ("team-0", "team-1", "team-2")


def test_a_change_becomes_a_pass(tower: Tower) -> None:
    tower.dispatcher()

    assert tower.until(holds(tower.cluster, *ALL))


def test_a_request_becomes_a_removal_that_is_confirmed(tower: Tower) -> None:
    tower.dispatcher()
    assert tower.until(holds(tower.cluster, *ALL))

    tower.world.deactivate(tower.people[0])

    assert tower.until(holds(tower.cluster, "team-1", "team-2"))
    assert tower.until(lambda: outcomes(tower.world) == ["done"])


def test_a_removal_is_carried_out_while_a_pass_of_the_same_cluster_hangs(tower: Tower) -> None:
    tower.dispatcher()
    assert tower.until(holds(tower.cluster, *ALL))
    tower.cluster.listing.clear()
    tower.change()
    assert tower.until(tower.cluster.reached.is_set)

    tower.world.deactivate(tower.people[0])

    assert tower.until(holds(tower.cluster, "team-1", "team-2"))
    assert not tower.cluster.listing.is_set()


def test_while_leavers_wait_for_a_place_no_pass_is_begun_but_not_for_long(tower: Tower) -> None:
    others = [TroubledCluster() for _ in range(2)]
    for number, each in enumerate(others):
        tower.add(f"other-{number}", each)
    tower.dispatcher(revocation_workers=1, cluster_connect_seconds=100)
    assert tower.until(lambda: all(holds(each, *ALL)() for each in (tower.cluster, *others)))
    assert tower.until(lambda: tower.world.health()[0] == "ok")
    for each in (tower.cluster, *others):
        each.answering.clear()
    began, passes = tower.world.at, count_passes(tower)

    tower.world.deactivate(tower.people[0])
    begun = tower.until(lambda: count_passes(tower) > passes)
    waited = tower.world.at - began

    assert begun
    assert waited > LEAVERS_FIRST


def count_passes(tower: Tower) -> int:
    query = sa.select(sa.func.count()).select_from(sync_pass).where(sync_pass.c.kind == "full")
    with tower.world.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def test_dead_clusters_delay_no_other_however_many_there_are(tower: Tower) -> None:
    dead = [TroubledCluster() for _ in range(6)]
    for number, each in enumerate(dead):
        each.listing.clear()
        each.answering.clear()
        tower.add(f"dead-{number}", each)
    tower.dispatcher(pass_workers=2, revocation_workers=2)

    assert tower.until(holds(tower.cluster, *ALL))
    tower.world.deactivate(tower.people[0])
    assert tower.until(holds(tower.cluster, "team-1", "team-2"))


def test_a_cluster_that_cannot_be_opened_is_seen_and_delays_no_other(tower: Tower) -> None:
    broken = tower.add("broken", ClusterDenied("the kubeconfig names no server"))
    tower.dispatcher()

    assert tower.until(holds(tower.cluster, *ALL))
    assert tower.until(lambda: health(tower, broken) == ("failing", "the kubeconfig names no server"))


def health(tower: Tower, place: ClusterId) -> tuple[str, str | None]:
    columns = cluster_sync.c
    with tower.world.database.read() as connection:
        row = connection.execute(sa.select(columns.health, columns.last_error).where(columns.cluster_id == place)).one()
    return (row.health, row.last_error)


def test_two_schedulers_never_work_on_one_cluster_at_once(tower: Tower) -> None:
    tower.dispatcher("one")
    tower.dispatcher("two")
    tower.cluster.listing.clear()
    assert tower.until(tower.cluster.reached.is_set)

    for _ in range(20):
        tower.change()
        tower.until(lambda: True)
    tower.cluster.listing.set()
    done = tower.until(holds(tower.cluster, *ALL))

    assert (done, tower.cluster.most_at_work) == (True, 1)


def test_a_turn_outlives_its_lease_while_its_process_ticks(tower: Tower) -> None:
    one, two = tower.dispatcher("one"), tower.dispatcher("two")
    tower.cluster.listing.clear()
    assert tower.until(tower.cluster.reached.is_set, one)

    for _ in range(60):
        tower.until(lambda: True, one, two)

    # A minute has gone by, and the lease lasts 30 s: a second list would wait beside the first.
    assert tower.cluster.most_at_work == 1


def test_what_a_dead_scheduler_held_is_taken_over_when_its_lease_has_run_out(tower: Tower) -> None:
    with tower.world.database.write() as connection:
        until = tower.world.at + timedelta(seconds=30)
        take_lease(connection, pass_lease(tower.world.cluster_id), "dead", tower.world.at, until)
    tower.dispatcher()
    for _ in range(5):
        tower.until(lambda: True)
    early = dict(tower.cluster.objects)

    taken_over = tower.until(holds(tower.cluster, *ALL))

    assert (early, taken_over) == ({}, True)
    assert tower.world.at >= until


def test_what_one_scheduler_claimed_another_carries_out(tower: Tower) -> None:
    one, two = tower.dispatcher("one"), tower.dispatcher("two")
    one.stop(1)
    one.tick()

    assert tower.until(holds(tower.cluster, *ALL), two)


def test_a_scheduler_that_was_overtaken_writes_nothing_more(tower: Tower) -> None:
    one, two = tower.dispatcher("one"), tower.dispatcher("two")
    tower.cluster.listing.clear()
    assert tower.until(tower.cluster.reached.is_set, one)
    with tower.world.database.write() as connection:
        # As if the first had been away for longer than its lease, and another had taken it.
        connection.execute(sa.update(lease).values(holder="two", epoch=lease.c.epoch + 1))
    before = dict(tower.cluster.objects)

    tower.cluster.listing.set()
    ended = one.stop(20)

    assert (ended, before, tower.cluster.objects) == (True, {}, {})
    two.stop(1)


def test_what_stops_begins_nothing_more_and_what_is_due_stays_due(tower: Tower) -> None:
    one = tower.dispatcher("one")
    tower.cluster.listing.clear()
    assert tower.until(tower.cluster.reached.is_set)

    hangs = one.stop(0.1)
    tower.cluster.listing.set()
    ended = one.stop(20)
    written = dict(tower.cluster.objects)

    assert (hangs, ended, written) == (False, True, {})
    assert tower.until(holds(tower.cluster, *ALL), tower.dispatcher("two"))


def test_a_removed_cluster_is_never_opened_again(tower: Tower) -> None:
    tower.dispatcher()
    with tower.world.database.write() as connection:
        connection.execute(sa.update(cluster).values(removed_at=tower.world.at, state="removed"))
    for _ in range(5):
        tower.until(lambda: True)

    assert tower.cluster.objects == {}
    with tower.world.database.read() as connection:
        assert connection.execute(sa.select(sync_pass.c.id)).all() == []


def test_a_tick_with_nothing_to_do_writes_nothing(tower: Tower) -> None:
    one = tower.dispatcher()
    assert tower.until(holds(tower.cluster, *ALL))
    assert tower.until(lambda: health(tower, tower.world.cluster_id)[0] == "ok")
    one.stop(20)
    quiet = tower.dispatcher("quiet")
    writes: list[str] = []
    sa.event.listen(
        tower.world.database.engine,
        "before_cursor_execute",
        lambda *words: None if words[2].startswith(("SELECT", "BEGIN")) else writes.append(words[2]),
    )

    for _ in range(5):
        quiet.tick()

    assert writes == []
