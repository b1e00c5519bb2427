"""What the fake API server takes as an object: defaults, names, labels, roleRef, subjects and sizes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.kube_objects import Document, Resource, Stored
from tests.fakes.kube_rbac import RBAC_GROUP
from tests.fakes.kube_status import Refusal, bad_request, invalid, too_large_for_etcd

LABEL = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
MAX_ANNOTATIONS = 256 * 1024
MAX_STORED = 1536 * 1024
SUBJECT_KINDS = ("User", "Group", "ServiceAccount")

Fault = tuple[str, str]


def require_fitting(resource: Resource, document: Mapping[str, Any], namespace: str, name: str | None) -> None:
    """Refuse an object that is not what its address says."""
    metadata = document.get("metadata") or {}
    if (document.get("kind"), document.get("apiVersion")) != (resource.kind, resource.api_version):
        raise bad_request(f"{document.get('kind')!r} cannot be handled as a {resource.kind}")
    if name is not None and metadata.get("name", name) != name:
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})")
    if resource.is_namespaced and metadata.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def with_defaults(resource: Resource, document: Mapping[str, Any], namespace: str, name: str | None) -> Document:
    """Return a document as it is stored: without kind, and with what Kubernetes fills in."""
    metadata = dict(document.get("metadata") or {})
    if name is not None:
        metadata["name"] = name
    if resource.is_namespaced:
        metadata["namespace"] = namespace
    for unused in ("managedFields", "creationTimestamp", "selfLink", "generation"):
        metadata.pop(unused, None)
    found = {key: value for key, value in document.items() if key not in ("kind", "apiVersion")}
    found["metadata"] = metadata
    if resource.is_binding and isinstance(found.get("roleRef"), dict):
        found["roleRef"] = {"apiGroup": RBAC_GROUP} | found["roleRef"]
    if resource.is_binding and isinstance(found.get("subjects"), list):
        found["subjects"] = [_subject_with_defaults(subject) for subject in found["subjects"]]
    return found


def without_empty(document: Document) -> Document:
    """Return a document as JSON shows it: an empty list or map is left out."""
    metadata = {
        key: value
        for key, value in document["metadata"].items()
        if value or key not in ("labels", "annotations", "finalizers")
    }
    kept = {key: value for key, value in document.items() if value or key not in ("subjects", "rules")}
    return kept | {"metadata": metadata}


def require_valid(resource: Resource, document: Document, before: Stored | None) -> None:
    """Refuse what no such object can be, or may become."""
    name = str(document["metadata"].get("name", ""))
    faults = list(_name_faults(resource, name)) + list(_metadata_faults(document["metadata"]))
    if resource.is_binding:
        faults += _binding_faults(resource, document, before)
    if faults:
        raise invalid(resource.kind, resource.group, name, faults)
    if stored_size(document) > MAX_STORED:
        raise too_large_for_etcd()


def require_known_uid(resource: Resource, document: Document, before: Stored) -> None:
    """Refuse a patch that names another object's uid."""
    uid = document["metadata"].get("uid")
    if uid and uid != before.metadata["uid"]:
        why = f'Invalid value: "{uid}": field is immutable'
        raise invalid(resource.kind, resource.group, before.metadata["name"], [("metadata.uid", why)])


def stored_size(document: Mapping[str, Any]) -> int:
    """Return about how large the object is in etcd, which holds protobuf: each text costs its length and two bytes."""
    if isinstance(document, Mapping):
        return sum(len(key) + 4 + stored_size(value) for key, value in document.items() if key != "subjects") + sum(
            10 + sum(len(str(text).encode()) for text in subject.values()) for subject in document.get("subjects") or []
        )
    if isinstance(document, list):
        return sum(2 + stored_size(item) for item in document)
    return len(str(document).encode())


def _subject_with_defaults(subject: Document) -> Document:
    group = "" if subject.get("kind") == "ServiceAccount" else RBAC_GROUP
    filled = {"kind": "", "apiGroup": group, "name": ""} | subject
    return {key: value for key, value in filled.items() if value or key != "apiGroup"}


def _name_faults(resource: Resource, name: str) -> Iterator[Fault]:
    if not name:
        yield "metadata.name", "Required value: name or generateName is required"
    elif resource.group:
        # RBAC objects may be called anything that is one segment of a path.
        if name in (".", ".."):
            yield "metadata.name", f'Invalid value: "{name}": may not be {name!r}'
        for character in "/%":
            if character in name:
                yield "metadata.name", f'Invalid value: "{name}": may not contain {character!r}'
    elif not DNS_LABEL.fullmatch(name):
        yield "metadata.name", f'Invalid value: "{name}": a DNS-1123 label must consist of lower case characters'


def _metadata_faults(metadata: Mapping[str, Any]) -> Iterator[Fault]:
    for key, value in (metadata.get("labels") or {}).items():
        if not LABEL.fullmatch(key.rpartition("/")[2]) or len(value) > 63 or (value and not LABEL.fullmatch(value)):
            yield "metadata.labels", f'Invalid value: "{value or key}": must consist of alphanumeric characters'
    size = sum(len(key) + len(value) for key, value in (metadata.get("annotations") or {}).items())
    if size > MAX_ANNOTATIONS:
        yield "metadata.annotations", f"Too long: must have at most {MAX_ANNOTATIONS} bytes"


def _binding_faults(resource: Resource, document: Document, before: Stored | None) -> Iterator[Fault]:
    role = document.get("roleRef") or {}
    kinds = ["Role", "ClusterRole"] if resource.is_namespaced else ["ClusterRole"]
    if role.get("kind") not in kinds:
        yield "roleRef.kind", f'Unsupported value: "{role.get("kind", "")}": supported values: {kinds}'
    if not role.get("name"):
        yield "roleRef.name", "Required value"
    for number, subject in enumerate(document.get("subjects") or []):
        if not subject["name"]:
            yield f"subjects[{number}].name", "Required value"
        if subject["kind"] not in SUBJECT_KINDS:
            yield f"subjects[{number}].kind", f'Unsupported value: "{subject["kind"]}"'
    if before is not None and role != before.document["roleRef"]:
        yield "roleRef", "Invalid value: cannot change roleRef"


def require_object(document: object) -> Document:
    """Refuse a body that is no object."""
    if not isinstance(document, dict) or not isinstance(document.get("metadata", {}), dict):
        raise Refusal(400, "BadRequest", "the object provided is unrecognized")
    return document
