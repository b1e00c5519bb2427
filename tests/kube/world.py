"""What is put on a test API server, real or fake, and what is asked of it."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import yaml

from scim_bridge.clusters.bootstrap import cluster_role as bridge_role
from scim_bridge.domain.roles import KubernetesRole
from tests.kube.client import ADMIN, CLUSTER_ROLES, CRBS, NAMESPACES, RBAC, REVIEWS, KubeClient, Reply
from tests.kube.server import BRIDGE

API_GROUP = "rbac.authorization.k8s.io"
Rule = dict[str, list[str]]
Document = dict[str, Any]

READ_PODS: Rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
WRITE_PODS: Rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete", "get", "list", "watch"]}
READ_SECRETS: Rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
PATIENCE = 10.0


class Addressed(Protocol):
    """What a kubeconfig leads to."""

    @property
    def url(self) -> str: ...

    @property
    def authority(self) -> str: ...

    def token_of(self, user: str) -> str: ...


class Server(Addressed, Protocol):
    """A test API server: tests.kube.server.KubeServer, or tests.fakes.kube_api.FakeKubeApi."""

    def client(self, user: str = ADMIN) -> KubeClient: ...

    def compact(self) -> None: ...


def prepare(server: Server) -> None:
    """
    Give view, edit and admin some rules, and the bridge its least privileged identity; safe to repeat.

    Without a controller nobody aggregates the built-in roles: empty ones would grant nothing, and binding them would
    need no right at all.
    """
    admin = server.client()
    give_rules(admin, "view", [READ_PODS])
    give_rules(admin, "edit", [WRITE_PODS])
    give_rules(admin, "admin", [WRITE_PODS, READ_SECRETS])
    create_role(admin, bridge_role(BRIDGE, [KubernetesRole.EDIT, KubernetesRole.VIEW]))
    create(admin, CRBS, binding(BRIDGE, BRIDGE, BRIDGE))
    # The rights are read from a cache that follows a moment later.
    wait_until(lambda: can(server, BRIDGE, "bind", "clusterroles", group=API_GROUP, name="edit"))


def create(client: KubeClient, path: str, document: Document) -> Document:
    """Create an object, or leave the one that is there."""
    reply = client.post(path, document)
    assert reply.status == 201 or reply.reason == "AlreadyExists", reply.body
    return reply.document


def create_role(client: KubeClient, document: Document) -> None:
    create(client, CLUSTER_ROLES, document)


def give_rules(client: KubeClient, role: str, rules: Sequence[Rule]) -> None:
    """Make a ClusterRole have these rules, whether it was there or not."""
    create_role(client, cluster_role(role, rules))
    reply = client.merge(f"{CLUSTER_ROLES}/{role}", {"rules": list(rules)})
    assert reply.status == 200, reply.body


def create_namespace(client: KubeClient, name: str, labels: Mapping[str, str] | None = None) -> None:
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
    create(client, NAMESPACES, document)


def cluster_role(name: str, rules: Sequence[Rule]) -> Document:
    return {
        "apiVersion": f"{API_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": list(rules),
    }


def binding(
    name: str,
    role: str,
    *users: str,
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Document:
    """Return a ClusterRoleBinding, or a RoleBinding when there is a namespace."""
    metadata: Document = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    if labels is not None:
        metadata["labels"] = dict(labels)
    return {
        "apiVersion": f"{API_GROUP}/v1",
        "kind": "ClusterRoleBinding" if namespace is None else "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": API_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": API_GROUP, "kind": "User", "name": user} for user in users],
    }


def bindings_in(namespace: str) -> str:
    """Return the path of a namespace's RoleBindings."""
    return f"{RBAC}/namespaces/{namespace}/rolebindings"


def can(
    server: Server, user: str, verb: str, resource: str, namespace: str = "", *, group: str = "", name: str = ""
) -> bool:
    """Ask, as this user, whether this user may do something."""
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group, "name": name}
    return review(server.client(user), "SelfSubjectAccessReview", {"resourceAttributes": attributes})


def review(client: KubeClient, kind: str, spec: Document) -> bool:
    """Send an access review and return its answer."""
    document = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    reply = client.post(f"{REVIEWS}/{kind.lower()}s", document)
    assert reply.status == 201, reply.body
    return reply.document["status"]["allowed"] is True


def wait_until(is_so: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for something that a cache of the API server will know in a moment."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def eventually(ask: Callable[[], Reply], status: int) -> Reply:
    """Repeat a request until it is answered with this status; return that answer."""
    deadline = time.monotonic() + PATIENCE
    while (reply := ask()).status != status:
        assert time.monotonic() < deadline, reply.body
        time.sleep(0.02)
    return reply


def kubeconfig(server: Addressed, user: str = BRIDGE, *, token: str | None = None) -> str:
    """Return a self-contained kubeconfig of this user."""
    cluster: Document = {"server": server.url}
    if server.authority:
        cluster["certificate-authority-data"] = base64.b64encode(server.authority.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token or server.token_of(user)}}],
        }
    )
