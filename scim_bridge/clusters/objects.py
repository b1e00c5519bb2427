"""Bindings as Kubernetes objects, plain dicts, and back."""

from collections.abc import Mapping
from typing import Any

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import (
    CLUSTER_LABEL,
    HASH_ANNOTATION,
    INSTANCE_LABEL,
    KEY_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    ORGANIZATION_LABEL,
    Binding,
    BindingKey,
    binding_name,
    our_key,
)
from scim_bridge.errors import ForeignObject

API_GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{API_GROUP}/v1"


def kind_of(key: BindingKey) -> str:
    """Return the object's kind: the whole cluster's, or one namespace's."""
    return "ClusterRoleBinding" if key.family.namespace is None else "RoleBinding"


def labels_of(instance: str, key: BindingKey) -> dict[str, str]:
    """Return the labels that our lists select by; ids only, never e-mails (labels are at most 63 characters)."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY,
        CLUSTER_LABEL: key.cluster_id,
        INSTANCE_LABEL: instance,
        ORGANIZATION_LABEL: key.organization_id,
    }


def to_object(instance: str, binding: Binding) -> dict[str, Any]:
    """Return the object of a binding; equal bindings give equal objects: no time and no revision is in it."""
    key = binding.key
    metadata: dict[str, Any] = {
        "name": binding_name(instance, key),
        "labels": labels_of(instance, key),
        "annotations": {KEY_ANNOTATION: key.canonical, HASH_ANNOTATION: binding.digest},
    }
    if key.family.namespace is not None:
        metadata["namespace"] = key.family.namespace
    return {
        "apiVersion": API_VERSION,
        "kind": kind_of(key),
        "metadata": metadata,
        "roleRef": _role_ref(key),
        "subjects": [
            {"apiGroup": API_GROUP, "kind": key.family.subject_kind.value, "name": subject}
            for subject in binding.subjects
        ],
    }


def from_object(instance: str, found: Mapping[str, Any]) -> ObservedBinding:
    """Read an object of ours; raises ForeignObject when it is not."""
    # A file written by hand may hold anything anywhere: whatever is not of the right kind is not there.
    metadata = mapping_in(found.get("metadata"))
    name = str(metadata.get("name", ""))
    annotation = mapping_in(metadata.get("annotations")).get(KEY_ANNOTATION)
    labels = mapping_in(metadata.get("labels"))
    key = our_key(instance, name, labels, annotation if isinstance(annotation, str) else None)
    if key is None:
        raise ForeignObject(f"{name or 'An object'} is not this installation's; it is left alone.")
    listed = found.get("subjects") or []
    subjects = [mapping_in(each) for each in listed] if isinstance(listed, list) else [{}]
    kind = key.family.subject_kind.value
    # A subject of another kind was put in by hand; it is no subject of ours, and the object is written anew.
    names = tuple(sorted({str(each.get("name")) for each in subjects if each.get("kind") == kind}))
    binding = Binding(key, names)
    intact = (
        found.get("roleRef") == _role_ref(key)
        and len(names) == len(subjects)
        and labels.items() >= labels_of(instance, key).items()
        and metadata.get("namespace") == key.family.namespace
    )
    version, uid = str(metadata.get("resourceVersion", "")), str(metadata.get("uid", ""))
    return ObservedBinding(binding, name, uid, version, intact)


def mapping_in(value: object) -> dict[str, Any]:
    """Return what is a mapping, and an empty one for all else: others write what they like."""
    return value if isinstance(value, dict) else {}


def _role_ref(key: BindingKey) -> dict[str, str]:
    return {"apiGroup": API_GROUP, "kind": "ClusterRole", "name": key.family.role.value}
