"""How passes spare a cluster and each other: a time budget, a circuit that opens, and what ends is told in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.pacing import Pace
from scim_bridge.errors import ClusterError, ClusterUnreachable
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import due_clusters
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.scheduler import carried_out
from tests.sync.clockwork import eventually
from tests.sync.test_faults import many_objects
from tests.sync.worlds import World, team

HURRIED = PassPolicy(writers=1, budget_seconds=3.5)


def slow(world: World, seconds: float = 1) -> None:
    """Let each write take a second of the world's clock."""

    def wait(binding: Binding) -> None:
        world.at += timedelta(seconds=seconds)

    world.cluster.before_apply = wait


def is_due(world: World) -> bool:
    with world.database.read() as connection:
        return bool(due_clusters(connection, world.at, world.cluster_id))


def test_a_pass_that_has_spent_its_time_lets_the_next_one_go_on(world: World) -> None:
    many_objects(world, 10)
    slow(world)

    reports = [world.reconcile(HURRIED)]
    told, due, health = world.conditions(), is_due(world), world.health()[0]
    while reports[-1].result.unfinished:
        reports.append(world.reconcile(HURRIED))

    assert (told, due, health) == (["TimeBudgetSpent"], True, "degraded")
    assert len(reports[0].result.unfinished) == 6
    assert [each.result.created for each in reports] == [4, 4, 2]
    assert (len(world.cluster.objects), reports[-1].is_ok, world.conditions()) == (10, True, [])
    assert not is_due(world)


def test_nobody_is_without_access_in_the_middle_of_a_move_that_took_two_passes(world: World) -> None:
    _, people = team(world, 8)
    world.reconcile()
    everybody = set(world.cluster.access[(None, "edit")])
    sharded = replace(HURRIED, subjects_per_binding=2, budget_seconds=0.5)
    slow(world)

    for _ in range(12):
        report = world.reconcile(sharded)
        assert set(world.cluster.access[(None, "edit")]) == everybody

    assert len(people) == 8
    assert (report.is_ok, len(world.cluster.objects) > 1) == (True, True)


def test_what_there_was_no_time_for_does_not_count_as_taken_away(world: World) -> None:
    group, people = team(world, 3)
    for number in range(4):
        world.give_namespace("view", group, f"shop-{number}")
    world.reconcile()
    world.leave(group, people[0])
    slow(world)

    report = world.reconcile(replace(HURRIED, budget_seconds=0.5))

    assert report.result.unfinished
    assert report.result.subjects_removed <= 1
    assert not report.is_abandoned


@pytest.fixture
def broken(world: World) -> Dispatcher:
    """Let a cluster fail until it is only asked whether it is there."""
    team(world, 2)
    world.cluster.break_list = world.cluster.break_read = ClusterUnreachable("timed out after 30 s")
    policy = PassPolicy(pace=Pace(300, 0, 1, 600), draw=lambda: 0.0)
    for _ in range(5):
        world.reconcile(policy)
    settings = Settings(backoff_first_seconds=0.01, backoff_most_seconds=0.02)
    return Dispatcher(world.database, world, settings, carried_out, clock=lambda: world.at)


def tick(world: World, dispatcher: Dispatcher) -> None:
    world.at += timedelta(seconds=1)
    before = world.row().last_attempt_at

    def ended() -> bool:
        dispatcher.tick()
        return bool(world.row().last_attempt_at != before)

    assert eventually(ended)


def test_after_so_many_failures_a_cluster_is_only_asked_whether_it_is_there(world: World, broken: Dispatcher) -> None:
    lists: list[int] = []

    def listed() -> list[object]:
        lists.append(1)
        raise ClusterUnreachable("timed out")

    world.cluster.list_bindings = listed  # type: ignore[method-assign,assignment]
    world.cluster.break_probe = ClusterError("connection refused")

    tick(world, broken)

    assert broken.stop(5)
    assert (lists, "CircuitOpen" in world.conditions(), world.health()[0]) == ([], True, "failing")
    assert "connection refused" in str(world.health()[1])


def test_once_it_is_there_again_the_next_pass_is_a_whole_one(world: World, broken: Dispatcher) -> None:
    world.cluster.break_probe = ClusterError("connection refused")
    tick(world, broken)
    world.cluster.break_probe = world.cluster.break_list = world.cluster.break_read = None

    tick(world, broken)

    assert broken.stop(5)
    assert (world.health()[0], world.row().failures, world.conditions()) == ("ok", 0, [])
    assert world.cluster.access == {(None, "edit"): {"team-00", "team-01"}}


@pytest.mark.parametrize(("days", "told"), [(13, True), (15, False), (-1, True)])
def test_a_credential_that_ends_is_told_two_weeks_before(world: World, days: int, told: bool) -> None:
    world.cluster.ends = world.at + timedelta(days=days)

    world.reconcile()

    assert world.conditions() == (["CredentialEnds"] if told else [])
