"""One pass, or its plan, because a person wants it now; and what people then see."""

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterDenied, ClusterUnreachable, NotFound, Unavailable
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.schema import metadata
from scim_bridge.sync import approvals, report, single
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.single import Workshop
from scim_bridge.sync.turns import pass_lease, take_turn
from tests.sync.worlds import CLI, World, team

EDIT = (None, "edit")


def workshop(world: World) -> Workshop:
    return Workshop(world.database, world, PassPolicy(), clock=lambda: world.at)


def contents(world: World) -> dict[str, int]:
    with world.database.read() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_a_plan_writes_nothing_neither_there_nor_here(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:15])
    before, writes = contents(world), world.cluster.writes

    (found,) = single.plan(workshop(world), "acme")

    assert (contents(world), world.cluster.writes) == (before, writes)
    assert [len(each["subjects"]) for each in found.document["loses"]] == [10]
    assert [len(each["subjects"]) for each in found.document["held"]] == [5]


def test_what_a_plan_says_can_be_approved_and_is_what_the_pass_does(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:15])
    (planned,) = single.plan(workshop(world), "acme", "prod")
    single.run(workshop(world), "acme", "prod")

    approvals.approve(world.database, CLI, "acme", "prod", planned.approve or "", clock=lambda: world.at)
    (done,) = single.run(workshop(world), "acme", "prod")

    assert (done.state, done.waits, done.is_failed, len(world.cluster.access[EDIT])) == ("ok", False, False, 25)


def test_the_first_plan_of_a_new_cluster_can_be_approved_before_any_pass_ran(newcomer: World) -> None:
    team(newcomer, 2)
    (planned,) = single.plan(workshop(newcomer), "acme")

    single.prepare_first_plan(workshop(newcomer), "acme", "prod")
    approvals.approve(newcomer.database, CLI, "acme", "prod", planned.approve or "", clock=lambda: newcomer.at)
    writes = newcomer.cluster.writes
    (done,) = single.run(workshop(newcomer), "acme")

    assert (writes, done.state, newcomer.cluster.access) == (0, "ok", {EDIT: {"team-00", "team-01"}})


def test_an_active_cluster_has_no_first_plan_to_prepare(world: World) -> None:
    team(world, 2)

    single.prepare_first_plan(workshop(world), "acme", "prod")

    assert world.cluster.writes == 0


def test_a_cluster_that_somebody_works_on_is_left_to_them(world: World) -> None:
    team(world, 2)

    with take_turn(world.database, pass_lease(world.cluster_id), 30, lambda: world.at, "another"):
        with pytest.raises(Unavailable):
            single.run(workshop(world), "acme", "prod")
        (told,) = single.run(workshop(world), "acme")

    assert world.cluster.writes == 0
    assert "running already" in (told.problem or "")


def test_of_many_clusters_one_that_fails_stops_no_other(world: World) -> None:
    other = world.add_cluster("second")
    team(world, 2)
    world.cluster.break_list = world.cluster.break_read = ClusterUnreachable("down")

    failed, done = single.run(workshop(world), "acme")

    assert (failed.cluster, failed.is_failed, failed.state, failed.problem) == ("prod", True, "failed", "down")
    assert (done.cluster, done.is_failed, other.cluster.access) == ("second", False, {EDIT: {"team-00", "team-01"}})


def test_a_cluster_that_cannot_be_opened_is_told_in_one_sentence(world: World) -> None:
    class Locked:
        def open(self, cluster_id: ClusterId) -> Gateway:
            raise ClusterDenied("The kubeconfig names no user.")

    shop = Workshop(world.database, Locked(), PassPolicy(), clock=lambda: world.at)

    (planned,) = single.plan(shop, "acme")
    (done,) = single.run(shop, "acme")

    assert planned.problem == done.problem == "The kubeconfig names no user."


def test_a_plan_of_a_cluster_that_cannot_be_read_offers_nothing_to_approve(newcomer: World) -> None:
    team(newcomer, 2)
    newcomer.cluster.break_list = newcomer.cluster.break_read = ClusterUnreachable("down")

    (found,) = single.plan(workshop(newcomer), "acme")

    assert (found.problem, found.approve) == ("down", None)


@pytest.mark.parametrize(("organization", "cluster"), [("other", None), ("acme", "nowhere")])
def test_what_is_not_there_is_not_found_by_any_verb(world: World, organization: str, cluster: str | None) -> None:
    for verb in (single.plan, single.run):
        with pytest.raises(NotFound):
            verb(workshop(world), organization, cluster)
    with pytest.raises(NotFound):
        report.status(world.database, organization, cluster)


def test_status_before_any_pass_says_that_nothing_is_known(world: World) -> None:
    (found,) = report.status(world.database, "acme")

    assert (found.cluster, found.state, found.health, found.is_behind) == ("prod", "active", "unknown", True)
    assert (found.last_success_at, found.waits, found.is_failing) == (None, False, False)


def test_status_says_what_is_held_and_what_to_approve(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:15])
    world.reconcile()

    (found,) = report.status(world.database, "acme", "prod")

    assert (found.health, found.held, found.plan_reason, found.waits) == ("degraded", 5, "brake", True)
    assert found.plan_hash == approvals.waiting(world.database, "acme")[0].hash
    assert [each.kind for each in found.conditions] == ["RemovalsHeld"]


def test_status_says_which_removals_are_not_confirmed_and_since_when(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    asked_at = world.at
    world.deactivate(people[0])
    with world.database.write() as connection:
        spread_removals(connection, world.at)

    (found,) = report.status(world.database, "acme")

    assert (found.open_removals, found.removals_since) == (1, asked_at)


def test_status_of_a_failing_cluster_says_why_and_when_it_worked(world: World) -> None:
    team(world, 2)
    world.reconcile()
    worked_at = world.at
    world.cluster.break_list = world.cluster.break_read = ClusterUnreachable("no route to host")

    world.reconcile()
    (found,) = report.status(world.database, "acme")

    assert (found.is_failing, found.last_error, found.failures) == (True, "no route to host", 1)
    assert (found.last_success_at, found.last_attempt_at) == (worked_at, world.at)
    assert found.retry_at is not None


def test_status_shows_nothing_of_another_organization(world: World) -> None:
    team(world, 2)
    world.reconcile()
    world.add_cluster("second")

    assert [each.cluster for each in report.status(world.database, "acme")] == ["prod", "second"]
    assert [each.cluster for each in report.status(world.database, "acme", "second")] == ["second"]
