"""A Kubernetes API as a target: what is ours, what is refused for good, and what a write looks like on the wire."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import (
    CLUSTER_LABEL,
    INSTANCE_LABEL,
    KEY_ANNOTATION,
    MANAGED_BY_LABEL,
    ORGANIZATION_LABEL,
    Binding,
    BindingKey,
)
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied, ClusterRejected, ForeignObject, StaleBinding
from tests.contracts.targets import KubeTarget, grant, key_of
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.server import ALICE, BRIDGE
from tests.kube.world import binding, bindings_in, can, create, create_namespace, eventually, kubeconfig, wait_until


def seen(target: KubeTarget) -> list[ObservedBinding]:
    return target.gateway.list_bindings()


def copied(target: KubeTarget, made: ObservedBinding, **metadata: Any) -> dict[str, Any]:
    """Return a copy of an object of ours, as `kubectl get -o yaml | kubectl apply` would make it elsewhere."""
    document = deepcopy(target.read(made.binding.key))
    for server_side in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        document["metadata"].pop(server_side)
    document["metadata"] |= metadata
    return document


def test_a_grant_gives_access_and_taking_it_back_ends_it(target: KubeTarget, own: str) -> None:
    target.add_namespace(f"shop-{own}")
    made = target.gateway.apply(grant(target, ALICE, "bob", namespace=f"shop-{own}"), None)
    wait_until(lambda: can(target.server, ALICE, "create", "pods", f"shop-{own}"))

    target.gateway.apply(grant(target, "bob", namespace=f"shop-{own}"), made)

    wait_until(lambda: not can(target.server, ALICE, "create", "pods", f"shop-{own}"))


def test_the_objects_of_other_clusters_organizations_and_installations_are_not_seen(target: KubeTarget) -> None:
    others = [
        target.open(cluster=f"{target.cluster}-2"),
        target.open(organization=f"{target.organization}-2"),
        target.open(instance="other"),
    ]
    cluster, organization = f"{target.cluster}-2", f"{target.organization}-2"
    for other, key in zip(others, _keys(target, cluster, organization), strict=True):
        other.apply(Binding(key, ("ana",)), None)

    assert seen(target) == []
    assert [len(other.list_bindings()) for other in others] == [1, 1, 1]
    for other in others:
        other.close()


def _keys(target: KubeTarget, cluster: str, organization: str) -> list[BindingKey]:
    """Return one key and the same of another cluster and of another organization."""
    mine = key_of(target)
    return [
        replace(mine, cluster_id=ClusterId(cluster)),
        replace(mine, organization_id=OrganizationId(organization)),
        mine,
    ]


def test_a_gateway_does_not_read_another_organizations_key(target: KubeTarget) -> None:
    other = target.open(organization=f"{target.organization}-2")
    _, key, _ = _keys(target, target.cluster, f"{target.organization}-2")
    other.apply(Binding(key, ("ana",)), None)

    with pytest.raises(ForeignObject):
        target.gateway.get(key)
    other.close()


def test_a_copy_of_ours_in_another_namespace_is_not_ours(target: KubeTarget, own: str) -> None:
    for name in (f"shop-{own}", f"web-{own}"):
        target.add_namespace(name)
    made = target.gateway.apply(grant(target, "ana", namespace=f"shop-{own}"), None)

    create(target.admin, bindings_in(f"web-{own}"), copied(target, made, namespace=f"web-{own}"))

    assert seen(target) == [made]


def test_a_copy_of_ours_under_another_name_is_not_ours(target: KubeTarget, own: str) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)

    create(target.admin, target.path(made.binding.key).rpartition("/")[0], copied(target, made, name=f"copy-{own}"))

    assert seen(target) == [made]


@pytest.mark.parametrize("key", ["not json", "{}", '{"role":"cluster-admin"}', "x" * 5000])
def test_a_key_that_somebody_wrote_over_makes_it_foreign(target: KubeTarget, key: str) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit(made.binding.key, {"metadata": {"annotations": {KEY_ANNOTATION: key}}})

    with pytest.raises(ForeignObject):
        target.gateway.apply(grant(target, "bob"), None)
    with pytest.raises(ForeignObject):
        target.gateway.get(made.binding.key)

    assert seen(target) == []
    assert [each["name"] for each in target.read(made.binding.key)["subjects"]] == ["ana"]


@pytest.mark.parametrize("label", [MANAGED_BY_LABEL, INSTANCE_LABEL])
def test_without_the_label_that_makes_it_ours_it_is_foreign(target: KubeTarget, label: str) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit(made.binding.key, {"metadata": {"labels": {label: None}}})

    with pytest.raises(ForeignObject):
        target.gateway.get(made.binding.key)


@pytest.mark.parametrize("label", [ORGANIZATION_LABEL, CLUSTER_LABEL])
def test_one_that_lost_another_label_is_found_when_it_is_in_the_way(target: KubeTarget, label: str) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit(made.binding.key, {"metadata": {"labels": {label: "elsewhere"}}})
    hidden = seen(target)

    with pytest.raises(StaleBinding):
        target.gateway.apply(grant(target, "bob"), None)

    [found] = seen(target)
    assert hidden == []
    assert found.intact
    assert found.binding.subjects == ("ana",)


def test_another_role_under_our_name_is_replaced(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    swapped = copied(target, made)
    swapped["roleRef"]["name"] = "view"
    path = target.path(made.binding.key)
    target.admin.delete(path)
    create(target.admin, path.rpartition("/")[0], swapped)

    [found] = seen(target)
    mended = target.gateway.apply(grant(target, "ana"), found)

    assert not found.intact
    assert mended.intact
    assert target.read(made.binding.key)["roleRef"]["name"] == "edit"


def test_a_subject_that_somebody_added_is_seen_and_taken_out(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    subjects = target.read(made.binding.key)["subjects"]
    target.edit(made.binding.key, {"subjects": [*subjects, {**subjects[0], "name": "eve"}]})

    [found] = seen(target)
    target.gateway.apply(grant(target, "ana"), found)

    assert found.binding.subjects == ("ana", "eve")
    assert [each["name"] for each in target.read(made.binding.key)["subjects"]] == ["ana"]


def test_subjects_that_are_all_gone_are_none(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit(made.binding.key, {"subjects": None})

    [found] = seen(target)

    assert found.binding.subjects == ()


def test_labels_and_annotations_of_others_outlive_our_writes(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    theirs = {"labels": {"team": "sre"}, "annotations": {"note": "do not touch"}}
    target.edit(made.binding.key, {"metadata": theirs})

    [found] = seen(target)
    written = target.gateway.apply(grant(target, "bob"), found)

    metadata = target.read(made.binding.key)["metadata"]
    assert metadata["labels"]["team"] == "sre"
    assert metadata["annotations"]["note"] == "do not touch"
    assert found.intact
    assert written.intact


def test_a_finalizer_that_keeps_it_alive_is_no_success(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    target.edit(made.binding.key, {"metadata": {"finalizers": ["example.com/keep"]}})
    [found] = seen(target)

    with pytest.raises(ClusterRejected, match="finalizer"):
        target.gateway.delete(found)

    assert len(seen(target)) == 1
    target.edit(made.binding.key, {"metadata": {"finalizers": None}})


def test_a_missing_namespace_is_refused_for_good(target: KubeTarget, own: str) -> None:
    with pytest.raises(ClusterRejected, match=f"absent-{own}"):
        target.gateway.apply(grant(target, "ana", namespace=f"absent-{own}"), None)


def test_a_namespace_on_its_way_out_is_refused_and_not_listed(target: KubeTarget, own: str) -> None:
    target.add_namespace(f"shop-{own}")
    target.add_namespace(f"dying-{own}")
    target.admin.delete(f"/api/v1/namespaces/dying-{own}")
    late = binding("late", "view", "ana", namespace=f"dying-{own}")
    eventually(lambda: target.admin.post(bindings_in(f"dying-{own}"), late), 403)

    with pytest.raises(ClusterRejected, match="terminated"):
        target.gateway.apply(grant(target, "ana", namespace=f"dying-{own}"), None)

    assert f"shop-{own}" in target.gateway.namespaces()
    assert f"dying-{own}" not in target.gateway.namespaces()


def test_labels_of_namespaces_are_read(target: KubeTarget, own: str) -> None:
    labels = {"team": own, "env": "prod"}
    create_namespace(target.admin, own, labels)

    found = target.gateway.namespaces()[own]

    assert labels.items() <= found.items()


@pytest.mark.parametrize("name", ["../../nodes", "a/b", "", "UPPER", "x" * 64, "a?b", "a#b", "%2e%2e"])
def test_a_name_that_is_no_namespace_is_not_even_asked_for(api: FakeKubeApi, own: str, name: str) -> None:
    target = KubeTarget(own, api)
    api.requests.clear()

    with pytest.raises(ClusterRejected):
        target.gateway.apply(grant(target, "ana", namespace=name), None)
    with pytest.raises(ClusterRejected):
        target.gateway.get(key_of(target, name))

    assert api.requests == []


def test_a_role_that_the_credential_may_not_bind_is_denied(target: KubeTarget) -> None:
    with pytest.raises(ClusterDenied, match="not currently held"):
        target.gateway.apply(Binding(key_of(target, role=KubernetesRole.CLUSTER_ADMIN), ("ana",)), None)

    assert seen(target) == []


def test_a_credential_that_the_cluster_does_not_know_is_denied(target: KubeTarget) -> None:
    stranger = target.open(credential=kubeconfig(target.server, token="guessed"))

    with pytest.raises(ClusterDenied):
        stranger.list_bindings()
    stranger.close()


def test_more_subjects_than_an_object_holds_are_refused_for_good(target: KubeTarget) -> None:
    many = tuple(f"user-{number:06d}-{'x' * 51}" for number in range(16_000))

    with pytest.raises(ClusterRejected, match="too large"):
        target.gateway.apply(Binding(key_of(target), many), None)

    assert seen(target) == []


def test_growing_beyond_what_an_object_holds_leaves_it_as_it_was(target: KubeTarget) -> None:
    many = tuple(f"user-{number:06d}-{'x' * 51}" for number in range(16_000))
    made = target.gateway.apply(grant(target, "ana"), None)

    with pytest.raises(ClusterRejected):
        target.gateway.apply(Binding(key_of(target), many), made)

    assert seen(target) == [made]


def test_of_two_that_create_at_once_one_is_stale(target: KubeTarget) -> None:
    together = Barrier(2)

    def create_one(subject: str) -> str | None:
        together.wait()
        try:
            target.gateway.apply(grant(target, subject), None)
        except StaleBinding:
            return None
        return subject

    with ThreadPoolExecutor(2) as threads:
        won = [subject for subject in threads.map(create_one, ["ana", "bob"]) if subject]

    [found] = seen(target)
    assert list(found.binding.subjects) == won


def test_of_two_that_replace_one_version_at_once_one_is_stale(target: KubeTarget) -> None:
    made = target.gateway.apply(grant(target, "ana"), None)
    together = Barrier(4)

    def replace_it(subject: str) -> str | None:
        together.wait()
        try:
            target.gateway.apply(grant(target, subject), made)
        except StaleBinding:
            return None
        return subject

    with ThreadPoolExecutor(4) as threads:
        won = [subject for subject in threads.map(replace_it, ["b", "c", "d", "e"]) if subject]

    [found] = seen(target)
    assert list(found.binding.subjects) == won


def test_creates_are_posts_and_only_replacements_force(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    api.requests.clear()

    made = target.gateway.apply(grant(target, "ana"), None)
    target.gateway.apply(grant(target, "bob"), made)

    [created, replaced] = api.requests
    assert (created.method, "force" in created.query) == ("POST", False)
    assert (replaced.method, replaced.query["force"].lower()) == ("PATCH", "true")
    assert replaced.document["metadata"]["resourceVersion"] == made.resource_version
    assert {created.query["fieldManager"], replaced.query["fieldManager"]} == {"scim-bridge"}


def test_deletes_name_uid_and_version(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    made = target.gateway.apply(grant(target, "ana"), None)

    target.gateway.delete(made)

    wanted = {"uid": made.uid, "resourceVersion": made.resource_version}
    assert api.requests[-1].document["preconditions"] == wanted


def test_every_request_carries_the_credential(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    api.requests.clear()

    made = target.gateway.apply(grant(target, "ana"), None)
    target.gateway.get(made.binding.key)
    target.gateway.list_bindings()
    target.gateway.namespaces()
    target.gateway.preflight([KubernetesRole.EDIT])
    target.gateway.delete(target.gateway.apply(grant(target, "bob"), made))

    assert len(api.requests) > 10
    assert {each.headers.get("Authorization") for each in api.requests} == {f"Bearer {api.token_of(BRIDGE)}"}
    assert {each.headers.get("User-Agent") for each in api.requests} == {"scim-bridge"}


def test_a_credential_that_was_revoked_is_denied_at_once(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    target.gateway.apply(grant(target, "ana"), None)

    api.forget(BRIDGE)

    with pytest.raises(ClusterDenied):
        target.gateway.list_bindings()
