"""
SCIM in over HTTP, and a person's own token is allowed or refused by a real kube-apiserver.

The bridge has its least privileged credential there: it may bind edit and view, and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scim_bridge.simulator import Client, Company, Entra
from tests.journeys.bridge import Bridge, installed
from tests.kube.client import CRBS
from tests.kube.server import ALICE, BOB, KubeServer
from tests.kube.world import bindings_in, can, create_namespace, kubeconfig, wait_until

pytestmark = pytest.mark.kube

RULES = """
version = 1
[[rules]]
name = "Developers edit production"
directory = "entra"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"

[[rules]]
name = "Operators look into their project"
directory = "entra"
group_pattern = "team-(?P<project>[a-z]+)"
scope = "project:{project}"
parent = "unit:production"
kubernetes_role = "view"

[[rules]]
name = "Administrators"
directory = "entra"
group = "administrators"
scope = "unit:production"
kubernetes_role = "cluster-admin"
allow_privileged = true
"""


@dataclass
class Journey:
    """A bridge, its cluster, and Entra."""

    bridge: Bridge
    server: KubeServer
    entra: Entra

    def may(self, user: str, verb: str, namespace: str = "default") -> bool:
        return can(self.server, user, verb, "pods", namespace)

    def status_of_listing(self, user: str, namespace: str = "default") -> int:
        """Send a real request with the person's own token."""
        return self.server.client(user).get(f"/api/v1/namespaces/{namespace}/pods").status


@pytest.fixture
def journey(kube_server: KubeServer, tmp_path: Path) -> Iterator[Journey]:
    create_namespace(kube_server.client(), "shop")
    config, rules = tmp_path / "kubeconfig", tmp_path / "rules.toml"
    config.write_text(kubeconfig(kube_server))
    rules.write_text(RULES)
    with installed(tmp_path / "home") as bridge:
        bridge.command("organization", "create", "acme", "--owner", "ana@acme.example")
        bridge.command("unit", "create", "production")
        made = bridge.command("directory", "create", "--organization", "acme", "--kind", "entra", "--name", "entra")
        bridge.command(
            "cluster", "add", "--organization", "acme", "--unit", "production", "--name", "prod",
            "--kubeconfig", str(config), "--user-template", "oidc:{user_name}", "--approve-first-plan",
            "--break-glass", "group:system:masters",
        )  # fmt: skip
        bridge.command("project", "create", "shop", "--unit", "production", "--namespace", "shop")
        bridge.command("rule", "apply", str(rules))
        bridge.start()
        company = Company.of({"developers": ["Alice"], "team-shop": ["Bob"], "administrators": []}, "example.com")
        entra = Entra(Client(bridge.scim_url, str(made["token"])), company)
        yield Journey(bridge, kube_server, entra)
        entra.client.close()
    _clean(kube_server)


def _clean(server: KubeServer) -> None:
    admin = server.client()
    for path in (CRBS, bindings_in("shop")):
        for item in admin.get(path, labelSelector="app.kubernetes.io/managed-by=scim-bridge").document["items"]:
            admin.delete(f"{path}/{item['metadata']['name']}")


def test_a_person_pushed_by_entra_is_allowed_and_a_leaver_refused_with_their_own_token(journey: Journey) -> None:
    before = journey.may(ALICE, "delete"), journey.status_of_listing(ALICE)

    journey.entra.initial_cycle()
    wait_until(lambda: journey.may(ALICE, "delete") and journey.may(BOB, "list", "shop"))
    joined = journey.status_of_listing(ALICE)
    journey.entra.leave(journey.entra.company.person("alice@example.com"))
    wait_until(lambda: not journey.may(ALICE, "delete"))

    assert before == (False, 403)
    assert joined == 200
    assert journey.status_of_listing(ALICE) == 403
    # Nobody else lost anything by it.
    assert journey.may(BOB, "list", "shop")


def test_a_project_role_reaches_into_its_namespace_only(journey: Journey) -> None:
    journey.entra.initial_cycle()

    wait_until(lambda: journey.may(BOB, "list", "shop"))

    assert not journey.may(BOB, "list", "default")
    assert not journey.may(BOB, "delete", "shop")


def test_a_person_out_of_the_group_is_refused_and_back_in_it_allowed(journey: Journey) -> None:
    journey.entra.initial_cycle()
    wait_until(lambda: journey.may(ALICE, "delete"))
    alice = journey.entra.company.person("alice@example.com")

    journey.entra.drop(alice, "developers")
    wait_until(lambda: not journey.may(ALICE, "delete"))
    journey.entra.join(alice, "developers")

    wait_until(lambda: journey.may(ALICE, "delete"))


def test_cluster_admin_is_not_given_where_the_cluster_did_not_opt_in(journey: Journey) -> None:
    journey.entra.initial_cycle()
    wait_until(lambda: journey.may(ALICE, "delete"))

    journey.entra.join(journey.entra.company.person("bob@example.com"), "administrators")
    journey.bridge.command("sync", "run", "--cluster", "prod")

    assert not can(journey.server, BOB, "delete", "clusterroles", group="rbac.authorization.k8s.io")
    assert "cluster-admin" in str(journey.bridge.command("sync", "status"))


def test_a_binding_that_somebody_deleted_by_hand_comes_back(journey: Journey) -> None:
    journey.entra.initial_cycle()
    wait_until(lambda: journey.may(ALICE, "delete"))
    admin = journey.server.client()
    for item in admin.get(CRBS, labelSelector="app.kubernetes.io/managed-by=scim-bridge").document["items"]:
        admin.delete(f"{CRBS}/{item['metadata']['name']}")
    wait_until(lambda: not journey.may(ALICE, "delete"))

    journey.bridge.command("sync", "run", "--cluster", "prod")

    wait_until(lambda: journey.may(ALICE, "delete"))
