"""`scim-bridge sync`, typed by somebody with a folder of manifests."""

from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def folder(acme: Bridge, tmp_path: Path) -> Path:
    """Register a folder of manifests that nobody approved, with one person to bind."""
    place = tmp_path / "manifests"
    acme.json("cluster", "add", "--name", "prod", "--manifests", str(place))
    acme.json("grant", "add", "--person", "ana@acme.example", "--scope", "organization", "--kubernetes-role", "edit")
    return place


def files(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/scimb-*.yaml"))


def test_a_new_cluster_is_planned_approved_and_written(acme: Bridge, folder: Path) -> None:
    [planned] = acme.json("sync", "plan", "--cluster", "prod")
    before = files(folder)
    approved = acme.json("sync", "approve", "--cluster", "prod", "--plan", planned["approve"])
    [done] = acme.json("sync", "run", "--cluster", "prod")
    [status] = acme.json("sync", "status", "--cluster", "prod")

    assert planned["document"]["gains"][0]["subjects"] == ["ana@acme.example"]
    assert (before, approved["reason"]) == ([], "first_contact")
    assert (done["state"], done["result"]["created"], files(folder)) == ("ok", 1, ["_cluster"])
    assert (status["state"], status["health"], status["held"]) == ("active", "ok", 0)


def test_a_pass_of_a_cluster_that_nobody_approved_ends_with_what_waits(acme: Bridge, folder: Path) -> None:
    result = acme.run("sync", "run")

    assert (result.exit_code, files(folder)) == (10, [])
    assert "waits for its approval" in result.stdout
    assert acme.run("sync", "status").exit_code == 0
    assert acme.run("sync", "status", "--check").exit_code == 10


def test_a_plan_reads_as_sentences_that_end_with_what_to_type(acme: Bridge, folder: Path) -> None:
    text = acme.text("sync", "plan")

    assert "+ ana@acme.example: edit in the whole cluster" in text
    assert "scim-bridge sync approve --cluster prod --plan " in text


def test_a_dry_run_on_the_target_says_what_it_would_take_and_writes_nothing(acme: Bridge, folder: Path) -> None:
    text = acme.text("sync", "plan", "--server-dry-run")
    [asked] = acme.json("sync", "plan", "--server-dry-run")
    (folder / "_cluster").symlink_to(folder)
    refused = acme.run("sync", "plan", "--server-dry-run")

    assert "dry run on the cluster: it would take 1 of 1 writes" in text
    assert [each["accepted"] for each in asked["answers"]] == [True]
    assert (refused.exit_code, files(folder)) == (8, [])
    assert "REFUSED: create edit in the whole cluster" in refused.stdout


def test_another_hash_is_a_conflict(acme: Bridge, folder: Path) -> None:
    code, sentence = acme.refused("sync", "approve", "--cluster", "prod", "--plan", "0" * 64)

    assert code == 4
    assert "ana@acme.example" in sentence


def test_a_folder_that_is_gone_is_a_cluster_that_fails(acme: Bridge, folder: Path) -> None:
    (folder / ".scim-bridge.json").unlink()

    planned, ran, status = (acme.run("sync", *words) for words in (["plan"], ["run"], ["status", "--check"]))

    assert (planned.exit_code, ran.exit_code, status.exit_code) == (8, 8, 8)
    assert "lost its .scim-bridge.json" in acme.text("sync", "status", "--cluster", "prod")


@pytest.mark.parametrize("verb", [("plan",), ("run",), ("status",), ("approve", "--plan", "0" * 64)])
def test_a_cluster_that_is_not_there_is_not_found(local: Bridge, verb: tuple[str, ...]) -> None:
    assert local.refused("sync", *verb, "--cluster", "nowhere")[0] == 3


def test_without_clusters_there_is_nothing_to_say(local: Bridge) -> None:
    assert "There is no cluster." in local.text("sync", "status")
    assert "There is no cluster." in local.text("sync", "plan")


def test_without_a_hash_nothing_is_approved_unless_somebody_says_yes(acme: Bridge, folder: Path) -> None:
    acme.run("sync", "run")

    code, sentence = acme.refused("sync", "approve", "prod")
    still = files(folder)
    agreed = acme.json("sync", "approve", "--yes")
    acme.json("sync", "run")

    assert (code, still) == (5, [])
    assert "--plan" in sentence
    assert agreed["cluster"] == "prod"
    assert files(folder) == ["_cluster"]


def test_of_two_plans_that_wait_one_has_to_be_named(acme: Bridge, folder: Path, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "other", "--manifests", str(tmp_path / "other"))
    acme.run("sync", "run")

    code, sentence = acme.refused("sync", "approve", "--yes")
    [planned] = acme.json("sync", "plan", "--cluster", "prod")
    approved = acme.json("sync", "approve", "--plan", planned["approve"][:12])

    assert code == 6
    assert "other, prod" in sentence
    assert approved["cluster"] == "prod"


def test_where_nothing_waits_there_is_nothing_to_approve(acme: Bridge, folder: Path) -> None:
    acme.json("sync", "approve", "prod", "--yes")
    acme.json("sync", "run")

    assert acme.refused("sync", "approve", "prod", "--yes")[0] == 3
