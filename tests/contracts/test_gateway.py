"""What every target does, so that a pass need not know which one it writes to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scim_bridge.domain.bindings import Binding, Shard, SubjectKind
from scim_bridge.domain.planning import Action, Change
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ForeignObject, StaleBinding
from tests.contracts.targets import FolderTarget, KubeTarget, MemoryTarget, Target, grant, key_of
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.world import prepare


@pytest.fixture(params=["memory", "folder", "fake", pytest.param("real", marks=pytest.mark.kube)])
def target(request: pytest.FixtureRequest, own: str, tmp_path: Path) -> Iterator[Target]:
    if request.param == "memory":
        yield MemoryTarget(own)
    elif request.param == "folder":
        yield FolderTarget(own, tmp_path / "manifests")
    elif request.param == "real":
        found = KubeTarget(own, request.getfixturevalue("kube_server"))
        yield found
        found.gateway.close()
    else:
        with FakeKubeApi() as server:
            prepare(server)
            found = KubeTarget(own, server)
            yield found
            found.gateway.close()


def test_a_target_that_was_never_written_to_is_empty(target: Target) -> None:
    assert target.gateway.list_bindings() == []
    assert target.gateway.get(key_of(target)) is None


def test_what_is_applied_is_there_in_lists_and_alone(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana", "bob"), None)

    assert target.gateway.list_bindings() == [made]
    assert target.gateway.get(key_of(target)) == made
    assert made.binding == grant(target, "ana", "bob")
    assert made.intact
    assert made.resource_version


def test_a_write_replaces_the_version_that_it_names(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)

    second = target.gateway.apply(grant(target, "ana", "bob"), first)

    assert (second.name, second.uid) == (first.name, first.uid)
    assert second.resource_version != first.resource_version
    assert target.gateway.list_bindings() == [second]


def test_a_write_may_take_subjects_out(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana", "bob"), None)

    target.gateway.apply(grant(target, "bob"), first)

    [left] = target.gateway.list_bindings()
    assert left.binding.subjects == ("bob",)


def test_writing_the_same_again_does_no_harm(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)

    again = target.gateway.apply(grant(target, "ana"), first)

    assert again.binding == first.binding
    assert target.gateway.get(key_of(target)) == again


def test_a_create_never_overwrites_what_is_there(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "bob"), None)

    assert target.gateway.list_bindings() == [made]


def test_a_write_of_an_old_version_changes_nothing(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)
    second = target.gateway.apply(grant(target, "bob"), first)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "cid"), first)

    assert target.gateway.list_bindings() == [second]


def test_a_write_of_what_is_gone_creates_nothing(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)
    target.gateway.delete(first)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "bob"), first)

    assert target.gateway.list_bindings() == []


def test_a_write_of_what_was_made_anew_changes_nothing(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)
    target.gateway.delete(first)
    second = target.gateway.apply(grant(target, "bob"), None)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "cid"), first)
    with pytest.raises(StaleBinding):
        target.gateway.delete(first)

    assert target.gateway.list_bindings() == [second]


def test_a_delete_takes_exactly_one(target: Target) -> None:
    target.add_namespace("default")
    kept = target.gateway.apply(grant(target, "ana"), None)
    gone = target.gateway.apply(grant(target, "ana", namespace="default"), None)

    target.gateway.delete(gone)

    assert target.gateway.list_bindings() == [kept]
    assert target.gateway.get(gone.binding.key) is None


def test_a_delete_of_what_is_gone_is_done(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.gateway.delete(made)

    target.gateway.delete(made)

    assert target.gateway.list_bindings() == []


def test_a_delete_of_an_old_version_deletes_nothing(target: Target) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)
    second = target.gateway.apply(grant(target, "ana", "bob"), first)

    with pytest.raises(StaleBinding):
        target.gateway.delete(first)

    assert target.gateway.list_bindings() == [second]


def test_lists_are_in_the_order_of_keys(target: Target, own: str) -> None:
    places = [f"b-{own}", None, f"a-{own}"]
    for place in places:
        if place is not None:
            target.add_namespace(place)
        target.gateway.apply(grant(target, "ana", namespace=place), None)

    found = [each.binding.key.family.namespace for each in target.gateway.list_bindings()]

    assert found == [None, f"a-{own}", f"b-{own}"]


def test_shards_roles_and_kinds_of_subjects_are_objects_of_their_own(target: Target) -> None:
    keys = [
        key_of(target, role=KubernetesRole.EDIT),
        key_of(target, role=KubernetesRole.VIEW),
        key_of(target, role=KubernetesRole.EDIT, kind=SubjectKind.GROUP),
        key_of(target, role=KubernetesRole.EDIT, shard=Shard(1, 0)),
        key_of(target, role=KubernetesRole.EDIT, shard=Shard(1, 1)),
    ]
    for number, key in enumerate(keys):
        target.gateway.apply(Binding(key, (f"subject-{number}",)), None)

    found = {each.binding.key: each.binding.subjects for each in target.gateway.list_bindings()}

    assert found == {key: (f"subject-{number}",) for number, key in enumerate(keys)}


def test_subjects_come_back_letter_by_letter(target: Target) -> None:
    odd = ("Ana@Example.com", "ana@example.com", "oidc:béa", "a: b # c", "'quoted\"", "null", "1e3", "x" * 1024)

    made = target.gateway.apply(grant(target, *odd), None)

    [found] = target.gateway.list_bindings()
    assert found.binding.subjects == made.binding.subjects == tuple(sorted(odd))
    assert found.intact


def test_what_is_not_ours_is_never_touched(target: Target) -> None:
    key = key_of(target)
    target.add_foreign(key)

    with pytest.raises(ForeignObject):
        target.gateway.get(key)
    with pytest.raises(ForeignObject):
        target.gateway.apply(grant(target, "ana"), None)

    assert target.has_foreign(key)
    assert target.gateway.list_bindings() == []


def test_an_edit_by_hand_is_seen_and_can_be_undone(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit_by_hand(made)

    [edited] = target.gateway.list_bindings()
    mended = target.gateway.apply(grant(target, "ana"), edited)

    assert not edited.intact
    assert edited.resource_version != made.resource_version
    assert mended.intact
    assert target.gateway.list_bindings() == [mended]


def test_an_edit_by_hand_makes_a_write_stale(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit_by_hand(made)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "ana", "bob"), made)


def test_many_threads_may_write_at_once(target: Target) -> None:
    keys = [key_of(target, shard=Shard(5, index)) for index in range(32)]

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda key: target.gateway.apply(Binding(key, ("ana",)), None), keys))
        grown = threads.map(lambda each: target.gateway.apply(Binding(each.binding.key, ("ana", "bob")), each), made)
        written = {each.binding.key: each for each in grown}

    assert {each.binding.key: each for each in target.gateway.list_bindings()} == written
    assert set(written) == set(keys)


def test_a_target_in_order_has_no_problems(target: Target) -> None:
    problems = target.gateway.preflight([KubernetesRole.EDIT, KubernetesRole.VIEW, KubernetesRole.NONE])

    assert problems == []


def test_a_target_says_where_it_is_and_no_secret(target: Target) -> None:
    described = target.gateway.describe()

    assert described
    assert "token" not in described


def test_namespaces_are_names_with_labels(target: Target, own: str) -> None:
    target.add_namespace(f"shop-{own}")

    found = target.gateway.namespaces()

    assert all(isinstance(name, str) and isinstance(dict(labels), dict) for name, labels in found.items())


def test_a_rehearsal_of_every_kind_of_change_keeps_nothing(target: Target) -> None:
    made = target.gateway.apply(grant(target, "ana", "bob"), None)
    target.add_namespace(f"{target.cluster}-shop")
    elsewhere = grant(target, "cid", namespace=f"{target.cluster}-shop")

    target.gateway.rehearse(Change(Action.CREATE, elsewhere), None)
    target.gateway.rehearse(Change(Action.GROW, grant(target, "ana", "bob", "cid")), made)
    target.gateway.rehearse(Change(Action.SHRINK, grant(target, "ana")), made)
    target.gateway.rehearse(Change(Action.DELETE, made.binding), made)

    assert target.gateway.list_bindings() == [made]


@pytest.mark.parametrize("action", [Action.GROW, Action.DELETE])
def test_a_rehearsal_says_that_a_binding_changed_since_it_was_read(target: Target, action: Action) -> None:
    first = target.gateway.apply(grant(target, "ana"), None)
    second = target.gateway.apply(grant(target, "bob"), first)

    with pytest.raises(StaleBinding):
        target.gateway.rehearse(Change(action, grant(target, "ana", "cid")), first)

    assert target.gateway.list_bindings() == [second]


def test_a_rehearsal_says_that_the_name_is_somebody_elses(target: Target) -> None:
    target.add_foreign(key_of(target))

    with pytest.raises(ForeignObject):
        target.gateway.rehearse(Change(Action.CREATE, grant(target, "ana")), None)

    assert target.has_foreign(key_of(target))
