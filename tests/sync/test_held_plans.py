"""What a brake holds stays held until somebody says so; the limit is an hour's, a person's and an organization's."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.planning import Removal
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied, ClusterUnreachable
from scim_bridge.store.passes import AskedFor
from scim_bridge.store.plans import open_plans
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import plan
from scim_bridge.sync import approvals
from scim_bridge.sync.reconciler import PassReport
from tests.sync.worlds import CLI, World, team

EDIT = (None, "edit")


def approve(world: World, plan_hash: str | None = None, cluster: str = "prod", seconds: float = 3600) -> None:
    wanted = plan_hash or approvals.waiting(world.database, "acme", cluster)[0].hash
    approvals.approve(world.database, CLI, "acme", cluster, wanted, valid_seconds=seconds, clock=lambda: world.at)


def states(world: World) -> list[str]:
    with world.database.read() as connection:
        return list(connection.execute(sa.select(plan.c.state).order_by(plan.c.id)).scalars())


def held(world: World) -> frozenset[Removal]:
    with world.database.read() as connection:
        waiting = open_plans(connection, world.cluster_id).waiting
    return waiting.lists if waiting else frozenset()


def test_hours_that_pass_free_nobody(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:25])
    world.reconcile()
    first = held(world)

    for _ in range(3):
        world.at += timedelta(hours=2)
        world.reconcile()

    assert len(world.cluster.access[EDIT]) == 30
    assert (held(world), len(first), states(world)) == (first, 15, ["waiting"])
    assert world.conditions() == ["RemovalsHeld"]


def test_a_later_hour_has_room_for_others_but_not_for_who_waits(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:15])
    world.reconcile()
    waiting = {subject for _, subject in held(world)}

    world.at += timedelta(hours=2)
    world.leave(group, *people[15:20])
    world.reconcile()

    assert world.cluster.access[EDIT] == {f"team-{number:02}" for number in range(20, 40)} | waiting
    assert {subject for _, subject in held(world)} == waiting


def test_an_approval_lets_go_what_waited_and_is_then_used_up(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:30])
    world.reconcile()

    approve(world)
    report = world.reconcile()

    assert len(world.cluster.access[EDIT]) == 10
    assert (report.is_ok, report.result.inferred_removed, report.result.subjects_removed) == (True, 0, 20)
    assert (states(world), world.conditions(), world.health()) == (["applied"], [], ("ok", None))


def test_of_a_plan_that_has_grown_only_what_was_listed_goes(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:30])
    world.reconcile()
    listed = {subject for _, subject in held(world)}

    approve(world)
    world.leave(group, *people[30:38])
    world.reconcile()

    still_there = world.cluster.access[EDIT]
    assert still_there & listed == set()
    assert still_there == {f"team-{number:02}" for number in range(30, 40)}
    assert states(world) == ["applied", "waiting"]
    assert {subject for _, subject in held(world)} == {f"team-{number:02}" for number in range(30, 38)}


def test_a_plan_that_grows_before_anybody_approves_supersedes_the_one_that_waited(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()

    world.leave(group, *people[20:25])
    world.reconcile()

    assert states(world) == ["superseded", "waiting"]
    assert len(held(world)) == 15


def test_who_is_granted_the_same_again_waits_no_more(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()

    world.join(group, *people[:20])
    report = world.reconcile()

    assert (states(world), world.conditions(), report.result.held) == (["superseded"], [], 0)
    assert len(world.cluster.access[EDIT]) == 30 + 10


def test_who_waits_and_is_asked_to_leave_by_name_leaves(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()
    waiting = sorted(subject for _, subject in held(world))

    world.deactivate(people[int(waiting[0][-2:])])
    world.reconcile()

    assert waiting[0] not in world.cluster.access[EDIT]
    assert sorted(subject for _, subject in held(world)) == waiting[1:]


def test_an_approval_that_ran_out_lets_nobody_go(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()

    approve(world, seconds=60)
    world.at += timedelta(hours=2)
    report = world.reconcile()

    assert (len(world.cluster.access[EDIT]), report.result.held) == (30, 10)
    assert states(world) == ["expired", "waiting"]


def test_an_approval_lasts_until_all_of_it_is_done(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()
    approve(world)

    world.cluster.break_apply = ClusterDenied("may not bind")
    world.reconcile()
    refused = states(world)
    world.cluster.break_apply = None
    world.reconcile()

    assert (refused, states(world)) == (["approved"], ["applied"])
    assert len(world.cluster.access[EDIT]) == 20


def test_a_cluster_that_cannot_be_read_keeps_what_waits_there(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()

    world.cluster.break_list = ClusterUnreachable("down")
    world.reconcile()

    assert (states(world), len(held(world))) == (["waiting"], 10)
    assert world.conditions() == ["RemovalsHeld", "Unreachable"]


def test_an_approved_removal_goes_though_the_list_fails(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:20])
    world.reconcile()
    approve(world)

    world.cluster.break_list = ClusterUnreachable("cut short")
    world.reconcile()

    assert len(world.cluster.access[EDIT]) == 20


def test_a_cluster_is_not_emptied_unasked_whether_at_once_or_by_and_by(world: World) -> None:
    group, people = team(world, 4)
    world.reconcile()

    world.leave(group, *people[:2])
    world.reconcile()
    world.leave(group, *people[2:])
    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-02", "team-03"}}


def test_people_who_came_within_the_hour_are_not_swept_out_to_the_last(world: World) -> None:
    group, people = team(world, 5)
    world.reconcile()

    world.leave(group, *people)
    world.reconcile()

    assert len(world.cluster.access[EDIT]) == 5


def test_one_person_on_many_clusters_counts_once_in_the_organization(world: World) -> None:
    others = [world.add_cluster(f"other-{number}") for number in range(3)]
    group, people = team(world, 40)
    for each in (world, *others):
        each.reconcile()

    world.leave(group, *people[:8])
    for each in (world, *others):
        each.reconcile()

    assert [len(each.cluster.access[EDIT]) for each in (world, *others)] == [32] * 4
    assert world.conditions() == []


def test_different_people_on_many_clusters_share_the_organizations_limit(world: World) -> None:
    places = [world, world.add_cluster("second"), world.add_cluster("third")]
    gone = []
    for number, place in enumerate(places):
        group = world.add_group(f"group-{number}")
        people = [world.add_member(f"of-{number}-{each:02}") for each in range(20)]
        world.join(group, *people)
        world.give("edit", group=group, scope=Scope(ScopeKind.CLUSTER, place.cluster_id))
        gone.append((group, people[:8]))
    for place in places:
        place.reconcile()

    for group, leavers in gone:
        world.leave(group, *leavers)
    for place in places:
        place.reconcile()

    assert [len(place.cluster.access[EDIT]) for place in places] == [12, 18, 20]


def test_the_organizations_last_people_are_not_swept_out_cluster_by_cluster(world: World) -> None:
    places = [world, world.add_cluster("second")]
    gone = []
    for number, place in enumerate(places):
        people = [world.add_member(f"of-{number}-{each}") for each in range(2)]
        group = world.add_group(f"group-{number}")
        world.join(group, *people)
        world.give("edit", group=group, scope=Scope(ScopeKind.CLUSTER, place.cluster_id))
        gone.append((group, people))
    for place in places:
        place.reconcile()

    for group, people in gone:
        world.leave(group, *people)
    for place in places:
        place.reconcile()

    assert [place.cluster.access for place in places] == [{}, {EDIT: {"of-1-0", "of-1-1"}}]


def test_a_person_in_many_namespaces_takes_one_place_under_the_limit(world: World) -> None:
    group, people = team(world, 30)
    for number in range(5):
        world.give_namespace("view", group, f"shop-{number}")
    world.reconcile()

    world.leave(group, *people[:9])
    report = world.reconcile()

    assert (report.result.inferred_removed, report.result.subjects_removed, report.result.held) == (9, 9, 0)
    assert all(len(who) == 21 for who in world.cluster.access.values())
    assert len(world.cluster.access) == 6


def test_a_removal_that_failed_does_not_use_up_the_hour(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:10])
    world.cluster.break_apply = ClusterDenied("may not bind")
    world.reconcile()

    world.cluster.break_apply = None
    world.join(group, *people[:10])
    world.leave(group, *people[10:20])
    world.reconcile()

    assert world.cluster.access[EDIT] == {f"team-{n:02}" for n in (*range(10), *range(20, 40))}


def test_someone_drifted_in_by_hand_is_taken_out_and_counts_as_one(world: World) -> None:
    team(world, 2)
    world.reconcile()
    world.cluster.let_in("mallory")

    report = world.reconcile()

    assert (world.cluster.access, report.result.inferred_removed) == ({EDIT: {"team-00", "team-01"}}, 1)


@pytest.mark.parametrize(
    ("kinds", "everywhere", "in_a_namespace"),
    [
        (None, True, True),
        ({"organization"}, True, False),
        ({"project"}, False, True),
        ({"service"}, False, True),
        ({"organization", "project"}, True, True),
        ({"cluster", "unit"}, True, False),
    ],
)
def test_a_request_covers_the_families_that_its_scopes_can_give(
    kinds: set[str] | None, everywhere: bool, in_a_namespace: bool
) -> None:
    asked = AskedFor({"ana": (None if kinds is None else frozenset(kinds),)})
    edit = KubernetesRole.EDIT

    assert asked.covers((Family(None, edit), "ana")) is everywhere
    assert asked.covers((Family("shop", edit), "ana")) is in_a_namespace
    assert not asked.covers((Family(None, edit), "bob"))


def test_a_named_removal_from_a_group_of_many_scopes_is_never_held(world: World) -> None:
    group, people = team(world, 40)
    scope = world.give_namespace("view", group, "shop")
    world.reconcile()

    world.leave(group, *people[:30])
    with world.database.write() as connection:
        scopes = [world.scope, scope]
        request_removals(connection, world.change(connection), map(MemberId, people[:30]), "membership", scopes)
    report = world.reconcile()

    assert {place: len(who) for place, who in world.cluster.access.items()} == {EDIT: 10, ("shop", "view"): 10}
    assert (report.is_ok, report.result.inferred_removed) == (True, 0)


def test_two_clusters_that_are_written_at_one_moment_share_the_limit(world: World) -> None:
    second = world.add_cluster("second")
    gone = []
    passes: list[PassReport] = []
    for number, place in enumerate((world, second)):
        people = [world.add_member(f"of-{number}-{each:02}") for each in range(20)]
        group = world.add_group(f"group-{number}")
        world.join(group, *people)
        world.give("edit", group=group, scope=Scope(ScopeKind.CLUSTER, place.cluster_id))
        place.reconcile()
        gone.append((group, people[:8]))
    for group, leavers in gone:
        world.leave(group, *leavers)

    world.cluster.before_apply = lambda _: passes.append(second.reconcile())
    world.reconcile()

    assert (len(world.cluster.access[EDIT]), len(second.cluster.access[EDIT])) == (12, 18)
