"""The optional parts of the bootstrap manifest: what they are, and that they hold on a real API server."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
import yaml

from scim_bridge.clusters.bootstrap import bootstrap_manifest
from scim_bridge.clusters.guards import Extras
from scim_bridge.clusters.kubernetes import KubernetesCluster
from scim_bridge.clusters.objects import to_object
from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.notices import Notice
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied
from tests.clusters.schemas import NOT_SERVED
from tests.contracts.targets import INSTANCE, KubeTarget, grant, key_of
from tests.kube.client import CLUSTER_ROLES, CRBS, NAMESPACES, RBAC, KubeClient, Reply
from tests.kube.policy import Policy, enforced
from tests.kube.server import KubeServer
from tests.kube.world import binding, bindings_in, create, eventually, kubeconfig, wait_until

ROLES = [KubernetesRole.EDIT, KubernetesRole.VIEW]
FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1beta1"


def documents(name: str = "scim-bridge", **wanted: bool) -> dict[str, dict[str, Any]]:
    """Return the manifest by kind."""
    text = bootstrap_manifest(name, name, ROLES, Extras(**wanted))
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


ALL = documents(admission_policy=True, flow_schema=True, events=True)


def test_nothing_is_added_that_nobody_asked_for() -> None:
    assert not {"Role", "RoleBinding", *NOT_SERVED} & documents().keys()
    assert "ValidatingAdmissionPolicy" not in documents(flow_schema=True, events=True)


@pytest.mark.parametrize("kind", NOT_SERVED)
def test_kinds_that_the_test_server_lacks_are_as_kubernetes_publishes_them(kind: str) -> None:
    jsonschema.validate(ALL[kind], NOT_SERVED[kind])
    for spoilt in ({**ALL[kind], "status": {}}, {**ALL[kind], "apiVersion": "v1"}, {**ALL[kind], "spec": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoilt, NOT_SERVED[kind])


def test_the_policy_says_which_roles_it_knows_and_whom_it_is_about() -> None:
    spec = ALL["ValidatingAdmissionPolicy"]["spec"]

    assert any("in ['edit', 'view']" in each["expression"] for each in spec["validations"])
    assert [each["expression"] for each in spec["matchConditions"]] == [
        "request.userInfo.username == 'system:serviceaccount:scim-bridge:scim-bridge'"
    ]


@dataclass
class Guarded:
    """The bridge's account on the real server, behind its policy."""

    name: str
    server: KubeServer
    client: KubeClient
    target: KubeTarget
    gateway: KubernetesCluster
    policy: Policy


@pytest.fixture
def guarded(kube_server: KubeServer, own: str) -> Iterator[Guarded]:
    name = f"guarded-{own}"
    admin, found = kube_server.client(), documents(name, admission_policy=True, events=True)
    for kind, document in found.items():
        if kind not in NOT_SERVED:
            create(admin, _collection(document), document)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token = admin.post(f"{NAMESPACES}/{name}/serviceaccounts/{name}/token", request).document["status"]["token"]
    client = KubeClient(kube_server.url, token, kube_server.authority)
    eventually(lambda: client.get(CRBS), 200)
    target = KubeTarget(own, kube_server)
    gateway = target.open(credential=kubeconfig(kube_server, token=token))
    yield Guarded(name, kube_server, client, target, gateway, Policy(found["ValidatingAdmissionPolicy"]))
    gateway.close()


def _collection(document: dict[str, Any]) -> str:
    place = {"ClusterRole": CLUSTER_ROLES, "ClusterRoleBinding": CRBS, "Namespace": NAMESPACES}
    namespace, plural = document["metadata"].get("namespace"), f"{document['kind'].lower()}s"
    group = RBAC if document["apiVersion"].startswith("rbac") else "/api/v1"
    return place.get(document["kind"]) or f"{group}/namespaces/{namespace}/{plural}"


def attempts(guarded: Guarded, mine: dict[str, Any], other: str) -> dict[str, Reply]:
    """What somebody tries who has the bridge's token, on an account that may do everything."""
    bridge, name = guarded.client, guarded.name
    me = f"system:serviceaccount:{name}:{name}"
    to_me = [{"kind": "ServiceAccount", "name": name, "namespace": name}]
    unlabelled = mine | {"metadata": mine["metadata"] | {"labels": {}}}
    unnamed = mine | {"metadata": mine["metadata"] | {"name": f"x-{name}"}}
    keyless = mine | {"metadata": mine["metadata"] | {"annotations": {}}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    role = mine["roleRef"]
    path = f"{CRBS}/{mine['metadata']['name']}"
    return {
        "a binding of another name": bridge.post(CRBS, unnamed),
        "one without our label": bridge.post(CRBS, unlabelled),
        "one without our key": bridge.post(CRBS, keyless),
        "another role": bridge.post(CRBS, mine | {"roleRef": role | {"name": "cluster-admin"}}),
        "a role of a namespace": bridge.post(
            bindings_in("default"), mine | {"kind": "RoleBinding", "roleRef": role | {"kind": "Role"}}
        ),
        "itself": bridge.post(CRBS, mine | {"subjects": to_me}),
        "itself, as a user": bridge.post(CRBS, mine | {"subjects": [mine["subjects"][0] | {"name": me}]}),
        "everybody": bridge.post(
            CRBS, mine | {"subjects": [mine["subjects"][0] | {"kind": "Group", "name": "system:authenticated"}]}
        ),
        "a binding of somebody else's, to change it": bridge.merge(f"{CRBS}/{other}", {"subjects": mine["subjects"]}),
        "the same, to delete it": bridge.delete(f"{CRBS}/{other}"),
        "the same, by taking its name": bridge.put(f"{CRBS}/{other}", mine | {"metadata": {"name": other}}),
        "an own one, to let go of its label": bridge.merge(path, {"metadata": {"labels": None}}),
        "all bindings at once": bridge.delete(CRBS),
        "a secret": bridge.post(f"{NAMESPACES}/default/secrets", secret),
        "a token": bridge.post(f"{NAMESPACES}/{name}/serviceaccounts/{name}/token", {"spec": {}}),
        "a role": bridge.merge(f"{CLUSTER_ROLES}/{name}", {"rules": []}),
        "an event elsewhere": bridge.post(f"{NAMESPACES}/default/events", {"metadata": {"name": "x"}}),
    }  # fmt: skip


@pytest.mark.kube
def test_behind_its_policy_the_bridge_does_its_work_and_nothing_else_even_as_an_administrator(
    guarded: Guarded, own: str
) -> None:
    admin, gateway = guarded.server.client(), guarded.gateway
    create(admin, CRBS, binding(f"others-{own}", "edit", "eve"))
    guarded.target.add_namespace(f"shop-{own}")
    with enforced(admin, guarded.policy, guarded.name) as asked:
        # The server hears of its webhooks a moment later.
        made = gateway.apply(grant(guarded.target, "ana"), None)
        wait_until(lambda: bool(asked) or gateway.preflight(ROLES) != [])
        grown = gateway.apply(grant(guarded.target, "ana", "bob"), made)
        problems = gateway.preflight([*ROLES, KubernetesRole.CLUSTER_ADMIN])
        narrow = gateway.apply(Binding(key_of(guarded.target, f"shop-{own}", KubernetesRole.VIEW), ("ana",)), None)
        gateway.delete(narrow)
        # From here on RBAC lets it do everything; the policy is all that is left.
        create(admin, CRBS, _administrator(guarded.name, own))
        wait_until(lambda: guarded.client.get(f"{NAMESPACES}/default/secrets").status == 200)
        tried = attempts(guarded, to_object(INSTANCE, grant(guarded.target, "eve")), f"others-{own}")
        admin.delete(f"{CRBS}/admin-{own}")

    statuses = {what: reply.status for what, reply in tried.items()}
    assert [each.kind for each in problems] == ["BindDenied"]
    assert gateway.list_bindings() == [grown]
    assert statuses == dict.fromkeys(tried, 403), {
        what: tried[what].body for what, got in statuses.items() if got != 403
    }
    assert all(b"denied the request" in reply.body for reply in tried.values())
    assert admin.get(f"{CRBS}/others-{own}").document["subjects"][0]["name"] == "eve"


def _administrator(name: str, own: str) -> dict[str, Any]:
    found = binding(f"admin-{own}", "cluster-admin")
    return found | {"subjects": [{"kind": "ServiceAccount", "name": name, "namespace": name}]}


@pytest.mark.kube
def test_with_its_share_of_the_api_the_bridge_is_told_apart_by_the_server(guarded: Guarded) -> None:
    admin, found = guarded.server.client(), documents(guarded.name, flow_schema=True)
    level, schema = found["PriorityLevelConfiguration"], found["FlowSchema"]
    # The test server has these kinds by an older name of one field.
    limited = dict(level["spec"]["limited"])
    limited["assuredConcurrencyShares"] = limited.pop("nominalConcurrencyShares")
    level = level | {"spec": level["spec"] | {"limited": limited}}

    for plural, document in (("prioritylevelconfigurations", level), ("flowschemas", schema)):
        reply = admin.post(f"{FLOW}/{plural}", document | {"apiVersion": "flowcontrol.apiserver.k8s.io/v1beta1"})
        assert reply.status == 201, reply.body
    uid = reply.document["metadata"]["uid"]

    wait_until(lambda: guarded.client.get(CRBS).headers.get("X-Kubernetes-PF-FlowSchema-UID") == uid)
    assert admin.get(CRBS).headers.get("X-Kubernetes-PF-FlowSchema-UID") != uid
    for plural in ("flowschemas", "prioritylevelconfigurations"):
        admin.delete(f"{FLOW}/{plural}/{guarded.name}")


@pytest.mark.kube
def test_events_are_its_right_in_its_own_namespace_only(guarded: Guarded) -> None:
    notice = Notice("scim-bridge.0123456789abcdef", "RemovalsHeld", "12 people wait")

    for _ in range(2):
        guarded.gateway.tell(guarded.name, notice, datetime(2026, 11, 29, 12, tzinfo=UTC))
    [event] = guarded.server.client().get(f"{NAMESPACES}/{guarded.name}/events").document["items"]

    assert (event["reason"], event["message"], event["type"]) == ("RemovalsHeld", "12 people wait", "Warning")
    with pytest.raises(ClusterDenied):
        guarded.gateway.tell("default", notice, datetime(2026, 11, 29, 12, tzinfo=UTC))
