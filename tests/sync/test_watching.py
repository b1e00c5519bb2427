"""What is seen of passes: counters, the nightly look at all of a cluster, and Events on it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import Giver
from scim_bridge.domain.bindings import BindingKey, Family
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.nights import next_night
from scim_bridge.domain.notices import MOST, notices
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.counters import read_counters
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.safety import Safety, write_safety
from scim_bridge.store.scans import clusters_to_scan, read_scan
from scim_bridge.store.schema import cluster, cluster_scan
from scim_bridge.sync.revocations import carry_out_removals
from scim_bridge.sync.scanning import put_off_scan, scan_cluster
from tests.sync.clockwork import DENIED, UNREACHABLE
from tests.sync.worlds import NOON, World, team


def place(world: World) -> DueCluster:
    return DueCluster(world.cluster_id, world.organization_id)


def remove_asked(world: World) -> None:
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    carry_out_removals(world.database, world.cluster, place(world), lambda: world.at, lambda: True)


def counted(world: World, *names: str) -> dict[str, float]:
    with world.database.read() as connection:
        return {f"{each.name} {each.label}": each.amount for each in read_counters(connection) if each.name in names}


def test_passes_and_every_write_are_counted_by_what_became_of_them(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    world.join(group, world.add_member("newcomer"))
    world.cluster.break_apply = DENIED
    world.reconcile()
    world.cluster.break_apply, world.cluster.break_list = None, UNREACHABLE
    world.reconcile()
    world.cluster.break_list = None
    world.deactivate(people[0])
    remove_asked(world)

    assert counted(world, "passes") == {"passes ok": 1, "passes degraded": 1, "passes failed": 1}
    assert counted(world, "writes") == {
        "writes create ok": 1, "writes grow ClusterDenied": 1, "writes grow ok": 1, "writes shrink ok": 1,
    }  # fmt: skip


def test_passes_and_removals_are_timed(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    world.deactivate(people[0])
    world.at += timedelta(seconds=45)

    remove_asked(world)

    assert counted(world, "pass_seconds") == {"pass_seconds 0.1": 1}
    assert counted(world, "revocation_seconds") == {"revocation_seconds 60": 1, "revocation_seconds sum": 45}


def test_what_others_did_to_our_bindings_is_drift_and_what_we_did_is_not(world: World) -> None:
    group, people = team(world, 3)
    world.give_namespace("view", group, "shop")
    world.reconcile()
    world.deactivate(people[0])
    remove_asked(world)
    world.reconcile()
    ours = counted(world, "drift")
    world.cluster.let_in("eve")
    world.cluster.objects.pop(next(key for key in world.cluster.objects if key.family.namespace == "shop"))
    world.reconcile()
    world.reconcile()

    assert ours == {}
    assert counted(world, "drift") == {"drift edited": 1, "drift missing": 1}


@pytest.fixture
def kubernetes(world: World) -> World:
    """The world's cluster, as one that is asked over the network."""
    with world.database.write() as connection:
        connection.execute(sa.update(cluster).values(target_kind="kubernetes", folder=None))
    return world


def lookalike(world: World, name: str) -> Giver:
    subjects = (("User", "", "eve"),)
    return Giver("ClusterRoleBinding", None, name, "ClusterRole", "view", subjects, claims=True)


def orphan(world: World) -> Giver:
    key = BindingKey(world.organization_id, ClusterId("gone"), Family("shop", KubernetesRole.VIEW))
    return replace(lookalike(world, "scimb-old"), kind="RoleBinding", namespace="shop", key=key)


def due(world: World) -> list[ClusterId]:
    with world.database.read() as connection:
        return [each.id for each in clusters_to_scan(connection, world.at)]


def scan(world: World) -> None:
    scan_cluster(world.database, world.cluster, place(world), lambda: world.at, lambda: 0.5)


def test_every_night_all_of_a_cluster_is_looked_at(kubernetes: World) -> None:
    world = kubernetes
    world.cluster.givers = [lookalike(world, f"copy-{number}") for number in range(7)] + [orphan(world)]
    before = due(world)

    scan(world)
    after = due(world)
    world.reconcile()
    told = world.conditions()
    world.at = datetime(2026, 11, 24, 2, 29, tzinfo=NOON.tzinfo)
    early = due(world)
    world.at += timedelta(minutes=2)

    assert (before, after, early, due(world)) == ([world.cluster_id], [], [], [world.cluster_id])
    assert told == ["LookAlikes", "OrphansLeft"]


def test_what_was_found_names_some_and_goes_when_it_is_gone(kubernetes: World) -> None:
    world = kubernetes
    world.cluster.givers = [lookalike(world, f"copy-{number}") for number in range(7)]
    scan(world)
    [found] = world.reconcile().conditions
    world.cluster.givers = []
    scan(world)

    assert "7 bindings say that they are the bridge's" in found.message
    assert "copy-0, copy-1, copy-2, copy-3, copy-4 and 2 more" in found.message
    assert world.reconcile().conditions == ()


def test_a_look_that_fails_keeps_what_the_last_one_found_and_is_tried_within_the_hour(kubernetes: World) -> None:
    world = kubernetes
    world.cluster.givers = [lookalike(world, "copy")]
    scan(world)
    world.cluster.break_list = UNREACHABLE
    scan(world)
    tried = due(world)
    world.at += timedelta(hours=1, minutes=1)

    with world.database.read() as connection:
        kept = read_scan(connection, world.cluster_id)
    assert (kept.counts, kept.problem) == ({"lookalike": 1}, str(UNREACHABLE))
    assert (tried, due(world)) == ([], [world.cluster_id])


def test_a_folder_and_a_removed_cluster_are_not_looked_at(world: World) -> None:
    folder = due(world)
    with world.database.write() as connection:
        values = {"target_kind": "kubernetes", "folder": None, "state": "removed"}
        connection.execute(sa.update(cluster).values(values))

    scan(world)

    with world.database.read() as connection:
        assert (folder, connection.execute(sa.select(cluster_scan)).all()) == ([], [])


def test_a_cluster_that_cannot_be_opened_is_looked_at_later(kubernetes: World) -> None:
    put_off_scan(kubernetes.database, place(kubernetes), "no credential", lambda: kubernetes.at)

    assert due(kubernetes) == []


@pytest.mark.parametrize(
    ("hour", "fraction", "expected"), [(0, 0.0, "24T01:00"), (1, 0.5, "25T02:30"), (12, 0.99, "25T03:58")]
)
def test_a_night_is_the_coming_one(hour: int, fraction: float, expected: str) -> None:
    assert next_night(datetime(2026, 11, 24, hour), fraction).strftime("%dT%H:%M") == expected


@pytest.fixture
def telling(world: World) -> World:
    """A cluster that wants Events, on which a team is in step."""
    with world.database.write() as connection:
        write_safety(connection, world.organization_id, world.cluster_id, Safety(events=True), world.at)
    return world


def told(world: World) -> list[tuple[str, str]]:
    return sorted((namespace, each.reason) for (namespace, _), each in world.cluster.told.items())


def hold_many(world: World) -> None:
    group, people = team(world, 30)
    world.reconcile()
    world.leave(group, *people[:25])
    world.reconcile()


def test_a_hold_is_an_event_where_they_are_wanted_and_only_once(telling: World) -> None:
    hold_many(telling)
    telling.reconcile()

    assert told(telling) == [("scim-bridge", "RemovalsHeld")]


def test_without_the_wish_there_are_none(world: World) -> None:
    hold_many(world)

    assert world.conditions() == ["RemovalsHeld"]
    assert told(world) == []


def test_bind_that_was_lost_is_an_event_of_passes_and_of_removals(telling: World) -> None:
    group, people = team(telling, 3)
    telling.reconcile()
    telling.cluster.break_apply = DENIED
    telling.join(group, telling.add_member("newcomer"))
    telling.reconcile()
    telling.deactivate(people[0])
    remove_asked(telling)

    assert told(telling) == [("scim-bridge", "BindDenied"), ("scim-bridge", "RemovedByDelete")]


def test_a_binding_of_somebody_elses_in_the_way_is_an_event(telling: World) -> None:
    family = Family(None, KubernetesRole.EDIT)
    telling.cluster.foreign.add(BindingKey(telling.organization_id, telling.cluster_id, family))
    team(telling, 3)

    telling.reconcile()

    assert told(telling) == [("scim-bridge", "ForeignConflict")]


def test_an_event_that_cannot_be_written_fails_nothing(telling: World) -> None:
    telling.cluster.break_tell = ClusterDenied("you may not write events")
    hold_many(telling)

    assert telling.last_pass().state == "degraded"
    assert telling.conditions() == ["RemovalsHeld"]


def test_what_comes_and_goes_has_one_event_an_hour_and_a_thousand_conflicts_have_ten() -> None:
    many = [Condition("ForeignConflict", f"edit in n{number}", "it is not ours") for number in range(1000)]

    def names(at: datetime) -> list[str]:
        return [each.name for each in notices(ClusterId("c"), many, at)]

    assert len(set(names(NOON))) == len(names(NOON)) == MOST
    assert names(NOON) == names(NOON + timedelta(minutes=59)) != names(NOON + timedelta(minutes=60))
    assert notices(ClusterId("c"), [Condition("NamespaceMissing", "shop", "it is not there")], NOON) == []
