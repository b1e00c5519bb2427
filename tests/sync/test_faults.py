"""Whatever a cluster does, nothing is lost because of it, it is told, and it is tried again in its time."""

from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Lock

import pytest
import sqlalchemy as sa

from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.pacing import Pace
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    NotFound,
)
from scim_bridge.store.cluster_registry import remove_cluster
from scim_bridge.store.schema import cluster_condition, member
from scim_bridge.sync.policies import PassPolicy
from tests.sync.worlds import World, team

EDIT = (None, "edit")
STEADY = PassPolicy(pace=Pace(300, 30, 1, 600), draw=lambda: 0.5)


def many_objects(world: World, count: int, people: int = 2) -> None:
    """Give a team a role in so many places."""
    group, _ = team(world, people)
    for number in range(count - 1):
        world.give_namespace("view", group, f"shop-{number:02}")


def test_a_list_that_is_empty_by_mistake_costs_nothing_and_is_told(world: World) -> None:
    team(world, 3)
    world.reconcile()
    writes = world.cluster.writes

    world.cluster.lies_empty = True
    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-00", "team-01", "team-02"}}
    assert (world.health()[0], world.cluster.writes, world.conditions()) == ("degraded", writes, ["ListIncomplete"])


def test_while_a_list_leaves_things_out_nothing_is_inferred_and_leavers_leave(world: World) -> None:
    group, people = team(world, 4)
    world.reconcile()
    world.leave(group, people[0])
    world.deactivate(people[1])

    world.cluster.lies_empty = True
    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-00", "team-02", "team-03"}}


def test_a_cluster_that_lies_about_everything_loses_nothing_from_the_record(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()

    world.cluster.lies_empty = world.cluster.lies_by_name = True
    report = world.reconcile()
    world.deactivate(people[0])
    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-00", "team-01", "team-02"}}
    assert [reason for _, reason in report.result.failed] == ["it changed since it was read"]
    assert "team-00" in world.people_on_record()


def test_when_the_lies_end_who_was_asked_to_leave_meanwhile_leaves(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    world.cluster.lies_empty = world.cluster.lies_by_name = True
    world.deactivate(*people)
    world.reconcile()

    world.cluster.lies_empty = world.cluster.lies_by_name = False
    report = world.reconcile()

    assert (world.cluster.access, report.result.held, world.people_on_record()) == ({}, 0, set())


def test_what_somebody_deleted_by_hand_is_forgotten_once_it_is_not_wanted(world: World) -> None:
    group, people = team(world, 2)
    view = world.add_group("viewers")
    world.give("view", group=view)
    viewer = world.add_member("viewer")
    world.join(view, viewer)
    world.reconcile()
    world.leave(group, *people)

    world.cluster.objects = {k: v for k, v in world.cluster.objects.items() if k.family.role.value == "view"}
    world.reconcile()

    assert (world.cluster.access, world.people_on_record()) == ({(None, "view"): {"viewer"}}, {"viewer"})


def test_the_record_is_put_right_by_what_is_there(world: World) -> None:
    team(world, 2)
    world.reconcile()
    world.cluster.let_in("mallory")
    world.cluster.break_apply = ClusterDenied("may not bind")

    world.reconcile()

    assert world.people_on_record() == {"team-00", "team-01", "mallory"}


def test_who_is_not_active_is_asked_to_leave_whoever_forgot_to_say_so(world: World) -> None:
    _, people = team(world, 40)
    world.reconcile()
    with world.database.write() as connection:
        connection.execute(sa.update(member).where(member.c.id.in_(people[:30])).values(state="removed"))

    report = world.reconcile()

    assert (len(world.cluster.access[EDIT]), report.result.held) == (10, 0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ClusterUnreachable("timed out after 30 s"), "Unreachable"),
        (ClusterThrottled("too many requests", 7), "Throttled"),
        (ClusterDenied("Unauthorized"), "AccessDenied"),
    ],
)
def test_a_cluster_that_cannot_be_read_is_failing_and_is_tried_later(
    world: World, fault: ClusterError, kind: str
) -> None:
    team(world, 2)
    world.cluster.break_list = world.cluster.break_read = fault

    world.reconcile(STEADY)
    first = world.row()
    world.reconcile(STEADY)
    second = world.row()

    assert (first.health, second.failures, world.conditions()) == ("failing", 2, [kind])
    assert second.retry_at - world.at == timedelta(seconds=7 if kind == "Throttled" else 1)
    assert (second.done_generation, second.last_success_at) == (0, None)


def test_health_comes_back_with_the_cluster_and_since_keeps_its_time(world: World) -> None:
    team(world, 2)
    world.cluster.break_list = world.cluster.break_read = ClusterUnreachable("down")
    world.reconcile()
    since = conditions_since(world)
    world.reconcile()

    lasting = conditions_since(world)
    world.cluster.break_list = world.cluster.break_read = None
    world.reconcile(STEADY)
    row = world.row()

    assert lasting == since != []
    assert (row.health, row.failures, row.retry_at, row.last_error) == ("ok", 0, None, None)
    assert (row.last_success_at, row.next_pass_at - world.at) == (world.at, timedelta(seconds=315))
    assert (row.done_generation == row.generation, row.due_since, world.conditions()) == (True, None, [])


def conditions_since(world: World) -> list[object]:
    query = sa.select(cluster_condition.c.kind, cluster_condition.c.since)
    with world.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ClusterRejected('namespaces "shop" not found'), "NamespaceMissing"),
        (ClusterRejected('clusterroles.rbac.authorization.k8s.io "view" not found'), "RoleMissing"),
        (ClusterDenied("may not bind"), "BindDenied"),
    ],
)
def test_one_object_that_is_refused_degrades_the_cluster_and_stops_no_other(
    world: World, fault: ClusterError, kind: str
) -> None:
    group, _ = team(world, 2)
    world.give_namespace("view", group, "shop")

    def refuse(binding: Binding) -> None:
        if binding.key.family.namespace == "shop":
            raise fault

    world.cluster.before_apply = refuse
    world.reconcile(STEADY)
    row = world.row()

    assert world.cluster.access == {EDIT: {"team-00", "team-01"}}
    assert (row.health, row.failures, world.conditions()) == ("degraded", 1, [kind])
    assert row.retry_at is not None


def test_a_cluster_that_asks_for_patience_at_a_write_gets_it(world: World) -> None:
    team(world, 2)
    world.cluster.break_apply = ClusterThrottled("later", 600)

    world.reconcile(STEADY)
    row = world.row()

    assert (row.health, row.retry_at - world.at) == ("failing", timedelta(seconds=60))


def test_a_cluster_that_hangs_is_not_waited_for_a_thousand_times(world: World) -> None:
    many_objects(world, 30)
    tries: list[Binding] = []

    def hang(binding: Binding) -> None:
        tries.append(binding)
        raise ClusterUnreachable("did not answer within 30 s")

    world.cluster.before_apply = hang
    report = world.reconcile(PassPolicy(writers=4))

    assert len(report.result.failed) == 30
    assert len(tries) < 12
    assert world.health()[0] == "failing"


def test_though_creates_hang_removals_are_tried(world: World) -> None:
    group, people = team(world, 2)
    world.reconcile()
    world.deactivate(*people)
    for number in range(30):
        world.give_namespace("view", group, f"shop-{number:02}")
    world.join(group, world.add_member("new"))

    world.cluster.break_create = ClusterUnreachable("did not answer within 30 s")
    world.reconcile(PassPolicy(writers=2))

    assert world.cluster.access == {EDIT: {"new"}}


def test_writes_of_one_stage_run_side_by_side(world: World) -> None:
    many_objects(world, 4)
    together = Barrier(4, timeout=10)
    met: list[bool] = []

    def meet(_: Binding) -> None:
        try:
            together.wait()
        except BrokenBarrierError:
            return
        met.append(True)

    world.cluster.before_apply = meet
    world.reconcile(PassPolicy(writers=4))

    assert (len(met), len(world.cluster.objects)) == (4, 4)


def test_no_delete_begins_before_the_last_create_has_ended(world: World) -> None:
    many_objects(world, 3, people=12)
    world.reconcile(PassPolicy(subjects_per_binding=1000))
    everybody = {place: set(who) for place, who in world.cluster.access.items()}
    gaps: list[object] = []
    lock = Lock()

    def look(_: Binding) -> None:
        with lock:
            gaps.extend(place for place, who in everybody.items() if who - world.cluster.access.get(place, set()))

    world.cluster.before_apply = world.cluster.after_apply = look
    world.reconcile(PassPolicy(subjects_per_binding=1, writers=4))

    assert len(world.cluster.objects) > 3
    assert (gaps, world.cluster.access) == ([], everybody)


def test_a_pass_that_lost_its_turn_stops_before_its_next_write(world: World) -> None:
    many_objects(world, 10)
    asked: list[bool] = []

    def goes_on() -> bool:
        asked.append(len(asked) < 4)
        return asked[-1]

    report = world.reconcile(PassPolicy(writers=1), goes_on)
    row = world.row()

    assert report.is_abandoned
    assert not report.is_ok
    assert len(world.cluster.objects) == 3
    assert (world.last_pass().state, world.last_pass().created, world.last_pass().failed) == ("abandoned", 3, 0)
    assert (row.done_generation, row.failures, row.health, row.retry_at) == (0, 0, "unknown", None)


def test_what_an_abandoned_pass_left_the_next_one_does(world: World) -> None:
    many_objects(world, 10)
    world.reconcile(goes_on=iter([True] * 3 + [False] * 100).__next__)

    report = world.reconcile()

    assert (report.is_ok, len(world.cluster.objects)) == (True, 10)
    assert world.row().done_generation == world.row().generation


def test_a_turn_that_is_lost_while_the_cluster_is_read_writes_nothing(world: World) -> None:
    team(world, 2)

    report = world.reconcile(goes_on=lambda: False)

    assert (report.is_abandoned, world.cluster.writes, world.people_on_record()) == (True, 0, set())


def test_removals_that_an_abandoned_pass_did_not_do_use_up_no_hour(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:10])
    world.reconcile(goes_on=iter([True] + [False] * 100).__next__)
    world.join(group, *people[:10])

    world.leave(group, *people[10:20])
    report = world.reconcile()

    assert (report.result.held, len(world.cluster.access[EDIT])) == (0, 30)


def test_a_cluster_that_is_removed_while_it_is_read_gets_no_pass(world: World) -> None:
    team(world, 2)
    with world.database.write() as connection:
        remove_cluster(connection, world.change(connection), world.cluster_id)

    with pytest.raises(NotFound):
        world.reconcile()

    assert (world.cluster.writes, world.people_on_record()) == (0, set())
