"""`scim-bridge plan|apply|drift|export`: a whole organization as one file."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.bridge import Bridge

FILE = """
organization: acme
units:
  - {path: production, environment: production}
clusters:
  - {name: prod, unit: production, manifests: prod}
projects:
  - {name: shop, unit: production, namespaces: [shop-web]}
grants:
  - {scope: "project:shop", person: ana@acme.example, kubernetes_role: edit}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a document down."""
    made = tmp_path / "acme.yaml"
    made.write_text(FILE)
    return made


def plan(bridge: Bridge, file: Path) -> tuple[int, str]:
    result = bridge.run("plan", str(file))
    return result.exit_code, result.stdout


def test_a_plan_says_what_would_change_by_its_exit_code_too(local: Bridge, file: Path) -> None:
    code, text = plan(local, file)

    assert code == 11
    assert text.splitlines()[:4] == [
        "+ units production",
        "+ clusters prod",
        "+ projects shop",
        "+ grants kubernetes_role edit at project:shop to person ana@acme.example",
    ]
    assert "+ ana@acme.example: edit in shop-web on prod" in text
    assert f"scim-bridge apply {file} --plan " in text
    assert local.json("unit", "list") == []


def test_a_plan_that_was_read_is_applied_and_nothing_is_left_to_do(local: Bridge, file: Path) -> None:
    hash_ = plan(local, file)[1].rpartition("--plan ")[2].strip()

    text = local.text("apply", str(file), "--plan", hash_)

    assert text.splitlines()[-1] == f"acme is as {file} says."
    assert plan(local, file) == (0, "Nothing changes.\n")
    assert local.text("apply", str(file)).splitlines()[0] == "Nothing changes."
    assert (file.parent / "prod").is_dir()


def test_nobody_applies_what_they_have_not_seen(local: Bridge, file: Path) -> None:
    code, sentence = local.refused("apply", str(file))

    assert code == 5
    assert "say --plan" in sentence
    assert local.refused("apply", str(file), "--plan", "0" * 12)[0] == 4
    assert local.json("unit", "list") == []


def test_drift_is_said_and_whether_the_file_is_the_one_that_was_applied(local: Bridge, file: Path) -> None:
    assert local.refused("drift")[0] == 3
    local.json("apply", str(file), "--yes")
    same = local.json("drift", str(file))
    local.json("project", "rename", "shop", "store")
    drifted = local.run("drift")
    file.write_text(FILE.replace("environment: production", "environment: staging"))
    other = local.run("drift", str(file))

    assert (same["changes"], same["is_applied"]) == ([], True)
    assert drifted.exit_code == 11
    assert "+ projects shop" in drifted.stdout
    assert other.exit_code == 11
    assert f"{file} is not what was applied." in other.stdout


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_plans_nothing(local: Bridge, file: Path, form: str) -> None:
    local.json("apply", str(file), "--yes")

    exported = file.parent / f"exported.{form}"
    exported.write_text(local.text("export", "--format", form))

    assert plan(local, exported) == (0, "Nothing changes.\n")
    assert yaml.safe_load(exported.read_text())["projects"][0]["name"] == "shop"


def test_a_kubeconfig_is_read_from_the_environment_or_a_file_beside_the_document(
    local: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "s3cret"}}],
    }
    (tmp_path / "beside.kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    file = tmp_path / "acme.json"
    clusters = [
        {"name": "one", "kubeconfig": {"env": "ONE_KUBECONFIG"}},
        {"name": "two", "kubeconfig": {"file": "beside.kubeconfig"}},
    ]
    file.write_text(json.dumps({"organization": "acme", "clusters": clusters}))

    missing = local.refused("apply", str(file), "--yes")
    monkeypatch.setenv("ONE_KUBECONFIG", yaml.safe_dump(kubeconfig))
    done = local.run("apply", str(file), "--yes")

    assert missing[0] == 6
    assert "has no ONE_KUBECONFIG" in missing[1]
    assert done.exit_code == 0, done.stderr
    assert "s3cret" not in done.stdout
    assert [each["address"] for each in local.json("cluster", "list")] == ["https://127.0.0.1:1"] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("units: [", "is not YAML"),
        ("- a", "must hold keys and values"),
        ("colours: []", "no key 'colours'"),
        ("units: [{path: a, environment: 2026-01-01}]", "environment"),
        ("organization: globex\nunits: []", "no organization 'globex'"),
    ],
)
def test_a_file_that_cannot_be_applied_is_one_sentence(local: Bridge, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(text)

    code, sentence = local.refused("plan", str(file))

    assert code in (3, 6)
    assert words in sentence
