"""The audit says what was written to which cluster for whom, by ids that are nobody's personal value."""

import json
from typing import Any

import sqlalchemy as sa

from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.schema import audit_entry
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.worlds import World, team


def entries(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Return action, actor and detail of what was written to clusters, oldest first."""
    query = sa.select(audit_entry).where(audit_entry.c.noun == "binding").order_by(audit_entry.c.id)
    with world.database.read() as connection:
        found = connection.execute(query).all()
    assert all(row.object_id == world.cluster_id for row in found)
    return [(row.action, f"{row.actor_kind} {row.actor_name}", json.loads(row.detail)) for row in found]


def test_a_pass_says_whom_it_gave_what_on_which_cluster(world: World) -> None:
    _, people = team(world, 3)

    world.reconcile()

    ((action, actor, detail),) = entries(world)
    (observed,) = world.cluster.list_bindings()
    assert (action, actor) == ("binding.written", "scheduler reconciler")
    assert detail == {
        "binding": observed.name,
        "namespace": None,
        "role": "edit",
        "added": sorted(people),
        "removed": [],
    }


def test_a_pass_says_from_whom_it_took_it(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    world.leave(group, people[0])

    world.reconcile()

    action, _, detail = entries(world)[-1]
    assert action == "binding.written"
    assert (detail["added"], detail["removed"]) == ([], [people[0]])


def test_an_object_that_is_deleted_says_who_was_in_it(world: World) -> None:
    group, people = team(world, 2)
    world.reconcile()
    world.leave(group, *people)

    world.reconcile()

    action, _, detail = entries(world)[-1]
    assert action == "binding.deleted"
    assert detail["binding"]
    assert detail["removed"] == sorted(people)


def test_a_subject_that_stands_for_nobody_here_is_named_by_its_text(world: World) -> None:
    team(world, 2)
    world.reconcile()
    world.cluster.let_in("stranger")

    world.reconcile()

    assert entries(world)[-1][2]["removed"] == ["subject stranger"]


def test_a_pass_that_writes_nothing_leaves_no_entry(world: World) -> None:
    team(world, 2)
    world.reconcile()
    before = entries(world)

    world.reconcile()

    assert entries(world) == before


def test_an_asked_for_removal_says_whom_it_took_out(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    world.deactivate(people[1])
    with world.database.write() as connection:
        spread_removals(connection, world.at)

    place = DueCluster(world.cluster_id, world.organization_id)
    carry_out_removals(world.database, world.cluster, place, lambda: world.at, lambda: True)

    action, actor, detail = entries(world)[-1]
    assert (action, actor) == ("binding.written", "scheduler removals")
    assert (detail["added"], detail["removed"]) == ([], [people[1]])


def test_names_of_people_stand_in_no_entry(world: World) -> None:
    team(world, 3, name="secretname")

    world.reconcile()

    with world.database.read() as connection:
        details = " ".join(connection.execute(sa.select(audit_entry.c.detail)).scalars())
    assert "secretname" not in details
