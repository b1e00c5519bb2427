"""The manifests under `deploy/`: a real API server accepts them, and no container may more than it needs."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scim_bridge.cli.main import main
from scim_bridge.settings import Settings
from tests.house.source import ROOT
from tests.kube.client import APPLY, KubeClient
from tests.kube.server import KubeServer
from tests.machine import require

OVERLAYS = sorted((ROOT / "deploy" / "kustomize" / "overlays").iterdir())
# Kinds of which the test server has no API are held to a schema of ours.
SCHEMAS = Path(__file__).parent / "schemas"


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
    schema = json.loads((SCHEMAS / f"{document['kind']}.json").read_text())
    print(f"{document['kind']} {document['metadata']['name']}: not served here, held to tests/deploy/schemas")
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_what_no_test_server_knows_fits_its_schema(overlay: Path) -> None:
    kept = {each.stem for each in SCHEMAS.glob("*.json")}

    for document in _render(overlay):
        if document["kind"] in kept:
            _check_shape(document)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_every_container_runs_a_verb_that_exists_and_names_only_settings_that_do(overlay: Path) -> None:
    settings = {f"SCIM_BRIDGE_{name.upper()}" for name in Settings.model_fields}
    settings |= {f"{name}_FILE" for name in settings} | {"WEB_HOST"}
    documents = _render(overlay)

    for name, pod in _pods(documents):
        for container in pod["containers"]:
            program, *words = container["command"]
            # The worker comes with the queue on PostgreSQL.
            assert program == "gunicorn" or words[0] in {*main.commands, "worker"}, name
            assert {each["name"] for each in container["env"]} <= settings, name
    for each in documents:
        if each["kind"] == "ConfigMap":
            assert set(each["data"]) <= settings


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_nobody_reaches_a_pod_but_who_is_named(overlay: Path) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in _render(overlay) if each["kind"] == "NetworkPolicy"}

    closed = policies.pop("scim-bridge")

    assert (closed["podSelector"], closed["policyTypes"], "ingress" in closed) == ({}, ["Ingress"], False)
    for opened in policies.values():
        assert all("namespaceSelector" in source for rule in opened["ingress"] for source in rule["from"])


def test_the_image_gives_its_processes_no_more_than_they_need() -> None:
    # A lint of ours: the image itself is not built here.
    lines = (ROOT / "deploy" / "Containerfile").read_text().splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith((" ", "#"))]
    last = max(number for number, (word, _) in enumerate(words) if word == "FROM")
    final = words[last:]
    print("deploy/Containerfile: linted, not built")

    images = [rest.split()[0] for word, rest in words if word == "FROM"]
    assert all(":" in each and not each.endswith(":latest") for each in images)
    assert [rest for word, rest in final if word == "USER"] == ["10001:10001"]
    assert [word for word, _ in words if word == "ADD"] == []
    assert not any(re.search(r"(curl|wget)[^|]*\|\s*(ba)?sh|chmod 777|sudo ", rest) for _, rest in words)
    assert all(rest.startswith("[") for word, rest in words if word in ("CMD", "ENTRYPOINT"))
    assert any("--frozen" in rest for word, rest in words if word == "RUN"), "built from the lock"
    assert not any(
        re.search(r"(TOKEN|PASSWORD|KEYS?|SECRET)\s*=", rest) for word, rest in words if word in ("ENV", "ARG")
    )
    copied = {each for word, rest in words if word == "COPY" for each in rest.split()[:-1] if not each.startswith("--")}
    assert copied <= {
        "/src/.venv",
        "LICENSE",
        "README.md",
        "config",
        "config/gunicorn.conf.py",
        "migrations",
        "pyproject.toml",
        "scim_bridge",
        "uv.lock",
    }
