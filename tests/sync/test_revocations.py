"""What somebody asked to take away is gone from the cluster, whatever else goes on, and nothing else goes with it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterError, ClusterRejected, ClusterThrottled, ForeignObject
from scim_bridge.store.applied import Applied, Whom, keys_holding, record_applied
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.leases import take_lease
from scim_bridge.store.removal_queue import open_removals_on, spread_removals
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import (
    cluster,
    grant_origin,
    member,
    project,
    project_namespace,
    removal_request_cluster,
    sync_pass,
)
from scim_bridge.sync.revocations import PASS_UNDER_WAY, RemovalReport, carry_out_removals, postpone_all
from scim_bridge.sync.turns import pass_lease, take_turn
from tests.sync.clockwork import DENIED, STALE, UNREACHABLE, TroubledCluster, outcomes
from tests.sync.worlds import World, make_world

EDIT = (None, "edit")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    database = Database(migrated_url)
    made = make_world(database)
    made.cluster = TroubledCluster()
    yield made
    database.dispose()


def troubled(world: World) -> TroubledCluster:
    assert isinstance(world.cluster, TroubledCluster)
    return world.cluster


def team(world: World, count: int, role: str = "edit", name: str = "team") -> tuple[str, list[str]]:
    group = world.add_group(name)
    people = [world.add_member(f"{name}-{number:03}") for number in range(count)]
    world.join(group, *people)
    world.give(role, group=group)
    world.reconcile()
    return group, people


def place(world: World) -> DueCluster:
    return DueCluster(world.cluster_id, world.organization_id)


def run(world: World, goes_on: Callable[[], bool] = lambda: True, after: float = 1) -> RemovalReport:
    world.at += timedelta(seconds=after)
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    return carry_out_removals(world.database, world.cluster, place(world), lambda: world.at, goes_on)


def ask(world: World, member_id: str, cause: str, *scopes: Scope) -> None:
    with world.database.write() as connection:
        request_removals(connection, world.change(connection), [MemberId(member_id)], cause, scopes or None)


def attempts(world: World) -> list[tuple[int, str | None]]:
    with world.database.read() as connection:
        part = removal_request_cluster
        rows = connection.execute(sa.select(part.c.attempts, part.c.last_error).where(part.c.state == "open"))
        return [(row.attempts, row.last_error) for row in rows]


def test_a_leaver_is_out_without_any_list_of_the_cluster(world: World) -> None:
    _, people = team(world, 3)
    world.deactivate(people[0])
    world.cluster.break_list = UNREACHABLE

    report = run(world)

    assert world.cluster.access == {EDIT: {"team-001", "team-002"}}
    assert (report, outcomes(world)) == (RemovalReport(done=1), ["done"])


def test_the_last_one_takes_the_binding_with_them(world: World) -> None:
    _, people = team(world, 1)
    world.deactivate(*people)

    run(world)

    assert world.cluster.objects == {}
    with world.database.read() as connection:
        assert keys_holding(connection, world.cluster_id, MemberId(people[0])) == []


def test_two_hundred_leavers_are_one_write_of_their_shard(world: World) -> None:
    _, people = team(world, 210)
    writes = world.cluster.writes
    world.deactivate(*people[:200])

    report = run(world)

    assert world.cluster.writes - writes == 1
    assert (report.done, len(world.cluster.access[EDIT])) == (200, 10)


def test_nobody_is_held_back_by_a_brake_when_everybody_is_asked_to_go(world: World) -> None:
    _, people = team(world, 40)
    world.deactivate(*people)

    run(world)

    assert world.cluster.access == {}


def test_who_was_activated_again_in_between_keeps_everything(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    with world.database.write() as connection:
        connection.execute(sa.update(member).values(state="active"))

    report = run(world)

    assert world.cluster.access == {EDIT: {"team-000", "team-001"}}
    assert (report, outcomes(world)) == (RemovalReport(void=1), ["void"])


def test_a_named_removal_takes_only_what_nothing_else_gives(world: World) -> None:
    group, people = team(world, 2)
    other, _ = team(world, 0, "view", "others")
    world.join(other, *people)
    world.give("edit", member_id=people[1])
    world.reconcile()
    world.leave(group, *people)
    for each in people:
        ask(world, each, "membership", Scope(ScopeKind.ORGANIZATION, world.organization_id))

    run(world)

    assert world.cluster.access[EDIT] == {"team-001"}
    assert sorted(outcomes(world), key=str) == ["done", "void"]


def test_a_removal_in_a_project_leaves_what_is_held_cluster_wide(world: World) -> None:
    group, people = team(world, 2)
    world.leave(group, people[0])
    ask(world, people[0], "membership", Scope(ScopeKind.PROJECT, "shop"))

    run(world)

    # Cluster-wide access was lost too, but not by what somebody asked for: the pass and its brakes decide on it.
    assert world.cluster.access == {EDIT: {"team-000", "team-001"}}


def test_an_old_subject_goes_and_the_new_one_is_left_to_the_pass(world: World) -> None:
    _, people = team(world, 2)
    with world.database.write() as connection:
        connection.execute(sa.update(member).where(member.c.id == people[0]).values(user_name="renamed"))
    ask(world, people[0], "renamed")

    run(world)
    after = world.cluster.access
    world.reconcile()

    assert after == {EDIT: {"team-001"}}
    assert world.cluster.access == {EDIT: {"renamed", "team-001"}}


def test_somebody_elses_edit_of_the_same_moment_is_read_again_and_kept(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    troubled(world).before_write = lambda: troubled(world).edit("by-hand")

    report = run(world)

    assert world.cluster.access == {EDIT: {"by-hand", "team-001"}}
    assert report.done == 1


def test_a_binding_that_never_stands_still_is_tried_again_later(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.break_apply = STALE

    first = run(world)
    world.cluster.break_apply = None
    second = run(world, after=10)

    assert (first.postponed, second.done) == (1, 1)


def test_a_binding_that_is_not_ours_is_left_alone_and_says_so(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    troubled(world).break_get[""] = ForeignObject("it is not this installation's; it is left alone")

    run(world)

    assert world.cluster.access == {EDIT: {"team-000", "team-001"}}
    assert attempts(world) == [(1, "it is not this installation's; it is left alone")]


def test_a_binding_that_is_gone_is_a_removal_that_is_done(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.objects.clear()

    run(world)

    assert outcomes(world) == ["done"]


@pytest.mark.parametrize("fault", [UNREACHABLE, ClusterThrottled("later", 7), ClusterRejected("a webhook says no")])
def test_what_the_cluster_does_not_take_is_not_confirmed_and_is_tried_again(world: World, fault: ClusterError) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.break_apply = fault

    report = run(world)
    at_once = run(world, after=0)
    world.cluster.break_apply = None
    later = run(world, after=10)

    assert (report.postponed, report.problems) == (1, (str(fault),))
    assert (at_once, later.done) == (RemovalReport(), 1)
    assert world.cluster.access == {EDIT: {"team-001"}}


def test_waits_grow_and_end_at_a_minute(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.break_apply = UNREACHABLE
    for _ in range(20):
        run(world, after=60)

    with world.database.read() as connection:
        soon = open_removals_on(connection, world.cluster_id, world.at + timedelta(seconds=29))
        in_a_minute = open_removals_on(connection, world.cluster_id, world.at + timedelta(seconds=60))

    assert (soon, len(in_a_minute)) == ([], 1)


def test_a_cluster_that_asks_for_patience_gets_a_minute_at_most(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.break_apply = ClusterThrottled("later", 86_400)

    run(world)
    world.cluster.break_apply = None

    assert run(world, after=61).done == 1


def test_when_bind_was_lost_the_binding_is_deleted_whole_and_everybody_is_told(world: World) -> None:
    _, people = team(world, 3)
    world.deactivate(people[0])
    world.cluster.break_apply = DENIED

    report = run(world)

    assert (world.cluster.access, report.done) == ({}, 1)
    assert world.conditions() == ["RemovedByDelete"]


def test_who_lost_access_with_a_deleted_binding_gets_it_back_with_the_right_to_bind(world: World) -> None:
    _, people = team(world, 3)
    world.deactivate(people[0])
    world.cluster.break_apply = DENIED
    run(world)

    world.cluster.break_apply = None
    world.reconcile()

    assert world.cluster.access == {EDIT: {"team-001", "team-002"}}
    assert world.conditions() == []


def test_a_credential_that_may_do_nothing_confirms_nothing(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    world.cluster.break_apply = world.cluster.break_delete = DENIED

    report = run(world)

    assert (report.done, report.problems, outcomes(world)) == (0, (str(DENIED),), [None])


def in_namespaces(world: World, person: str, *names: str, subject: str = "team-000") -> None:
    """Put a person into a binding of each namespace, on the cluster and on record."""
    (key,) = [each for each in world.cluster.objects if each.family.namespace is None]
    for name in names:
        there = replace(key, family=replace(key.family, namespace=name))
        seen: ObservedBinding = world.cluster.apply(Binding(there, ("keeps", subject)), None)
        with world.database.write() as connection:
            applied = Applied(seen.binding, seen.name, seen.uid, seen.resource_version)
            record_applied(connection, [applied], Whom({subject: MemberId(person)}), world.at)


def test_one_namespace_that_fails_keeps_nobody_in_the_others(world: World) -> None:
    _, people = team(world, 2)
    in_namespaces(world, people[0], "a", "b", "c")
    world.deactivate(people[0])
    troubled(world).break_get["b"] = ClusterRejected("the namespace is odd")

    report = run(world)

    held = {place for place, subjects in world.cluster.access.items() if "team-000" in subjects}
    assert held == {("b", "edit")}
    assert (report.postponed, attempts(world)) == (1, [(1, "the namespace is odd")])


def test_a_cluster_that_hangs_is_not_asked_for_every_shard(world: World) -> None:
    _, people = team(world, 2)
    names = [f"n{number}" for number in range(10)]
    in_namespaces(world, people[0], *names)
    world.deactivate(people[0])
    troubled(world).break_get |= dict.fromkeys(["", *names], UNREACHABLE)
    before = troubled(world).gets

    run(world)

    assert troubled(world).gets - before == 3


def test_shards_that_always_fail_do_not_keep_new_removals_waiting(world: World) -> None:
    _, people = team(world, 2)
    names = [f"a{number}" for number in range(5)]
    in_namespaces(world, people[0], *names)
    in_namespaces(world, people[1], "last", subject="team-001")
    troubled(world).break_get |= dict.fromkeys(["", *names], UNREACHABLE)
    world.deactivate(people[0])
    run(world)
    world.deactivate(people[1])

    # Everything is tried again at once, and the run gives up after three shards that do not answer.
    run(world, after=100)

    assert world.cluster.access[("last", "edit")] == {"keeps"}


def test_a_turn_that_is_lost_stops_before_the_next_write(world: World) -> None:
    _, people = team(world, 2)
    in_namespaces(world, people[0], "a", "b", "c")
    world.deactivate(people[0])
    answers = iter([True, True, True, False, False, False])

    report = run(world, lambda: next(answers))

    held = [place for place, subjects in world.cluster.access.items() if "team-000" in subjects]
    assert (len(held), report.done, outcomes(world)) == (2, 0, [None])


def test_while_a_pass_may_still_write_what_it_read_nothing_is_confirmed_on_an_absent_subject(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    written = dict(world.cluster.objects)
    world.cluster.objects.clear()
    with world.database.write() as connection:
        take_lease(connection, pass_lease(world.cluster_id), "other", world.at, world.at + timedelta(seconds=60))

    early = run(world)
    told = attempts(world)
    world.cluster.objects.update(written)
    late = run(world, after=2)

    assert (early.postponed, told, late.done) == (1, [(0, PASS_UNDER_WAY)], 1)
    assert world.cluster.access == {EDIT: {"team-001"}}


def test_a_removal_that_was_seen_to_work_is_confirmed_though_a_pass_hangs(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])
    with world.database.write() as connection:
        take_lease(connection, pass_lease(world.cluster_id), "other", world.at, world.at + timedelta(seconds=60))

    assert run(world).done == 1


@pytest.mark.parametrize("lease_seen", [True, False])
def test_a_person_who_is_removed_while_a_pass_adds_them_is_out_in_the_end(world: World, lease_seen: bool) -> None:
    ana = world.add_member("ana")
    world.give("edit", member_id=ana)

    def leave() -> None:
        world.deactivate(ana)
        run(world)

    troubled(world).before_write = leave
    # A pass whose lease ran out, and whose write is under way all the same, is the worse of the two.
    with take_turn(world.database, pass_lease(world.cluster_id), 3600 if lease_seen else 0, lambda: world.at):
        world.reconcile()
    between = dict(world.cluster.access)

    report = run(world, after=5)

    assert between == {EDIT: {"ana"}}
    assert (world.cluster.access, report.done, set(outcomes(world))) == ({}, 1, {"done"})


def test_another_persons_announced_place_stays_on_record(world: World) -> None:
    _, people = team(world, 1)
    newcomer = world.add_member("newcomer")
    (key,) = world.cluster.objects
    with world.database.write() as connection:
        announced = Applied(Binding(key, ("newcomer", "team-000")), "n", "u", "1")
        record_applied(connection, [announced], Whom({"newcomer": MemberId(newcomer)}), world.at)
    world.deactivate(*people)

    run(world)

    with world.database.read() as connection:
        assert [subject for subject, _ in keys_holding(connection, world.cluster_id, MemberId(newcomer))] == [
            "newcomer"
        ]


def claim_by_selector(world: World) -> str:
    """Give a project the namespaces with a label, which nobody knows without asking the cluster."""
    with world.database.write() as connection:
        connection.execute(sa.update(cluster).values(allow_label_selectors=True))
    made = world.insert(project, name="shop", created_at=world.at)
    world.insert(project_namespace, project_id=made, selector="team=shop", valid_from=world.at)
    return made


@pytest.mark.parametrize(("active", "goes"), [(True, False), (False, True)])
def test_when_namespaces_are_unknown_only_who_has_a_right_to_nothing_goes(
    world: World, active: bool, goes: bool
) -> None:
    _, people = team(world, 2)
    in_namespaces(world, people[0], "shop-1")
    claim_by_selector(world)

    def unreadable() -> dict[str, dict[str, str]]:
        raise UNREACHABLE

    world.cluster.namespaces = unreadable  # type: ignore[method-assign]
    if active:
        ask(world, people[0], "grant", Scope(ScopeKind.PROJECT, "shop"))
    else:
        world.deactivate(people[0])

    report = run(world)

    assert ("team-000" not in world.cluster.access[("shop-1", "edit")]) is goes
    assert (report.done, report.postponed) == ((1, 0) if goes else (0, 1))


def test_a_run_is_on_record_beside_the_passes(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(people[0])

    run(world)

    with world.database.read() as connection:
        (found,) = connection.execute(sa.select(sync_pass).where(sync_pass.c.kind == "revocation")).all()
    assert (found.state, found.updated, found.deleted, found.subjects_removed) == ("ok", 1, 0, 1)


def test_a_gateway_that_cannot_be_opened_postpones_all_of_the_clusters_removals(world: World) -> None:
    _, people = team(world, 2)
    world.deactivate(*people)
    with world.database.write() as connection:
        spread_removals(connection, world.at)

    postpone_all(world.database, place(world), "the credential cannot be unsealed", lambda: world.at)

    assert attempts(world) == [(1, "the credential cannot be unsealed")] * 2


def test_an_expired_grant_is_no_reason_to_stay(world: World) -> None:
    _, people = team(world, 1)
    ask(world, people[0], "grant", Scope(ScopeKind.ORGANIZATION, world.organization_id))
    with world.database.write() as connection:
        connection.execute(sa.update(grant_origin).values(expires_at=world.at - timedelta(seconds=1)))

    run(world)

    assert world.cluster.access == {}
