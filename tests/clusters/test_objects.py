"""Bindings as objects and back; and objects that only look like ours."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.domain.bindings import (
    CLUSTER_LABEL,
    HASH_ANNOTATION,
    INSTANCE_LABEL,
    KEY_ANNOTATION,
    MANAGED_BY_LABEL,
    ORGANIZATION_LABEL,
    Binding,
    BindingKey,
    Family,
    Shard,
    SubjectKind,
)
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ForeignObject

KEY = BindingKey(OrganizationId("o1"), ClusterId("c1"), Family("shop", KubernetesRole.EDIT))
BINDING = Binding(KEY, ("ana", "bob"))


def served(binding: Binding = BINDING) -> dict[str, Any]:
    """Return the object as a list carries it: with a version, and without a kind."""
    found = to_object("inst", binding)
    del found["kind"], found["apiVersion"]
    found["metadata"] |= {"uid": "u1", "resourceVersion": "7"}
    return found


@settings(max_examples=50)
@given(
    st.none() | st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True),
    st.sampled_from([KubernetesRole.CLUSTER_ADMIN, KubernetesRole.EDIT, KubernetesRole.VIEW]),
    st.sampled_from(SubjectKind),
    st.sets(st.text(min_size=1, max_size=40), max_size=8),
    st.integers(0, 12).flatmap(lambda bits: st.tuples(st.just(bits), st.integers(0, 2**bits - 1))),
)
def test_every_binding_comes_back_as_it_was(
    namespace: str | None, role: KubernetesRole, kind: SubjectKind, subjects: set[str], shard: tuple[int, int]
) -> None:
    key = BindingKey(OrganizationId("o1"), ClusterId("c1"), Family(namespace, role, kind), Shard(*shard))
    binding = Binding(key, tuple(sorted(subjects)))

    found = from_object("inst", served(binding))

    assert found.binding == binding
    assert found.intact
    assert (found.uid, found.resource_version) == ("u1", "7")


def test_an_object_holds_no_time_and_no_address_in_its_labels() -> None:
    binding = Binding(KEY, ("oidc:ana@example.com",))

    found = to_object("inst", binding)

    assert to_object("inst", binding) == found
    assert all(len(value) <= 63 and "@" not in value for value in found["metadata"]["labels"].values())
    assert set(found["metadata"]["annotations"]) == {KEY_ANNOTATION, HASH_ANNOTATION}
    assert len(found["metadata"]["name"]) <= 63
    assert not {"ownerReferences", "finalizers"} & set(found["metadata"])


def test_the_role_is_in_the_name_so_that_it_never_has_to_change() -> None:
    roles = [KubernetesRole.EDIT, KubernetesRole.VIEW]

    names = {
        to_object("inst", Binding(BindingKey(OrganizationId("o1"), ClusterId("c1"), Family("shop", role)), ()))[
            "metadata"
        ]["name"]
        for role in roles
    }

    assert len(names) == 2


EDITS: dict[str, dict[str, Any]] = {
    "another role": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}},
    "a role of the namespace": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "edit"}},
    "no role": {"roleRef": None},
    "a robot": {"subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}]},
    "a group": {"subjects": [{"kind": "Group", "name": "system:authenticated"}]},
    "one of them twice": {"subjects": [{"kind": "User", "name": "ana"}, {"kind": "User", "name": "ana"}]},
}


@pytest.mark.parametrize("edit", EDITS)
def test_more_than_other_users_in_it_is_an_edit_by_hand(edit: str) -> None:
    found = from_object("inst", served() | EDITS[edit])

    assert not found.intact
    assert found.binding.key == KEY
    assert set(found.binding.subjects) <= {"ana", "bob"}


@pytest.mark.parametrize("label", [ORGANIZATION_LABEL, CLUSTER_LABEL])
def test_a_label_that_says_something_else_is_an_edit_by_hand(label: str) -> None:
    document = served()
    document["metadata"]["labels"][label] = "another"

    assert not from_object("inst", document).intact


def test_labels_of_others_are_no_edit() -> None:
    document = served()
    document["metadata"]["labels"]["team"] = "sre"
    document["metadata"]["annotations"]["note"] = "x"

    assert from_object("inst", document).intact


@pytest.mark.parametrize("subjects", [None, []])
def test_no_subjects_are_no_subjects(subjects: list[str] | None) -> None:
    found = from_object("inst", served() | {"subjects": subjects})

    assert found.binding.subjects == ()


def _without(*path: str) -> dict[str, Any]:
    document = deepcopy(served())
    place = document
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return document


def _with_key(text: str) -> dict[str, Any]:
    document = deepcopy(served())
    document["metadata"]["annotations"][KEY_ANNOTATION] = text
    return document


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"metadata": None},
        {"metadata": {"name": "x"}},
        _without("metadata", "labels", MANAGED_BY_LABEL),
        _without("metadata", "labels", INSTANCE_LABEL),
        _without("metadata", "annotations", KEY_ANNOTATION),
        _without("metadata", "name"),
        _with_key(""),
        _with_key("{}"),
        _with_key(KEY.canonical.replace("edit", "cluster-admin")),
        _with_key(KEY.canonical.replace("shop", "kube-system")),
        _with_key(" " + KEY.canonical),
        served() | {"metadata": {**served()["metadata"], "name": "scimb-inst-edit-aaaaaaaaaaaaaaaa"}},
    ],
)
def test_what_only_looks_like_ours_is_foreign(document: dict[str, Any]) -> None:
    with pytest.raises(ForeignObject):
        from_object("inst", document)


def test_another_installations_object_is_foreign() -> None:
    with pytest.raises(ForeignObject):
        from_object("another", served())
