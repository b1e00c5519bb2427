"""
A person who is asked to leave while a pass is under way never comes back by it.

Each test puts the request at another moment of the pass, and lets the lane of removals do its worst in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterUnreachable
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.leases import take_lease
from scim_bridge.store.removal_queue import close_removals, spread_removals
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import removal_request, removal_request_cluster
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.revocations import carry_out_removals
from scim_bridge.sync.turns import pass_lease
from tests.sync.worlds import World, team

ONE_WRITER = PassPolicy(writers=1)


@dataclass
class Once:
    """Does something once, the first time that it is called."""

    action: Callable[[], object]
    is_done: bool = False

    def __call__(self, _: object = None) -> None:
        if not self.is_done:
            self.is_done = True
            self.action()


def spread(world: World) -> None:
    with world.database.write() as connection:
        spread_removals(connection, world.at)


def lane(world: World) -> None:
    """Run the lane as the dispatcher would; where no turn was begun it takes the pass for ended: its worst case."""
    spread(world)
    place = DueCluster(world.cluster_id, world.organization_id)
    carry_out_removals(world.database, world.cluster, place, lambda: world.at, lambda: True)


def everybody(world: World) -> set[str]:
    return set().union(*world.cluster.access.values())


def leave_all(world: World, people: list[str], then: Callable[[World], None]) -> Callable[[], None]:
    """Return what deactivates people and then runs the lane, or a part of it."""

    def leave() -> None:
        world.deactivate(*people)
        then(world)

    return leave


def outcomes(world: World) -> list[tuple[str | None, str]]:
    """Return what became of each request, and of its part on the cluster."""
    parts = removal_request_cluster
    query = sa.select(removal_request.c.outcome, parts.c.state).outerjoin(
        parts, parts.c.removal_request_id == removal_request.c.id
    )
    with world.database.read() as connection:
        return [(outcome, state) for outcome, state in connection.execute(query)]


def part_ids(world: World) -> list[str]:
    with world.database.read() as connection:
        return list(connection.execute(sa.select(removal_request_cluster.c.id)).scalars())


def begin_turn(world: World) -> None:
    """Hold the lease that every pass has, as a process does that then dies."""
    with world.database.write() as connection:
        take_lease(connection, pass_lease(world.cluster_id), "dead", world.at, world.at + timedelta(seconds=30))


def during_the_list(world: World, action: Callable[[], object]) -> None:
    """Act when the pass has read the store and looks at the cluster."""
    real, act = world.cluster.list_bindings, Once(action)

    def listed() -> list[ObservedBinding]:
        act()
        return real()

    world.cluster.list_bindings = listed  # type: ignore[method-assign]


def test_who_is_deactivated_between_the_sealed_read_and_the_announcement_is_never_added(world: World) -> None:
    _, people = team(world, 3)
    during_the_list(world, lambda: world.deactivate(people[0]))

    world.reconcile()

    assert everybody(world) == {"team-01", "team-02"}
    assert world.people_on_record() == {"team-01", "team-02"}


def test_nor_when_the_request_was_already_found_void(world: World) -> None:
    _, people = team(world, 3)

    def leave() -> None:
        world.deactivate(people[0])
        lane(world)

    during_the_list(world, leave)

    world.reconcile()

    assert everybody(world) == {"team-01", "team-02"}
    assert [outcome for outcome, _ in outcomes(world)] == ["void"]


def test_who_is_deactivated_after_the_announcement_is_found_by_the_record(world: World) -> None:
    _, people = team(world, 3)
    world.cluster.before_apply = Once(leave_all(world, people[:1], spread))

    world.reconcile(ONE_WRITER)
    written = everybody(world)
    lane(world)

    assert written == {"team-00", "team-01", "team-02"}
    assert everybody(world) == {"team-01", "team-02"}
    assert outcomes(world) == [("done", "done")]


def test_a_removal_that_was_confirmed_before_the_write_arrived_is_asked_anew(world: World) -> None:
    _, people = team(world, 3)
    before: list[list[tuple[str | None, str]]] = []

    def leave(_: Binding) -> None:
        if not before:
            world.deactivate(people[0])
            lane(world)
            before.append(outcomes(world))

    world.cluster.before_apply = leave

    world.reconcile(ONE_WRITER)
    after_the_pass = outcomes(world)
    lane(world)

    assert (before, after_the_pass) == ([[("done", "done")]], [(None, "open")])
    assert everybody(world) == {"team-01", "team-02"}
    assert outcomes(world) == [("done", "done")]


def test_a_lane_that_looked_before_the_write_and_closes_after_it_closes_nothing(world: World) -> None:
    _, people = team(world, 2)
    looked_at: list[str] = []

    def leave() -> None:
        world.deactivate(people[0])
        spread(world)
        looked_at.extend(part_ids(world))

    world.cluster.before_apply = Once(leave)
    world.reconcile(ONE_WRITER)
    with world.database.write() as connection:
        close_removals(connection, looked_at, "done", world.at)

    assert len(looked_at) == 1
    assert outcomes(world) == [(None, "open")]


def die(_: object) -> None:
    raise KeyboardInterrupt


def test_of_a_pass_that_dies_before_its_write_arrives_nobody_is_left_behind(world: World) -> None:
    group, _ = team(world, 40)
    world.reconcile()
    late = [world.add_member(f"late-{number}") for number in range(12)]
    world.join(group, *late)

    begin_turn(world)
    world.cluster.before_apply = Once(leave_all(world, late, lane))
    world.cluster.after_apply = die
    with pytest.raises(KeyboardInterrupt):
        world.reconcile(ONE_WRITER)
    written = everybody(world)
    world.cluster.after_apply = None
    report = world.reconcile()

    assert len(written) == 40 + 12
    assert everybody(world) == {f"team-{number:02}" for number in range(40)}
    assert (report.result.held, report.result.inferred_removed) == (0, 0)


def test_nor_who_left_only_a_group_though_all_others_are_held(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    late = world.add_member("late")
    world.join(group, late)

    def leave() -> None:
        world.leave(group, late)
        with world.database.write() as connection:
            request_removals(connection, world.change(connection), [MemberId(late)], "membership", [world.scope])
        lane(world)

    begin_turn(world)
    world.cluster.before_apply = Once(leave)
    world.cluster.after_apply = die
    with pytest.raises(KeyboardInterrupt):
        world.reconcile(ONE_WRITER)
    world.cluster.after_apply = None
    world.leave(group, *people)
    report = world.reconcile()

    assert everybody(world) == {"team-00", "team-01", "team-02"}
    assert report.result.held == 3


def test_who_moves_to_another_shard_and_is_asked_to_leave_meanwhile_is_in_neither(world: World) -> None:
    _, people = team(world, 40)
    world.reconcile(PassPolicy(subjects_per_binding=100, writers=1))

    def leave() -> None:
        world.deactivate(people[7])
        lane(world)

    world.cluster.before_apply = Once(leave)
    world.reconcile(PassPolicy(subjects_per_binding=5, writers=1))
    lane(world)
    world.reconcile(PassPolicy(subjects_per_binding=5, writers=1))

    assert everybody(world) == {f"team-{number:02}" for number in range(40) if number != 7}
    assert all(outcome == "done" for outcome, _ in outcomes(world))


def test_who_was_asked_to_leave_one_project_keeps_the_rest_on_the_way_to_another_shard(world: World) -> None:
    group, people = team(world, 40)
    scope = world.give_namespace("view", group, "shop")
    world.reconcile(PassPolicy(subjects_per_binding=100))
    other = world.add_group("other")
    world.give("edit", group=other)
    world.join(other, people[3])

    def leave() -> None:
        with world.database.write() as connection:
            request_removals(connection, world.change(connection), [MemberId(people[3])], "membership", [scope])

    during_the_list(world, leave)
    world.reconcile(PassPolicy(subjects_per_binding=5))

    assert "team-03" in world.cluster.access[(None, "edit")]


def test_who_is_invited_back_after_leaving_is_there_after_the_next_pass(world: World) -> None:
    _, people = team(world, 3)
    during_the_list(world, lambda: world.deactivate(people[0]))
    world.reconcile()

    world.activate(people[0])
    world.reconcile()

    assert everybody(world) == {"team-00", "team-01", "team-02"}


def test_a_grow_that_failed_and_came_with_the_shrink_is_confirmed_like_any_other(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    new = world.add_member("new")
    world.join(group, new)
    world.leave(group, people[0])
    tries: list[str] = []

    def fail_first(_: Binding) -> None:
        tries.append("try")
        if len(tries) == 1:
            world.deactivate(new)
            lane(world)
            raise ClusterUnreachable("timed out")

    world.cluster.before_apply = fail_first
    world.reconcile(ONE_WRITER)
    lane(world)

    assert everybody(world) == {"team-01", "team-02"}


def test_the_record_of_what_is_announced_is_there_before_the_write(world: World) -> None:
    team(world, 3)
    seen: list[set[str]] = []
    world.cluster.before_apply = Once(lambda: seen.append(world.people_on_record()))

    world.reconcile()

    assert seen == [{"team-00", "team-01", "team-02"}]
