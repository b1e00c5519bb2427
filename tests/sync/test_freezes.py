"""While something is frozen nobody comes in and nobody is inferred away, and leavers leave; then all is made good."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.identity import freezes
from scim_bridge.identity.freezes import FreezeWanted
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.clock import now
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.schema import change_row, freeze, inferred_removal
from scim_bridge.sync.revocations import RemovalReport, carry_out_removals
from tests.sync.worlds import CLI, World, team

EDIT = (None, "edit")


def begin(world: World, organization: str | None = "acme", **wanted: object) -> None:
    world.at = now()
    freezes.begin(world.database, CLI, organization, FreezeWanted(**wanted))  # type: ignore[arg-type]
    world.at = now()


def remove(world: World) -> RemovalReport:
    world.at += timedelta(seconds=1)
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    place = DueCluster(world.cluster_id, world.organization_id)
    return carry_out_removals(world.database, world.cluster, place, lambda: world.at, lambda: True)


LEVELS: dict[str, tuple[str | None, dict[str, object]]] = {
    "installation": (None, {}),
    "organization": ("acme", {}),
    "cluster": ("acme", {"cluster": "prod"}),
    "binding": ("acme", {"cluster": "prod", "binding": "edit"}),
}


@pytest.mark.parametrize("level", LEVELS)
def test_at_every_level_nothing_is_granted_or_inferred_and_leavers_leave(world: World, level: str) -> None:
    group, people = team(world, 4)
    world.reconcile()
    organization, wanted = LEVELS[level]
    begin(world, organization, reason="an incident", **wanted)
    world.join(group, world.add_member("newcomer"))
    world.leave(group, people[0])
    world.deactivate(people[1])

    report = world.reconcile()

    assert world.cluster.access == {EDIT: {"team-00", "team-02", "team-03"}}
    assert (report.result.frozen, report.is_ok, world.last_pass().frozen) == (True, False, True)
    assert (world.health()[0], world.conditions()) == ("degraded", ["Frozen"])
    assert "ada froze" in report.conditions[0].message
    assert "an incident" in report.conditions[0].message


@pytest.mark.parametrize("level", LEVELS)
def test_when_it_ends_everything_is_made_good(world: World, level: str) -> None:
    group, people = team(world, 4)
    world.reconcile()
    organization, wanted = LEVELS[level]
    begin(world, organization, **wanted)
    world.join(group, world.add_member("newcomer"))
    world.leave(group, people[0])
    world.reconcile()

    ended = freezes.end_place(world.database, CLI, organization, FreezeWanted(**wanted))  # type: ignore[arg-type]
    world.at = now()
    report = world.reconcile()

    assert (ended.level, report.is_ok) == (level, True)
    assert world.cluster.access == {EDIT: {"team-01", "team-02", "team-03", "newcomer"}}
    assert world.conditions() == []


def test_the_removal_lane_goes_on_while_all_is_frozen(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    begin(world, None)
    world.deactivate(people[0])

    report = remove(world)

    assert (report.done, world.cluster.access) == (1, {EDIT: {"team-01", "team-02"}})


def test_leavers_stay_only_while_a_freeze_says_so_and_leave_when_it_is_over(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    begin(world, "acme", including_revocations=True, hours=1)
    world.deactivate(people[0])

    kept, during = remove(world), world.cluster.access
    report = world.reconcile()
    still = world.cluster.access
    world.at += timedelta(hours=1)
    gone = remove(world)

    assert (kept.done, kept.postponed, during, still) == (0, 1, still, {EDIT: {"team-00", "team-01", "team-02"}})
    assert kept.problems[0].startswith("frozen, leavers included: ada froze everything until")
    assert report.result.frozen is True
    assert (gone.done, world.cluster.access) == (1, {EDIT: {"team-01", "team-02"}})


def test_ending_it_lets_leavers_go_at_once_not_when_they_would_be_tried_again(world: World) -> None:
    _, people = team(world, 2)
    world.reconcile()
    begin(world, "acme", including_revocations=True, hours=1)
    world.deactivate(people[0])
    for _ in range(6):
        remove(world)

    freezes.end_place(world.database, CLI, "acme", FreezeWanted())

    assert (remove(world).done, world.cluster.access) == (1, {EDIT: {"team-01"}})


def test_what_a_freeze_left_undone_does_not_count_as_taken_away(world: World) -> None:
    group, people = team(world, 5)
    world.reconcile()
    begin(world)
    world.leave(group, people[0])

    world.reconcile()

    with world.database.read() as connection:
        assert connection.execute(sa.select(inferred_removal.c.id)).all() == []


def test_a_binding_that_is_not_frozen_is_kept_in_step(world: World) -> None:
    group, people = team(world, 2)
    world.give_namespace("view", group, "shop")
    world.reconcile()
    begin(world, "acme", cluster="prod", binding="view@shop")
    world.leave(group, people[0])

    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-01"}, ("shop", "view"): {"team-00", "team-01"}}


def test_drift_is_not_repaired_while_it_is_frozen(world: World) -> None:
    team(world, 2)
    world.reconcile()
    begin(world)
    world.cluster.let_in("mallory")
    writes = world.cluster.writes

    world.reconcile()

    assert (world.cluster.writes, "mallory" in world.cluster.access[EDIT]) == (writes, True)


def test_the_plan_says_that_it_is_frozen_and_lists_only_what_would_be_done(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    begin(world)
    world.leave(group, people[0])

    made = world.plan()

    assert (made.settled.is_frozen, made.settled.plan.changes) == (True, ())
    assert [each.kind for each in made.conditions] == ["Frozen"]


def test_a_freeze_ends_by_itself_when_its_time_is_over(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    begin(world, "acme", hours=2)
    world.leave(group, people[0])
    world.reconcile()

    world.at += timedelta(hours=2)
    world.reconcile()

    assert (world.cluster.access, world.conditions()) == ({EDIT: {"team-01", "team-02"}}, [])


def test_freezing_the_installation_wakes_and_tells_every_organization(world: World) -> None:
    begin(world, None)

    with world.database.read() as connection:
        kinds = connection.execute(sa.select(change_row.c.organization_id, change_row.c.kind)).all()
        rows = connection.execute(sa.select(freeze.c.organization_id)).scalars().all()

    assert (OrganizationId(world.organization_id), "freeze.begun") in [tuple(each) for each in kinds]
    assert rows == [None]
