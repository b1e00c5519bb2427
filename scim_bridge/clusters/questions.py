"""What a Kubernetes API is asked beside our own bindings: may somebody do something, and who else gives access."""

from collections.abc import Iterable, Mapping
from typing import Any

from scim_bridge.clusters.connection import Connection
from scim_bridge.clusters.gateway import Answered, Giver, Question
from scim_bridge.clusters.objects import from_object, mapping_in
from scim_bridge.domain.bindings import MANAGED_BY, MANAGED_BY_LABEL
from scim_bridge.errors import ClusterUnreachable, ForeignObject

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def ask(connection: Connection, question: Question) -> Answered:
    """Ask whether somebody may do something, in the words that their token would be turned into."""
    attributes = {
        "verb": question.verb,
        "group": question.api_group,
        "resource": question.resource,
        "subresource": question.subresource,
        "namespace": question.namespace or "",
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": question.user, "groups": list(question.groups), "resourceAttributes": attributes},
    }
    answer = connection.send("POST", REVIEWS, body=review)
    about = f"Asking whether {question.user} may {question.verb} {question.resource}"
    status = answer.of_kind("SubjectAccessReview", about).get("status")
    if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
        raise ClusterUnreachable(f"{about}: the cluster gave no answer.")
    return Answered(status["allowed"], str(status.get("reason") or ""), str(status.get("evaluationError") or ""))


def givers_in(instance: str, kind: str, items: Iterable[Mapping[str, Any]]) -> list[Giver]:
    """Read a list of bindings, whose ever they are."""
    return [_giver(instance, kind, item) for item in items]


def _giver(instance: str, kind: str, item: Mapping[str, Any]) -> Giver:
    metadata, role = mapping_in(item.get("metadata")), mapping_in(item.get("roleRef"))
    listed = item.get("subjects") or []
    subjects = tuple(
        (str(each.get("kind")), str(each.get("namespace") or ""), str(each.get("name")))
        for each in map(mapping_in, listed if isinstance(listed, list) else [])
    )
    try:
        key = from_object(instance, item).binding.key
    except ForeignObject:
        key = None
    namespace = metadata.get("namespace")
    if key is not None and (key.family.namespace != namespace):
        key = None
    labels = mapping_in(metadata.get("labels"))
    return Giver(
        kind,
        str(namespace) if namespace else None,
        str(metadata.get("name", "")),
        str(role.get("kind", "")),
        str(role.get("name", "")),
        subjects,
        key,
        claims=labels.get(MANAGED_BY_LABEL) == MANAGED_BY,
        labels=tuple(sorted((str(k), str(v)) for k, v in labels.items())),
        uid=str(metadata.get("uid", "")),
        resource_version=str(metadata.get("resourceVersion", "")),
    )
