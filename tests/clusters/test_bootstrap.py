"""The manifest that a platform team applies: it lets the bridge work, and nothing more."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scim_bridge.clusters.bootstrap import bootstrap_manifest, cluster_role
from scim_bridge.clusters.kubeconfig import credential_expiry
from scim_bridge.clusters.kubernetes import KubernetesCluster
from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied, Invalid
from tests.contracts.targets import KubeTarget, grant, key_of
from tests.kube.client import CLUSTER_ROLES, CRBS, NAMESPACES, RBAC, REVIEWS, KubeClient
from tests.kube.server import KubeServer
from tests.kube.world import READ_PODS, binding, bindings_in, create, eventually, kubeconfig
from tests.kube.world import cluster_role as some_role

ROLES = [KubernetesRole.EDIT, KubernetesRole.VIEW]


def documents(*roles: KubernetesRole, namespace: str = "scim-bridge", account: str = "scim-bridge") -> list[Any]:
    return list(yaml.safe_load_all(bootstrap_manifest(namespace, account, roles)))


def of_kind(kind: str, found: list[Any]) -> dict[str, Any]:
    [one] = [document for document in found if document["kind"] == kind]
    assert isinstance(one, dict)
    return one


def test_the_manifest_is_one_file_of_five_objects() -> None:
    kinds = [document["kind"] for document in documents(*ROLES)]

    assert kinds == ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Secret"]


def test_all_parts_speak_of_the_same_account() -> None:
    found = documents(*ROLES, namespace="identity", account="bridge")

    role = of_kind("ClusterRole", found)["metadata"]["name"]
    bound = of_kind("ClusterRoleBinding", found)
    assert bound["roleRef"]["name"] == role == "identity-bridge"
    assert bound["subjects"] == [{"kind": "ServiceAccount", "name": "bridge", "namespace": "identity"}]
    secret = of_kind("Secret", found)
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "bridge"}
    assert secret["metadata"]["namespace"] == "identity"


def test_bind_is_for_the_named_roles_only() -> None:
    rules = of_kind("ClusterRole", documents(*ROLES))["rules"]

    binds = [rule for rule in rules if "bind" in rule["verbs"]]
    assert [(rule["resources"], sorted(rule["resourceNames"])) for rule in binds] == [
        (["clusterroles"], ["edit", "view"])
    ]


def test_nothing_in_it_is_everything() -> None:
    text = bootstrap_manifest("scim-bridge", "scim-bridge", list(KubernetesRole))

    assert "*" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "escalate" not in text
    assert "impersonate" not in text
    assert "secrets" not in text


@pytest.mark.parametrize("roles", [(), (KubernetesRole.NONE,)])
def test_without_roles_nothing_may_be_bound(roles: tuple[KubernetesRole, ...]) -> None:
    rules = of_kind("ClusterRole", documents(*roles))["rules"]

    assert not [rule for rule in rules if "bind" in rule["verbs"]]


def test_cluster_admin_comes_with_a_warning() -> None:
    assert "WARNING" in bootstrap_manifest("a", "b", [KubernetesRole.CLUSTER_ADMIN])
    assert "WARNING" not in bootstrap_manifest("a", "b", ROLES)


@pytest.mark.parametrize("name", ["", "Bridge", "a/b", "a\n---\nkind: ClusterRoleBinding", "x" * 64, "-a", "a b"])
def test_a_name_that_would_change_the_manifest_is_refused(name: str) -> None:
    for names in ((name, "bridge"), ("bridge", name)):
        with pytest.raises(Invalid):
            bootstrap_manifest(*names, ROLES)


def test_the_same_question_has_the_same_manifest() -> None:
    assert bootstrap_manifest("a", "b", ROLES) == bootstrap_manifest("a", "b", [*reversed(ROLES), *ROLES])


@pytest.fixture
def account(kube_server: KubeServer, own: str) -> tuple[str, str]:
    """Apply the manifest to the real server, and return the account's kubeconfig and its name."""
    name = f"bridge-{own}"
    admin = kube_server.client()
    found = documents(*ROLES, namespace=name, account=name)
    for document in found:
        create(admin, _collection(document), document)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    reply = admin.post(f"{NAMESPACES}/{name}/serviceaccounts/{name}/token", request)
    assert reply.status == 201, reply.body
    text = kubeconfig(kube_server, token=reply.document["status"]["token"])
    client = KubeClient(kube_server.url, reply.document["status"]["token"], kube_server.authority)
    eventually(lambda: client.get(CRBS), 200)
    return text, name


def _collection(document: dict[str, Any]) -> str:
    place = {"ClusterRole": CLUSTER_ROLES, "ClusterRoleBinding": CRBS, "Namespace": NAMESPACES}
    namespace = document["metadata"].get("namespace")
    return place.get(document["kind"]) or f"{NAMESPACES}/{namespace}/{document['kind'].lower()}s"


@pytest.fixture
def bridge(
    account: tuple[str, str], kube_server: KubeServer, own: str
) -> Iterator[tuple[KubeTarget, KubernetesCluster]]:
    target = KubeTarget(own, kube_server)
    gateway = target.open(credential=account[0])
    yield target, gateway
    gateway.close()


@pytest.mark.kube
def test_with_the_manifest_the_bridge_can_do_all_its_work(
    bridge: tuple[KubeTarget, KubernetesCluster], own: str
) -> None:
    target, gateway = bridge
    target.add_namespace(f"shop-{own}")

    problems = gateway.preflight(ROLES)
    wide = gateway.apply(grant(target, "ana"), None)
    narrow = gateway.apply(Binding(key_of(target, f"shop-{own}", KubernetesRole.VIEW), ("ana", "bob")), None)
    shrunk = gateway.apply(Binding(narrow.binding.key, ("bob",)), narrow)
    gateway.delete(wide)

    assert problems == []
    assert gateway.list_bindings() == [shrunk]
    assert f"shop-{own}" in gateway.namespaces()


@pytest.mark.kube
def test_with_the_manifest_the_bridge_makes_nobody_an_administrator(
    bridge: tuple[KubeTarget, KubernetesCluster],
) -> None:
    target, gateway = bridge

    with pytest.raises(ClusterDenied):
        gateway.apply(Binding(key_of(target, role=KubernetesRole.CLUSTER_ADMIN), ("ana",)), None)


@pytest.mark.kube
def test_with_the_manifest_the_bridge_can_do_nothing_else(
    account: tuple[str, str], kube_server: KubeServer, own: str
) -> None:
    token = yaml.safe_load(account[0])["users"][0]["user"]["token"]
    bridge = KubeClient(kube_server.url, token, kube_server.authority)
    me = f"system:serviceaccount:{account[1]}:{account[1]}"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}}

    attempts = {
        "make itself an administrator": bridge.post(CRBS, binding(f"x-{own}", "cluster-admin", me)),
        "bind the role admin": bridge.post(CRBS, binding(f"x-{own}", "admin", me)),
        "bind another role in a namespace": bridge.post(
            bindings_in("default"), binding("x", "system:controller:job-controller", me, namespace="default")
        ),
        "write a role": bridge.post(CLUSTER_ROLES, some_role(f"x-{own}", [READ_PODS])),
        "change a role": bridge.merge(f"{CLUSTER_ROLES}/edit", {"rules": []}),
        "delete a role": bridge.delete(f"{CLUSTER_ROLES}/edit"),
        "list roles": bridge.get(CLUSTER_ROLES),
        "write a namespace's role": bridge.post(
            f"{RBAC}/namespaces/default/roles", some_role("x", [READ_PODS]) | {"kind": "Role"}
        ),
        "read secrets": bridge.get(f"{NAMESPACES}/{account[1]}/secrets"),
        "read its own secret": bridge.get(f"{NAMESPACES}/{account[1]}/secrets/{account[1]}-token"),
        "make a pod": bridge.post(f"{NAMESPACES}/default/pods", pod),
        "delete a namespace": bridge.delete(f"{NAMESPACES}/{account[1]}"),
        "label a namespace": bridge.merge(f"{NAMESPACES}/default", {"metadata": {"labels": {"a": "b"}}}),
        "make a token": bridge.post(f"{NAMESPACES}/{account[1]}/serviceaccounts/{account[1]}/token", {}),
        "delete all bindings at once": bridge.delete(CRBS),
    }

    assert {what: reply.status for what, reply in attempts.items()} == dict.fromkeys(attempts, 403)


@pytest.mark.kube
def test_the_account_has_the_rules_of_the_manifest_and_no_other(
    account: tuple[str, str], kube_server: KubeServer
) -> None:
    token = yaml.safe_load(account[0])["users"][0]["user"]["token"]
    bridge = KubeClient(kube_server.url, token, kube_server.authority)
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "default"},
    }

    reply = bridge.post(f"{REVIEWS}/selfsubjectrulesreviews", question)

    everybody = {("authorization.k8s.io", f"selfsubject{what}reviews", "create", ()) for what in ("access", "rules")}
    given = _spelled(cluster_role("x", ROLES)["rules"])
    assert _spelled(reply.document["status"]["resourceRules"]) == given | everybody


def _spelled(rules: list[dict[str, Any]]) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {
        (group, resource, verb, tuple(sorted(rule.get("resourceNames") or ())))
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.kube
def test_a_service_accounts_token_says_when_it_ends(account: tuple[str, str]) -> None:
    assert credential_expiry(account[0]) is not None
