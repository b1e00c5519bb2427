"""The manifest that gives the bridge its own, smallest possible identity on a cluster."""

from collections.abc import Iterable
from typing import Any

import yaml

from scim_bridge.clusters.guards import Account, Extras, extra_documents
from scim_bridge.clusters.objects import API_GROUP, API_VERSION
from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

BINDING_VERBS = ("get", "list", "create", "patch", "delete")
"""What the bridge does to bindings; it never watches, never puts and never deletes many at once."""
HEADER = """\
# What the bridge needs on this cluster, and nothing else. Read it, then: kubectl apply -f FILE
#
# "bind" is what lets the bridge give a role to people; it is limited to the roles named here. RBAC cannot limit
# which names may be created, so whoever holds this token can give those roles to anybody on this cluster.
"""
ADMIN_WARNING = """\
#
# WARNING: cluster-admin is among them. A token that may bind cluster-admin is as powerful as cluster-admin itself:
# it can give that role to anybody, itself included. Take it out unless people must get cluster-admin from the bridge.
"""


NO_EXTRAS = Extras()
POLICY_NOTE = """\
#
# The ValidatingAdmissionPolicy (Kubernetes 1.30 and later) does limit that: of all writes of this account only its own
# bindings, to the roles named here, of people and groups, get through.
"""


def bootstrap_manifest(
    namespace: str, service_account: str, roles: Iterable[KubernetesRole], extras: Extras = NO_EXTRAS
) -> str:
    """
    Return YAML for `kubectl apply`: a service account, its rights, and a token that does not expire.

    ``extras`` are parts that not every cluster has or wants.
    """
    for name in (namespace, service_account):
        if not is_namespace_name(name):
            raise Invalid(f"{name!r} is not a name that Kubernetes takes: a-z, 0-9 and dashes, at most 63.")
    bound = sorted({role for role in roles if role is not KubernetesRole.NONE}, key=lambda role: role.strength)
    identity = f"{namespace}-{service_account}" if namespace != service_account else service_account
    documents = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(service_account, namespace)},
        cluster_role(identity, bound),
        _cluster_role_binding(identity, namespace, service_account),
        _token(service_account, namespace),
        *extra_documents(Account(namespace, service_account, identity), [role.value for role in bound], extras),
    ]
    warning = ADMIN_WARNING if KubernetesRole.CLUSTER_ADMIN in bound else ""
    warning += POLICY_NOTE if extras.admission_policy else ""
    return HEADER + warning + "---\n" + "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in documents)


def cluster_role(name: str, roles: Iterable[KubernetesRole]) -> dict[str, Any]:
    """Return the ClusterRole of a bridge that may bind exactly these roles."""
    names = [role.value for role in roles]
    authorization = "authorization.k8s.io"
    rules = [
        _rule(API_GROUP, ["clusterrolebindings", "rolebindings"], BINDING_VERBS),
        _rule(API_GROUP, ["clusterroles"], ["get"]),
        _rule(authorization, ["selfsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
        _rule("", ["namespaces"], ["get", "list"]),
    ]
    # An empty resourceNames means every name, not none: without roles there is no such rule.
    if names:
        rules.insert(1, _rule(API_GROUP, ["clusterroles"], ["bind"]) | {"resourceNames": names})
    return {"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def _rule(group: str, resources: list[str], verbs: Iterable[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace}


def _cluster_role_binding(name: str, namespace: str, service_account: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": API_GROUP, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", **_metadata(service_account, namespace)}],
    }


def _token(service_account: str, namespace: str) -> dict[str, Any]:
    annotations = {"kubernetes.io/service-account.name": service_account}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {**_metadata(f"{service_account}-token", namespace), "annotations": annotations},
    }
