"""What would keep a pass from working, asked of the cluster before it runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from scim_bridge.clusters.bootstrap import BINDING_VERBS
from scim_bridge.clusters.connection import Connection
from scim_bridge.clusters.errors import Answer, from_answer
from scim_bridge.clusters.gateway import PreflightProblem
from scim_bridge.clusters.objects import API_GROUP
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError

RBAC = f"/apis/{API_GROUP}/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
BINDING_KINDS = ("clusterrolebindings", "rolebindings")
Try = Callable[[KubernetesRole], Answer]
"""Asks for a binding of a role as a dry run."""


def find_problems(connection: Connection, roles: Iterable[KubernetesRole], try_role: Try) -> list[PreflightProblem]:
    """Return every problem that can be found without changing anything; one that ends the search comes last."""
    found: list[PreflightProblem] = []
    wanted = sorted({role for role in roles if role is not KubernetesRole.NONE}, key=lambda role: role.strength)
    try:
        # Problem by problem: what was found before the cluster stopped answering is told too.
        found.extend(_search(connection, wanted, try_role))
    except ClusterError as error:
        found.append(PreflightProblem(type(error).__name__, str(error)))
    return found


def _search(connection: Connection, roles: Sequence[KubernetesRole], try_role: Try) -> Iterator[PreflightProblem]:
    may_create = True
    for resource in BINDING_KINDS:
        denied = [verb for verb in BINDING_VERBS if not _may(connection, verb, resource)]
        if "list" in denied:
            message = f"The credential may not list {resource}: the cluster's state cannot be known."
            yield PreflightProblem("ListDenied", message)
        if denied != ["list"] and denied:
            verbs = ", ".join(verb for verb in denied if verb != "list")
            yield PreflightProblem("WriteDenied", f"The credential may not {verbs} {resource}.")
        may_create = may_create and "create" not in denied
    for role in roles:
        if not _exists(connection, role):
            message = f"ClusterRole {role.value} does not exist there: binding to it grants nothing until it does."
            yield PreflightProblem("RoleMissing", message)
        if not _may(connection, "bind", "clusterroles", role.value):
            message = f"The credential may not bind ClusterRole {role.value}, so it can grant nobody that role."
            yield PreflightProblem("BindDenied", message)
        elif may_create:
            yield from _tried(role, try_role(role))


def _tried(role: KubernetesRole, answer: Answer) -> Iterator[PreflightProblem]:
    """Yield what admission says against a binding of a role: RBAC allows it, so no review would tell."""
    if answer.is_ok or answer.reason == "AlreadyExists":
        return
    if not 400 <= answer.status <= 499 or answer.status == 429:
        raise from_answer(answer, f"Trying a binding of {role.value}")
    message = f"The cluster refuses a binding of {role.value} in a dry run: {answer.message}"
    yield PreflightProblem("DryRunRefused", message)


def _may(connection: Connection, verb: str, resource: str, name: str = "") -> bool:
    attributes = {"group": API_GROUP, "resource": resource, "verb": verb, "name": name}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = connection.send("POST", REVIEWS, body=review)
    document = answer.of_kind("SelfSubjectAccessReview", f"Asking whether the credential may {verb} {resource}")
    return (document.get("status") or {}).get("allowed") is True


def _exists(connection: Connection, role: KubernetesRole) -> bool:
    """Tell whether a ClusterRole is there; a credential that may not look is given the benefit of the doubt."""
    answer = connection.send("GET", f"{RBAC}/clusterroles/{role.value}")
    if answer.says_gone(role.value):
        return False
    if not answer.is_ok and answer.status != 403:
        raise from_answer(answer, f"Reading ClusterRole {role.value}")
    return True
