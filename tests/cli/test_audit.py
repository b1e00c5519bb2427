"""The audit at the terminal: found, handed out, verified; and access back to its cause."""

import csv
import io
import json
from pathlib import Path

import pytest

from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import load_keyring
from scim_bridge.sync.sealer import Sealer
from tests.cli.bridge import Bridge
from tests.identity.chains import change_row
from tests.identity.provider import rows


@pytest.fixture
def acme(bridge: Bridge) -> Bridge:
    """Make an organization with an owner and a grant."""
    bridge.json("organization", "create", "acme", "--owner", "olga@acme.example")
    bridge.json("unit", "create", "prod")
    words = ["--person", "olga@acme.example", "--scope", "unit:prod", "--kubernetes-role", "edit"]
    bridge.json("grant", "add", *words)
    return bridge


def database(bridge: Bridge) -> Database:
    return Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])


def seal(bridge: Bridge) -> None:
    opened = database(bridge)
    settings = Settings(home=Path(bridge.environment["SCIM_BRIDGE_HOME"]))
    sealer = Sealer(opened, load_keyring(settings))
    sealer.seal()
    sealer.close()
    opened.dispose()


def test_entries_are_listed_for_people_and_for_machines(acme: Bridge) -> None:
    page = acme.json("audit", "list", "--action", "grant.added")
    text = acme.text("audit", "list", "--action", "grant.*")

    entry = page["items"][0]
    assert (entry["actor_kind"], entry["action"]) == ("cli", "grant.added")
    assert entry["detail"]["scope"] == "unit:prod"
    assert "grant.added" in text
    assert "cli" in text


def test_a_list_goes_on_where_it_ended(acme: Bridge) -> None:
    first = acme.json("audit", "list", "--limit", "2")
    second = acme.json("audit", "list", "--limit", "2", "--cursor", first["next_cursor"])

    ids = [each["id"] for each in (*first["items"], *second["items"])]
    assert len(set(ids)) == 4
    assert "--cursor" in acme.text("audit", "list", "--limit", "2")


def test_what_nobody_did_is_an_empty_list(acme: Bridge) -> None:
    assert acme.json("audit", "list", "--actor", "nobody") == {"items": [], "next_cursor": None}
    assert "No entries." in acme.text("audit", "list", "--since", "2099-01-01")


def test_all_entries_are_printed_line_by_line(acme: Bridge) -> None:
    lines = acme.text("audit", "export").splitlines()
    table = list(csv.DictReader(io.StringIO(acme.text("audit", "export", "--format", "csv"))))

    found = [json.loads(line) for line in lines]
    assert found[0]["action"] == "organization.created"
    assert [each["id"] for each in found] == [row["id"] for row in table]
    assert acme.text("audit", "export", "--actor", "nobody") == ""


def test_the_chain_is_verified_and_a_break_ends_with_one(acme: Bridge) -> None:
    seal(acme)
    sound = acme.json("audit", "verify")
    said = acme.text("audit", "verify", "--expected", f"{sound['last']}:{sound['hash']}")
    opened = database(acme)
    (entry,) = rows(opened, "audit_entry", sequence=2)

    change_row(opened, "audit_entry", {"id": entry["id"]}, noun="nothing")

    opened.dispose()
    broken = acme.run("audit", "verify")
    assert sound["holds"] is True
    assert "The audit is what was written." in said
    assert f"{sound['last']}:{sound['hash']}" in said
    assert broken.exit_code == 1
    assert "BROKEN: entry 2 was changed after it was sealed" in broken.stdout
    assert entry["id"] in broken.stdout


def test_what_waits_for_the_sealer_is_told(acme: Bridge) -> None:
    found = acme.json("audit", "verify")

    assert found["holds"] is True
    assert found["unsealed"] > 0
    assert "not sealed yet" in acme.text("audit", "verify")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["list", "--since", "yesterday"], 6),
        (["list", "--object", "person:nobody"], 3),
        (["list", "--cluster", "nowhere"], 3),
        (["verify", "--expected", "5"], 6),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(acme: Bridge, words: list[str], code: int) -> None:
    assert acme.refused("audit", *words)[0] == code


def test_a_form_that_does_not_exist_is_typed_wrong(acme: Bridge) -> None:
    assert acme.run("audit", "export", "--format", "xml").exit_code == 2


def test_who_and_what_and_the_whole_are_asked_at_the_terminal(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod-eu", "--manifests", str(tmp_path / "eu"), "--unit", "prod")

    who = acme.json("access", "who", "--cluster", "prod-eu")
    may = acme.json("access", "who", "--permission", "org:delete")
    effective = acme.json("access", "effective", "olga@acme.example")
    table = list(csv.DictReader(io.StringIO(acme.text("access", "matrix"))))

    assert [(each["user_name"], each["role"], each["scope"]) for each in who] == [
        ("olga@acme.example", "edit", "unit:prod")
    ]
    assert [each["role"] for each in may] == ["owner"]
    assert effective["clusters"][0] == {"cluster": "prod-eu", "role": "edit", "by": "unit:prod", "namespaces": []}
    assert table[0]["kubernetes cluster:prod-eu"] == "edit"
    assert "olga@acme.example" in acme.text("access", "who", "--cluster", "prod-eu")
    assert "prod-eu" in acme.text("access", "effective", "olga@acme.example")
    assert "Nobody." in acme.text("access", "who", "--cluster", "prod-eu", "--role", "view")


def test_the_cause_of_a_grant_is_told_to_people_too(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod-eu", "--manifests", str(tmp_path / "eu"), "--unit", "prod")

    text = acme.text("access", "explain", "olga@acme.example")

    assert "edit at unit:prod for olga@acme.example, manual, by cli" in text


@pytest.mark.parametrize(
    "words",
    [
        ["explain"],
        ["explain", "--binding", "x"],
        ["explain", "olga@acme.example", "--namespace", "shop"],
        ["explain", "--binding", "x", "--cluster", "c", "--at", "1h"],
    ],
)
def test_a_question_in_parts_that_do_not_fit_is_typed_wrong(acme: Bridge, words: list[str]) -> None:
    assert acme.run("access", *words).exit_code == 2


def test_a_binding_that_is_not_ours_is_not_found(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod-eu", "--manifests", str(tmp_path / "eu"), "--unit", "prod")

    code, sentence = acme.refused("access", "explain", "--binding", "cluster-admins", "--cluster", "prod-eu")

    assert code == 3
    assert "not ours" in sentence


def test_a_written_binding_is_explained_at_the_terminal(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod-eu", "--manifests", str(tmp_path / "eu"), "--unit", "prod")
    acme.run("sync", "run")
    acme.text("sync", "approve", "--yes")
    acme.text("sync", "run")
    opened = database(acme)
    (binding,) = rows(opened, "applied_binding")
    opened.dispose()

    text = acme.text("access", "explain", "--binding", binding["name"], "--cluster", "prod-eu")
    written = acme.json("audit", "list", "--cluster", "prod-eu", "--action", "binding.written")

    assert "edit for 1 subjects" in text
    assert "olga@acme.example" in text
    assert [each["actor_kind"] for each in written["items"]] == ["scheduler"]
