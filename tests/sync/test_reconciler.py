"""A pass makes the cluster as the store says, whatever the cluster does meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from scim_bridge.clusters.manifests import ManifestFolder, prepare_folder
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterDenied, ClusterError, ClusterThrottled, ClusterUnreachable
from scim_bridge.store.applied import clusters_holding, keys_holding
from scim_bridge.store.snapshot import read_members, read_organization
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from tests.sync.worlds import NOON, World, team

FAULTS = [
    ClusterUnreachable("timed out after 10 s"),
    ClusterThrottled("later", 2),
    ClusterDenied("forbidden"),
]


def test_members_become_bindings_and_a_second_pass_writes_nothing(world: World) -> None:
    team(world, 3)

    first = world.reconcile()
    writes = world.cluster.writes
    second = world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"team-00", "team-01", "team-02"}}
    assert (first.is_ok, second.is_ok, second.plan.is_empty) == (True, True, True)
    assert (world.cluster.writes, world.health()) == (writes, ("ok", None))


def test_a_leaver_goes_with_the_next_pass_and_keeps_nothing(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()

    world.deactivate(people[0])
    report = world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"team-01", "team-02"}}
    assert (report.result.inferred_removed, report.result.subjects_removed) == (0, 1)


def test_everybody_may_be_asked_to_leave_at_once(world: World) -> None:
    _, people = team(world, 40)
    world.reconcile()

    world.deactivate(*people)
    report = world.reconcile()

    assert world.cluster.access == {}
    assert report.is_ok


def test_a_mass_removal_that_nobody_asked_for_waits_and_is_seen(world: World) -> None:
    group, people = team(world, 40)
    world.reconcile()

    world.leave(group, *people[:30])
    report = world.reconcile()

    assert len(world.cluster.access[(None, "edit")]) == 30
    assert (report.result.inferred_removed, report.result.held) == (10, 20)
    assert (world.health()[0], world.conditions()) == ("degraded", ["RemovalsHeld"])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_cluster_that_cannot_be_read_loses_nothing_unasked(world: World, fault: ClusterError) -> None:
    group, people = team(world, 3)
    world.reconcile()
    world.leave(group, people[0])

    world.cluster.break_list = fault
    report = world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"team-00", "team-01", "team-02"}}
    assert (report.problem, world.health()) == (str(fault), ("failing", str(fault)))


def test_additions_go_on_while_the_list_fails(world: World) -> None:
    group, _ = team(world, 1)
    world.reconcile()
    world.join(group, world.add_member("new"))

    world.cluster.break_list = ClusterUnreachable("cut short")
    world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"team-00", "new"}}


def test_a_failing_grant_does_not_keep_a_leaver_in(world: World) -> None:
    _, people = team(world, 1, "view", "old")
    world.reconcile()
    team(world, 1, "edit", "new")
    world.deactivate(*people)

    world.cluster.break_apply = ClusterUnreachable("timed out after 10 s")
    report = world.reconcile()

    assert world.cluster.access == {}
    assert [reason for _, reason in report.result.failed] == ["timed out after 10 s"]
    assert world.health()[0] == "degraded"


def test_a_failed_removal_is_tried_again(world: World) -> None:
    _, people = team(world, 1)
    world.reconcile()
    world.deactivate(*people)
    world.cluster.break_delete = ClusterUnreachable("reset")
    failed = world.reconcile()

    world.cluster.break_delete = None
    mended = world.reconcile()

    assert (failed.is_ok, mended.is_ok, world.cluster.access) == (False, True, {})


def test_growing_shards_never_takes_access_on_the_way(world: World) -> None:
    team(world, 40)
    world.reconcile(PassPolicy(subjects_per_binding=100))

    world.reconcile(PassPolicy(subjects_per_binding=5))

    assert len(world.cluster.objects) > 4
    assert len(world.cluster.access[(None, "edit")]) == 40


def test_while_a_new_shard_cannot_be_written_the_old_one_stays(world: World) -> None:
    team(world, 40)
    world.reconcile(PassPolicy(subjects_per_binding=100))

    world.cluster.break_apply = ClusterUnreachable("down")
    world.reconcile(PassPolicy(subjects_per_binding=5))

    assert len(world.cluster.access[(None, "edit")]) == 40


def test_a_leaver_goes_though_the_shards_of_all_others_cannot_be_written(world: World) -> None:
    _, people = team(world, 40)
    world.reconcile(PassPolicy(subjects_per_binding=100))
    world.deactivate(people[0])

    world.cluster.break_create = ClusterUnreachable("down")
    world.reconcile(PassPolicy(subjects_per_binding=5))

    everybody_else = {f"team-{number:02}" for number in range(1, 40)}
    assert world.cluster.access == {(None, "edit"): everybody_else}


def test_a_binding_that_somebody_deleted_comes_back(world: World) -> None:
    team(world, 2)
    world.reconcile()

    world.cluster.objects.clear()
    world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"team-00", "team-01"}}


def test_the_record_says_which_shards_hold_a_person(world: World) -> None:
    _, people = team(world, 2)
    world.reconcile()

    with world.database.read() as connection:
        clusters = clusters_holding(connection, MemberId(people[0]))
        keys = keys_holding(connection, world.cluster_id, MemberId(people[0]))
        gone = clusters_holding(connection, MemberId("nobody"))

    assert (clusters, gone) == ([world.cluster_id], [])
    assert [(subject, key.family.role.value) for subject, key in keys] == [("team-00", "edit")]


def test_what_a_pending_directory_brought_grants_nothing(world: World) -> None:
    pending, active = world.add_directory("pending"), world.add_directory("active")
    for directory_id, name in ((pending, "new"), (active, "old")):
        group = world.add_group(name, directory_id)
        world.join(group, world.add_member(f"{name}-one"))
        world.give("view", group=group)

    world.reconcile()

    assert world.cluster.access == {(None, "view"): {"old-one"}}


def test_a_held_membership_is_in_force_and_an_expired_one_is_not(world: World) -> None:
    group, _ = team(world, 0)
    world.join(group, world.add_member("held"), held=True)
    world.join(group, world.add_member("late"), expires_at=NOON - timedelta(seconds=1))

    world.reconcile()

    assert world.cluster.access == {(None, "edit"): {"held"}}


def test_a_snapshot_of_one_person_says_the_same_as_the_whole(world: World) -> None:
    _, people = team(world, 3)

    with world.database.read() as connection:
        whole = read_organization(connection, world.organization_id, NOON)
        one = read_members(connection, world.organization_id, [MemberId(people[1])], NOON)

    assert list(one.members) == [people[1]]
    assert one.grants_for(MemberId(people[1])) == whole.grants_for(MemberId(people[1]))
    assert (one.revision, one.tree) == (whole.revision, whole.tree)


def test_a_folder_of_manifests_is_reconciled_as_a_cluster_is(world: World, tmp_path: Path) -> None:
    _, people = team(world, 2)
    prepare_folder(tmp_path, world.cluster_id)
    folder = ManifestFolder(tmp_path, "inst", world.cluster_id)

    def run() -> list[tuple[str, ...]]:
        reconcile_cluster(
            world.database, folder, world.organization_id, world.cluster_id, PassPolicy(), lambda: world.at
        )
        return [seen.binding.subjects for seen in folder.list_bindings()]

    before = run()
    world.deactivate(people[0])

    assert before == [("team-00", "team-01")]
    assert run() == [("team-01",)]
