"""`scim-bridge cluster findings`, `adopt`, `test-subject` and `safety`, and the history of a cluster's passes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.bridge import Bridge
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.client import CRBS
from tests.kube.world import binding, kubeconfig, prepare

ANA = "ana@acme.example"


@pytest.fixture
def api(local: Bridge, tmp_path: Path) -> Iterator[FakeKubeApi]:
    with FakeKubeApi() as server:
        prepare(server)
        (tmp_path / "kubeconfig").write_text(kubeconfig(server))
        local.json("cluster", "add", "--name", "prod", "--kubeconfig", str(tmp_path / "kubeconfig"))
        local.json("grant", "add", "--person", ANA, "--scope", "organization", "--kubernetes-role", "edit")
        yield server


def go_live(bridge: Bridge) -> None:
    bridge.json("cluster", "safety", "prod", "--break-glass", "group:system:masters")
    bridge.json("sync", "approve", "prod", "--yes")
    bridge.json("sync", "run")


def test_a_cluster_goes_live_only_with_a_way_in(local: Bridge, api: FakeKubeApi) -> None:
    code, sentence = local.refused("sync", "approve", "prod", "--yes")
    shown = local.text("cluster", "safety", "prod", "--break-glass", "group:system:masters")
    go_live(local)

    assert (code, "scim-bridge cluster safety prod --break-glass" in sentence) == (5, True)
    assert "group:system:masters" in shown
    assert local.json("sync", "status")[0]["health"] == "ok"


def test_a_binding_by_hand_is_found_planned_and_taken_over(local: Bridge, api: FakeKubeApi) -> None:
    go_live(local)
    api.client().post(CRBS, binding("by-hand", "edit", ANA, "eve"))

    listed = local.text("cluster", "findings", "prod")
    planned = local.text("cluster", "adopt", "prod", "by-hand")
    command = planned.strip().rpartition("scim-bridge ")[2].split()
    done = local.text(*command)

    assert "privileged" in listed
    assert f"{ANA} ({ANA}, active)" in listed
    assert f"keeps {ANA}" in planned
    assert "LOSES User eve" in planned
    assert "is gone" in done
    assert local.text("cluster", "findings", "prod").startswith("Nothing")
    assert local.json("cluster", "orphans", "prod") == []


def test_a_person_is_tried_on_a_cluster(local: Bridge, api: FakeKubeApi) -> None:
    go_live(local)

    text = local.text("cluster", "test-subject", "prod", ANA)

    assert "edit in the whole cluster" in text
    assert "create pods in the whole cluster: ClusterRoleBinding scimb-" in text


def test_history_and_watch_tell_what_passes_did(local: Bridge, api: FakeKubeApi) -> None:
    go_live(local)

    history = local.text("sync", "history", "prod")
    watched = local.text("sync", "watch", "--seconds", "0")

    assert f"+ {ANA}: edit in the whole cluster" in history
    assert "prod  ok" in watched
    assert len(local.json("sync", "history", "prod", "--all")) >= 2
    assert local.refused("sync", "history", "nowhere")[0] == 3


def test_a_folder_that_wants_commits_gets_one_a_pass(local: Bridge, tmp_path: Path) -> None:
    import subprocess

    place = tmp_path / "gitops"
    local.json("cluster", "add", "--name", "git", "--manifests", str(place), "--git", "--approve-first-plan")
    local.json("grant", "add", "--person", ANA, "--scope", "organization", "--kubernetes-role", "edit")

    local.json("sync", "run")
    local.json("sync", "run")

    done = subprocess.run(["git", "-C", str(place), "log", "--format=%s%n%b"], capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == ["Update access: 1 gain, 0 lose", f"+ {ANA}: edit in the whole cluster", ""]
    assert done.stdout.count("access") == 1
    assert local.run("cluster", "add", "--name", "x", "--in-cluster", "--git").exit_code == 6
