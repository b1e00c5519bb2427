"""The manifests under `deploy/`: a real API server accepts them, and no container may more than it needs."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.source import ROOT
from tests.kube.client import APPLY, KubeClient
from tests.kube.server import KubeServer
from tests.machine import require

OVERLAYS = sorted((ROOT / "deploy" / "kustomize" / "overlays").iterdir())
# Kinds of which the test server has no API: their shape is written down here (policy/v1, Kubernetes 1.21 and newer).
SHAPES = {
    "PodDisruptionBudget": {"apiVersion": "policy/v1", "spec": {"selector", "maxUnavailable", "minAvailable"}},
}


def _render(overlay: Path) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        require("kubectl", "Debian's kubernetes-client has it")
    result = subprocess.run([kubectl, "kustomize", overlay], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return [each for each in yaml.safe_load_all(result.stdout) if each]


def _pods(documents: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{each['kind']} {each['metadata']['name']}", each["spec"]["template"]["spec"])
        for each in documents
        if "template" in each.get("spec", {})
    ]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_no_container_may_more_than_it_needs(overlay: Path) -> None:
    pods = _pods(_render(overlay))

    assert pods
    for name, pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            held = container["securityContext"]
            assert held["readOnlyRootFilesystem"] is True, name
            assert held["allowPrivilegeEscalation"] is False, name
            assert held["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_secrets_come_as_files_and_never_stand_in_a_manifest(overlay: Path) -> None:
    documents = _render(overlay)

    assert [each["kind"] for each in documents if each["kind"] == "Secret"] == []
    for name, pod in _pods(documents):
        names = {each["name"] for container in pod["containers"] for each in container["env"]}
        assert "SCIM_BRIDGE_ENCRYPTION_KEYS_FILE" in names, name
        assert not names & {"SCIM_BRIDGE_DATABASE_URL", "SCIM_BRIDGE_ENCRYPTION_KEYS"}, name


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_whoever_serves_http_is_asked_how_it_is(overlay: Path) -> None:
    serving = [c for _, pod in _pods(_render(overlay)) for c in pod["containers"] if "ports" in c]

    assert serving
    for container in serving:
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_every_pod_of_several_may_be_lost_alone() -> None:
    documents = _render(ROOT / "deploy" / "kustomize" / "overlays" / "high-availability")

    several = {e["metadata"]["name"] for e in documents if e["kind"] == "Deployment" and e["spec"]["replicas"] > 1}
    kept = {each["metadata"]["name"] for each in documents if each["kind"] == "PodDisruptionBudget"}

    assert several == kept == {"scim-bridge-web", "scim-bridge-scheduler", "scim-bridge-worker"}


@pytest.mark.kube
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_a_real_api_server_accepts_every_object(kube_server: KubeServer, overlay: Path) -> None:
    client = kube_server.client()
    documents = _render(overlay)
    made = client.post(
        "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "scim-bridge"}}
    )
    assert made.status in (201, 409), made.body

    for document in documents:
        path = _path(client, document)
        if path is None:
            _check_shape(document)
            continue
        answer = client.send(
            "PATCH",
            path,
            yaml.safe_dump(document).encode(),
            APPLY,
            {"dryRun": "All", "fieldManager": "tests", "force": "true"},
        )
        assert answer.status in (200, 201), (document["kind"], answer.body)


def _path(client: KubeClient, document: dict[str, Any]) -> str | None:
    """Return where an object of this kind lives on the server, None for a kind that it does not serve."""
    version = document["apiVersion"]
    prefix = "/api/v1" if version == "v1" else f"/apis/{version}"
    found = client.get(prefix)
    if found.status != 200:
        return None
    kinds = {each["kind"]: each for each in found.document["resources"] if "/" not in each["name"]}
    if document["kind"] not in kinds:
        return None
    kind, metadata = kinds[document["kind"]], document["metadata"]
    inside = f"/namespaces/{metadata['namespace']}" if kind["namespaced"] else ""
    return f"{prefix}{inside}/{kind['name']}/{metadata['name']}"


def _check_shape(document: dict[str, Any]) -> None:
    shape = SHAPES[document["kind"]]
    print(f"{document['kind']} {document['metadata']['name']}: not served here, checked against its shape")
    assert document["apiVersion"] == shape["apiVersion"]
    assert set(document["spec"]) <= set(shape["spec"])
