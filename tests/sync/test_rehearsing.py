"""The dry run of a plan on the cluster itself: every write is asked about, and nothing is kept."""

from dataclasses import replace
from datetime import datetime, timedelta

from scim_bridge.errors import ClusterDenied, ClusterRejected
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import DryRun, plan_cluster
from tests.sync.clockwork import UNREACHABLE
from tests.sync.worlds import World, team


def dry_run(world: World, policy: PassPolicy | None = None) -> DryRun:
    def clock() -> datetime:
        world.at += timedelta(seconds=1)
        return world.at

    place = (world.organization_id, world.cluster_id)
    return plan_cluster(world.database, world.cluster, *place, policy or PassPolicy(), clock, on_server=True)


def told(made: DryRun) -> list[tuple[str, str | None, bool | None, bool]]:
    return [(each.action, each.namespace, each.accepted, each.waits) for each in made.answers or ()]


def test_a_plan_alone_asks_the_cluster_for_no_dry_run(world: World) -> None:
    team(world, 2)

    assert world.plan().answers is None
    assert world.cluster.rehearsed == 0


def test_each_planned_write_is_asked_about_and_none_is_kept(world: World) -> None:
    group, people = team(world, 4)
    world.reconcile()
    before, writes = world.cluster.access, world.cluster.writes
    world.join(group, world.add_member("newcomer"))
    world.leave(group, people[0])
    world.give_namespace("view", group, "shop")

    made = dry_run(world)

    assert sorted(told(made)) == [
        ("create", "shop", True, False), ("grow", None, True, False), ("shrink", None, True, False),
    ]  # fmt: skip
    assert (world.cluster.access, world.cluster.writes, world.cluster.rehearsed) == (before, writes, 3)


def test_before_anybody_approved_a_cluster_its_first_plan_is_asked_about(newcomer: World) -> None:
    team(newcomer, 2)

    assert told(dry_run(newcomer)) == [("create", None, True, True)]
    assert newcomer.cluster.access == {}


def test_what_a_cluster_would_refuse_is_told_write_by_write(world: World) -> None:
    group, people = team(world, 2)
    world.reconcile()
    world.give_namespace("view", group, "shop")
    world.deactivate(*people)
    world.cluster.break_apply = ClusterRejected("the webhook says no")

    made = dry_run(world)
    world.cluster.break_apply, world.cluster.break_delete = None, ClusterDenied("you may not delete")
    again = dry_run(world)

    assert told(made) == [("delete", None, True, False)]
    assert told(again) == [("delete", None, False, False)]
    assert (again.answers or ())[0].problem == "you may not delete"


def test_a_cluster_that_falls_silent_is_not_asked_about_all_the_rest(world: World) -> None:
    group, _ = team(world, 1)
    for number in range(12):
        world.give_namespace("view", group, f"shop-{number}")
    world.cluster.break_apply = UNREACHABLE

    made = dry_run(world, replace(PassPolicy(), writers=1))

    problems = [each.problem or "" for each in made.answers or ()]
    assert [each.accepted for each in made.answers or ()] == [None] * 13
    assert sum(each.startswith("not asked") for each in problems) == 10


def test_a_dry_run_has_the_time_of_a_pass_and_says_what_it_did_not_ask(world: World) -> None:
    group, _ = team(world, 1)
    for number in range(5):
        world.give_namespace("view", group, f"shop-{number}")

    made = dry_run(world, replace(PassPolicy(), writers=1, budget_seconds=3))

    answers = [each.accepted for each in made.answers or ()]
    assert True in answers
    assert answers[-1] is None
    assert "time of a pass" in str((made.answers or ())[-1].problem)
