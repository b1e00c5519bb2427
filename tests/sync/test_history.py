"""What passes did is kept with whom it concerned, is published once a pass, and goes when it is old."""

from datetime import timedelta

import sqlalchemy as sa

from scim_bridge.errors import ClusterUnreachable
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.schema import plan, sync_pass
from scim_bridge.sync.history import forget_history, history
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.test_proving import place
from tests.sync.worlds import World, team


def remove(world: World, after: float = 1) -> int:
    world.at += timedelta(seconds=after)
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    return carry_out_removals(world.database, world.cluster, place(world), lambda: world.at, lambda: True).done


def counted(world: World, table: sa.Table) -> int:
    with world.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_a_pass_is_remembered_with_who_gained_and_who_lost(world: World) -> None:
    group, people = team(world, 3)
    world.reconcile()
    world.leave(group, people[0])
    world.join(group, world.add_member("zoe"))
    world.reconcile()
    world.reconcile()

    latest, first = history(world.database, "acme", "prod", changed=True)
    everything = history(world.database, "acme", "prod")

    assert [each["subjects"] for each in first.changes["gains"]] == [["team-00", "team-01", "team-02"]]
    assert [each["subjects"] for each in latest.changes["gains"]] == [["zoe"]]
    assert [each["subjects"] for each in latest.changes["loses"]] == [["team-00"]]
    assert len(everything) == 3


def test_a_run_of_removals_is_remembered_too(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    world.deactivate(people[0])

    remove(world)

    [latest, *_] = history(world.database, "acme", "prod", changed=True)
    assert (latest.kind, latest.changes["loses"][0]["subjects"]) == ("revocation", ["team-00"])


def test_each_pass_is_published_once_with_a_message_that_names_everybody(world: World) -> None:
    group, people = team(world, 2)
    world.give_namespace("view", group, "shop")

    world.reconcile()
    world.leave(group, people[0])
    world.reconcile()

    first, second = world.cluster.published
    assert first.splitlines() == [
        "Update access: 2 gain, 0 lose",
        "",
        "+ team-00: edit in the whole cluster",
        "+ team-01: edit in the whole cluster",
        "+ team-00: view in shop",
        "+ team-01: view in shop",
    ]
    assert "- team-00: edit in the whole cluster" in second


def test_what_could_not_be_published_is_told_and_tried_again_without_another_change(world: World) -> None:
    team(world, 2)
    world.cluster.break_publish = ClusterUnreachable("git push failed: no route")
    report = world.reconcile()
    told = world.conditions()
    world.cluster.break_publish = None
    again = world.reconcile()

    assert (report.is_ok, report.result.failed) == (False, (("publish", "git push failed: no route"),))
    assert (told, again.is_ok, world.conditions()) == (["NotPublished"], True, [])


def test_a_removal_that_nobody_can_see_yet_is_not_confirmed(world: World) -> None:
    _, people = team(world, 2)
    world.reconcile()
    world.deactivate(people[0])
    world.cluster.break_publish = ClusterUnreachable("git push failed: no route")
    first = remove(world)
    world.cluster.break_publish = None
    second = remove(world, 60)

    assert (first, second) == (0, 1)


def test_what_is_older_than_it_has_to_be_kept_goes_but_never_the_last_pass(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()
    world.leave(group, *people[:30])
    world.reconcile()
    world.leave(group, people[30])
    world.reconcile()
    before = counted(world, sync_pass)

    gone = forget_history(world.database, 90, world.at + timedelta(days=91))
    waiting = counted(world, plan)
    again = forget_history(world.database, 90, world.at + timedelta(days=91))
    report = world.reconcile()

    assert (before, counted(world, sync_pass), again) == (3, 2, 0)
    assert gone >= 2
    assert (waiting, report.result.held > 0) == (1, True)
