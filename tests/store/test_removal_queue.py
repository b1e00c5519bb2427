"""Asked-for removals find their clusters, and end when the last of them has confirmed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.database import Database
from scim_bridge.store.removal_queue import (
    Removal,
    close_removals,
    clusters_of_open_removals,
    clusters_with_removals,
    members_asked_since,
    open_removals_on,
    parse_extent,
    postpone_removals,
    request_ids,
    spread_removals,
)
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import applied_binding, applied_subject, cluster, removal_request
from tests.sync.clockwork import add_cluster, outcomes
from tests.sync.worlds import NOON, World, make_world


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    database = Database(migrated_url)
    yield make_world(database)
    database.dispose()


def hold(world: World, member_id: str, *clusters: ClusterId) -> None:
    """Put a member on record on clusters, as a pass does."""
    for place in clusters or (world.cluster_id,):
        name = f"binding-of-{member_id}"
        made = world.insert(
            applied_binding,
            cluster_id=place,
            name=name,
            key=name,
            uid="1",
            resource_version="1",
            digest="x",
            subject_count=1,
            applied_at=world.at,
        )
        row = {"cluster_id": place, "subject": member_id, "binding_id": made, "member_id": member_id}
        with world.database.write() as connection:
            connection.execute(sa.insert(applied_subject).values(row))


def leaver(world: World, name: str = "leaver", *clusters: ClusterId) -> str:
    member_id = world.add_member(name)
    hold(world, member_id, *clusters)
    world.deactivate(member_id)
    return member_id


def spread(world: World) -> int:
    with world.database.write() as connection:
        return spread_removals(connection, world.at)


def open_on(world: World, place: ClusterId | None = None, after: timedelta = timedelta(0)) -> list[Removal]:
    with world.database.read() as connection:
        return open_removals_on(connection, place or world.cluster_id, world.at + after)


def close(world: World, place: ClusterId, state: str) -> None:
    with world.database.write() as connection:
        close_removals(connection, [each.id for each in open_removals_on(connection, place, world.at)], state, world.at)


def test_a_request_goes_to_the_clusters_that_hold_the_person_and_to_no_other(world: World) -> None:
    other = add_cluster(world, "other")
    member_id = leaver(world, "leaver", other)

    spread(world)

    assert open_on(world) == []
    assert [(each.member_id, each.cause, each.extent) for each in open_on(world, other)] == [
        (member_id, "deactivated", None)
    ]


def test_a_request_is_spread_once(world: World) -> None:
    leaver(world)

    assert (spread(world), spread(world), len(open_on(world))) == (1, 0, 1)


def test_a_person_whom_no_cluster_holds_is_nobodys_work(world: World) -> None:
    world.deactivate(world.add_member("nowhere"))

    spread(world)

    assert outcomes(world) == ["void"]


def test_a_removed_cluster_is_not_waited_for(world: World) -> None:
    leaver(world)
    with world.database.write() as connection:
        connection.execute(sa.update(cluster).values(removed_at=world.at))

    spread(world)

    assert outcomes(world) == ["void"]


def test_the_last_cluster_that_confirms_closes_the_request(world: World) -> None:
    other = add_cluster(world, "other")
    leaver(world, "leaver", world.cluster_id, other)
    spread(world)

    close(world, world.cluster_id, "done")
    half = outcomes(world)
    close(world, other, "void")

    assert (half, outcomes(world)) == ([None], ["done"])


def test_a_request_that_no_cluster_carried_out_is_void(world: World) -> None:
    leaver(world)
    spread(world)

    close(world, world.cluster_id, "void")

    assert outcomes(world) == ["void"]


def test_what_is_closed_stays_closed(world: World) -> None:
    leaver(world)
    spread(world)
    part = open_on(world)[0].id
    close(world, world.cluster_id, "done")

    with world.database.write() as connection:
        close_removals(connection, [part], "void", world.at)
        postpone_removals(connection, [part], "late", world.at)

    assert (outcomes(world), open_on(world)) == (["done"], [])


def test_what_is_postponed_comes_back_and_has_counted_the_attempt(world: World) -> None:
    leaver(world)
    spread(world)
    part = open_on(world)[0].id

    with world.database.write() as connection:
        postpone_removals(connection, [part], "it hangs", world.at + timedelta(seconds=5))
        waiting = clusters_with_removals(connection, world.at)
        later = clusters_with_removals(connection, world.at + timedelta(seconds=5))

    assert (waiting, [(each.id, each.failures) for each in later]) == ([], [(world.cluster_id, 1)])
    assert open_on(world) == []
    assert [each.attempts for each in open_on(world, after=timedelta(seconds=5))] == [1]


def test_waiting_for_a_pass_is_no_attempt(world: World) -> None:
    leaver(world)
    spread(world)
    part = open_on(world)[0].id

    with world.database.write() as connection:
        postpone_removals(connection, [part], "later", world.at, failed=False)

    assert [each.attempts for each in open_on(world)] == [0]


def test_clusters_that_answer_come_before_those_that_fail(world: World) -> None:
    other = add_cluster(world, "other")
    leaver(world, "one", world.cluster_id)
    spread(world)
    with world.database.write() as connection:
        postpone_removals(connection, [each.id for each in open_on(world)], "down", world.at)
    leaver(world, "two", other)
    spread(world)

    with world.database.read() as connection:
        found = clusters_with_removals(connection, world.at)
        counted = clusters_of_open_removals(connection, world.organization_id)

    assert [each.id for each in found] == [other, world.cluster_id]
    assert counted == {world.cluster_id: 1, other: 1}


def test_two_hundred_leavers_are_spread_and_closed_together(world: World) -> None:
    people = [world.add_member(f"leaver-{number}") for number in range(200)]
    for member_id in people:
        hold(world, member_id)
    world.deactivate(*people)

    spread(world)
    found = len(open_on(world))
    close(world, world.cluster_id, "done")

    assert (found, outcomes(world)) == (200, ["done"] * 200)


def test_a_pass_learns_whose_removal_was_asked_for_since_it_read(world: World) -> None:
    world.deactivate(world.add_member("before"))
    with world.database.read() as connection:
        seen = request_ids(connection, world.organization_id, world.at)
    late = world.add_member("late")
    world.deactivate(late)

    with world.database.read() as connection:
        found = members_asked_since(connection, world.organization_id, world.at, seen)
        elsewhere = members_asked_since(connection, OrganizationId("other"), world.at, frozenset())

    assert (set(found), set(elsewhere)) == ({late}, set())


WHOLE, PLACED = Family(None, KubernetesRole.EDIT), Family("web", KubernetesRole.EDIT)


@pytest.mark.parametrize(
    ("kind", "covered"),
    [
        (None, (True, True)),
        (ScopeKind.ORGANIZATION, (True, False)),
        (ScopeKind.UNIT, (True, False)),
        (ScopeKind.CLUSTER, (True, False)),
        (ScopeKind.PROJECT, (False, True)),
        (ScopeKind.SERVICE, (False, True)),
    ],
)
def test_what_was_taken_away_decides_what_may_go(kind: ScopeKind | None, covered: tuple[bool, bool]) -> None:
    extent = None if kind is None else frozenset({Scope(kind, "x")})
    removal = Removal("1", "1", OrganizationId("o"), MemberId("m"), "grant", extent, NOON, 0)

    assert (removal.covers(WHOLE), removal.covers(PLACED)) == covered


def test_an_extent_is_read_as_it_was_written(world: World) -> None:
    scopes = [Scope(ScopeKind.PROJECT, "p"), Scope(ScopeKind.CLUSTER, "c")]
    member_id = world.add_member("ana")
    with world.database.write() as connection:
        request_removals(connection, world.change(connection), [MemberId(member_id)], "grant", scopes)
        request_removals(connection, world.change(connection), [MemberId(member_id)], "grant", [])

    with world.database.read() as connection:
        texts = list(connection.execute(sa.select(removal_request.c.extent)).scalars())

    # Nothing taken away asks for nothing: an empty extent must not be read as "everything".
    assert [parse_extent(text) for text in texts] == [frozenset(scopes)]
