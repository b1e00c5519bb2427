"""A cluster that nobody approved is planned and never written to."""

import pytest
import sqlalchemy as sa

from scim_bridge.errors import ClusterUnreachable, Conflict, NotFound
from scim_bridge.store.schema import audit_entry, change_row, cluster, plan
from scim_bridge.sync import approvals
from tests.sync.worlds import CLI, World, team

EDIT = (None, "edit")


def waiting_hash(world: World) -> str:
    return approvals.waiting(world.database, "acme", "prod")[0].hash


def approve(world: World, plan_hash: str, organization: str = "acme") -> approvals.Approval:
    return approvals.approve(world.database, CLI, organization, "prod", plan_hash, clock=lambda: world.at)


def state(world: World) -> str:
    with world.database.read() as connection:
        return str(connection.execute(sa.select(cluster.c.state)).scalar_one())


def test_nothing_is_written_before_the_first_plan_is_approved(newcomer: World) -> None:
    team(newcomer, 3)

    report = newcomer.reconcile()

    assert (newcomer.cluster.writes, newcomer.people_on_record(), report.plan.changes) == (0, set(), ())
    assert (newcomer.conditions(), newcomer.health()[0]) == (["FirstPlanWaits"], "degraded")


def test_the_first_plan_says_exactly_who_gains_and_loses_what(newcomer: World) -> None:
    team(newcomer, 2)

    newcomer.reconcile()
    (found,) = approvals.waiting(newcomer.database, "acme")

    assert [(each["role"], each["subjects"]) for each in found.gains] == [("edit", ["team-00", "team-01"])]
    assert (found.cluster, found.reason, found.loses, found.removals) == ("prod", "first_contact", (), 0)


def test_after_its_approval_the_cluster_is_active_and_gets_what_it_should(newcomer: World) -> None:
    team(newcomer, 3)
    newcomer.reconcile()

    made = approve(newcomer, waiting_hash(newcomer)[:12])
    report = newcomer.reconcile()

    assert (made.reason, state(newcomer), report.is_ok) == ("first_contact", "active", True)
    assert newcomer.cluster.access == {EDIT: {"team-00", "team-01", "team-02"}}
    assert (newcomer.conditions(), approvals.waiting(newcomer.database, "acme")) == ([], [])


def test_an_approval_leaves_an_audit_row_and_wakes_the_cluster(newcomer: World) -> None:
    team(newcomer, 1)
    newcomer.reconcile()

    approve(newcomer, waiting_hash(newcomer))

    with newcomer.database.read() as connection:
        actions = set(connection.execute(sa.select(audit_entry.c.action)).scalars())
        waiting = sa.select(change_row.c.kind).where(change_row.c.dispatched_at.is_(None))
        news = set(connection.execute(waiting).scalars())
    assert "plan.approved" in actions
    assert "plan.approved" in news


def test_another_hash_approves_nothing_and_shows_what_waits(newcomer: World) -> None:
    group, _ = team(newcomer, 1)
    newcomer.reconcile()
    old = waiting_hash(newcomer)
    newcomer.join(group, newcomer.add_member("surprise"))
    newcomer.reconcile()

    with pytest.raises(Conflict) as refused:
        approve(newcomer, old)

    assert waiting_hash(newcomer)[:12] in str(refused.value)
    assert "surprise" in str(refused.value)
    assert state(newcomer) == "unapproved"


@pytest.mark.parametrize("cut", [0, 4, 11])
def test_a_hash_that_is_cut_too_short_names_no_plan(newcomer: World, cut: int) -> None:
    team(newcomer, 1)
    newcomer.reconcile()

    with pytest.raises(Conflict):
        approve(newcomer, waiting_hash(newcomer)[:cut])


def test_an_approval_cannot_be_used_twice(newcomer: World) -> None:
    team(newcomer, 1)
    newcomer.reconcile()
    found = waiting_hash(newcomer)
    approve(newcomer, found)

    with pytest.raises(Conflict, match="No plan waits"):
        approve(newcomer, found)


def test_another_organization_sees_and_approves_nothing(newcomer: World) -> None:
    team(newcomer, 1)
    newcomer.reconcile()

    with pytest.raises(NotFound):
        approve(newcomer, waiting_hash(newcomer), organization="other")
    with pytest.raises(NotFound):
        approvals.waiting(newcomer.database, "other")


def test_a_leaver_concerns_nothing_where_nothing_was_written(newcomer: World) -> None:
    _, people = team(newcomer, 2)
    newcomer.reconcile()

    newcomer.deactivate(people[0])
    newcomer.reconcile()

    (found,) = approvals.waiting(newcomer.database, "acme")
    assert [each["subjects"] for each in found.gains] == [["team-01"]]
    assert newcomer.cluster.writes == 0


def test_a_first_plan_with_nothing_in_it_still_waits_for_a_person(newcomer: World) -> None:
    newcomer.reconcile()

    approve(newcomer, waiting_hash(newcomer))

    assert state(newcomer) == "active"


def test_a_cluster_registered_as_approved_is_active_at_once(world: World) -> None:
    team(world, 1)

    report = world.reconcile()

    assert (state(world), report.is_ok, world.cluster.access) == ("active", True, {EDIT: {"team-00"}})


def test_an_unapproved_cluster_that_cannot_be_read_offers_no_plan_to_approve(newcomer: World) -> None:
    team(newcomer, 1)
    newcomer.cluster.break_list = ClusterUnreachable("down")

    newcomer.reconcile()

    assert approvals.waiting(newcomer.database, "acme") == []
    assert newcomer.conditions() == ["FirstPlanWaits", "Unreachable"]


def test_the_same_plan_keeps_the_time_since_when_it_waits(newcomer: World) -> None:
    team(newcomer, 1)
    newcomer.reconcile()
    since = approvals.waiting(newcomer.database, "acme")[0].since

    newcomer.reconcile()

    assert approvals.waiting(newcomer.database, "acme")[0].since == since
    with newcomer.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(plan)).scalar_one() == 1
