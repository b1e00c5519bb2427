"""Drift is what others do to the bridge's bindings; what the bridge itself has to change is none."""

import pytest

from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.worlds import World, team


@pytest.fixture
def steady(world: World) -> World:
    """Have a cluster that is as it should be."""
    team(world, 5)
    world.reconcile()
    world.reconcile()
    assert "Drift" not in world.conditions()
    return world


def test_who_is_let_in_by_hand_is_drift_and_no_more_once_it_is_put_right(steady: World) -> None:
    steady.cluster.let_in("mallory")

    steady.reconcile()
    found = steady.conditions()
    steady.reconcile()

    assert (found, steady.conditions()) == (["Drift"], [])


def test_a_binding_that_somebody_deleted_is_drift(steady: World) -> None:
    steady.cluster.objects.clear()

    report = steady.reconcile()

    assert [each.kind for each in report.conditions] == ["Drift"]
    assert "edit in the whole cluster" in report.conditions[0].message


def test_what_somebody_asked_for_here_is_no_drift(steady: World) -> None:
    group, people = team(steady, 4, name="other")
    steady.reconcile()
    steady.leave(group, people[0])
    steady.deactivate(people[1])
    steady.give("view", group=group)

    steady.reconcile()

    assert steady.conditions() == []


def test_a_removal_that_the_other_lane_carries_out_meanwhile_is_no_drift(steady: World) -> None:
    _, people = team(steady, 3, role="view", name="other")
    steady.reconcile()
    real = steady.cluster.list_bindings

    def overtaken() -> object:
        # After the pass has read the store, and before it reads the cluster.
        steady.deactivate(people[0])
        with steady.database.write() as connection:
            spread_removals(connection, steady.at)
        place = DueCluster(steady.cluster_id, steady.organization_id)
        carry_out_removals(steady.database, steady.cluster, place, lambda: steady.at, lambda: True)
        return real()

    steady.cluster.list_bindings = overtaken  # type: ignore[method-assign, assignment]
    steady.reconcile()
    steady.cluster.list_bindings = real  # type: ignore[method-assign]
    found = steady.conditions()
    steady.reconcile()

    assert (found, steady.conditions()) == ([], [])
