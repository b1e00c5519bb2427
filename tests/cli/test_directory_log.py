"""`scim-bridge directory log`, `replay` and `doctor`, typed as an administrator types them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from scim_bridge.app import create_app
from scim_bridge.settings import load_settings
from scim_bridge.web.context import journal_of
from tests.cli.bridge import Bridge
from tests.scim.doors import Directory, document, replace
from tests.scim.live import served


@dataclass
class Installation:
    """A bridge at whose terminal somebody sits, with an Okta that talks to it."""

    bridge: Bridge
    okta: Directory

    def type(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Type a command in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "scim_bridge", *words],
            env=os.environ | self.bridge.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def entries(self, *words: str) -> list[dict[str, Any]]:
        """Return what the log shows."""
        journal_of(self.okta.client.application).flush()
        found: list[dict[str, Any]] = self.bridge.json("directory", "log", *words)["entries"]
        return found


@pytest.fixture
def installation(acme: Bridge) -> Iterator[Installation]:
    made = acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    app = create_app(load_settings(environment={}).model_copy(update=_settings(acme)))
    yield Installation(acme, Directory(app.test_client(), made["token"], "okta"))
    app.extensions["scim_bridge"].database.dispose()


def _settings(bridge: Bridge) -> dict[str, Any]:
    chosen = load_settings(environment={}).__class__(
        home=Path(bridge.environment["SCIM_BRIDGE_HOME"]),
        database_url=bridge.environment["SCIM_BRIDGE_DATABASE_URL"],
    )
    return dict(chosen)


def test_the_log_shows_who_was_refused_why_and_what_to_click(installation: Installation) -> None:
    ada = installation.okta.create_user("ada@acme.example")
    answer = installation.okta.post("/Users", {"userName": "ADA@acme.example"})
    installation.okta.get(f"/Users/{ada}")

    failed = installation.entries("okta", "--person", "ada@acme.example", "--result", "failed", "--since", "1h")
    told = installation.bridge.json("directory", "log", "okta", answer.headers["X-Request-Id"])
    created = installation.bridge.json("directory", "log", "okta", installation.entries("okta")[-1]["id"])
    text = installation.bridge.text("directory", "log", "okta", failed[0]["id"])

    assert [each["status"] for each in installation.entries("okta")] == [200, 409, 201]
    assert [(each["status"], each["scim_type"]) for each in failed] == [(409, "uniqueness")]
    assert told["id"] == failed[0]["id"]
    assert (told["body"], told["changes"]) == ('{"userName":"ADA@acme.example"}', [])
    assert told["fix"].startswith("In Okta: ")
    assert "user.created" in [each["action"] for each in created["changes"]]
    assert "What to do: In Okta: " in text


def test_pages_go_on_where_the_last_one_ended(installation: Installation) -> None:
    for number in range(3):
        installation.okta.create_user(f"ada{number}@acme.example")

    first = installation.bridge.json("directory", "log", "okta", "--limit", "2")
    second = installation.bridge.json("directory", "log", "okta", "--limit", "2", "--before", first["before"])

    assert (len(first["entries"]), len(second["entries"]), second["before"]) == (2, 1, None)
    assert f"--before {first['before']}" in installation.bridge.text("directory", "log", "okta", "--limit", "2")


def test_unknown_credentials_are_shown_to_who_sits_at_the_machine(installation: Installation) -> None:
    installation.okta.request("GET", "/Users", headers={"Authorization": "Bearer nobody-gave-this-out"})

    [entry] = installation.entries("--unknown")

    assert (entry["status"], entry["target"], entry["address"]) == (401, "/scim/v2/Users", "127.0.0.1")
    assert installation.entries("okta") == []
    assert installation.bridge.run("directory", "log", "okta", "--unknown").exit_code == 2
    assert installation.bridge.run("directory", "log").exit_code == 2


def test_what_is_not_there_and_what_cannot_be_read_is_one_sentence(installation: Installation) -> None:
    assert installation.bridge.refused("directory", "log", "entra")[0] == 3
    assert installation.bridge.refused("directory", "log", "okta", "nothing") == (
        3,
        "There is no request 'nothing' in the log of the directory okta.",
    )
    assert installation.bridge.refused("directory", "log", "okta", "--since", "soon")[0] == 6


def test_a_replay_is_dry_first_and_then_real(installation: Installation) -> None:
    ada = installation.okta.create_user("ada@acme.example")
    entry = installation.okta.post("/Users", {"userName": "ada@acme.example"}).headers["X-Request-Id"]
    words = ("directory", "replay", "okta", entry)

    before = installation.type(*words)
    installation.okta.patch(f"/Users/{ada}", replace("userName", "ada.keller@acme.example"))
    dry = installation.type(*words, "--json")
    nobody = document(installation.okta.get('/Users?filter=userName eq "ada@acme.example"'))
    real = installation.type(*words, "--real")
    somebody = document(installation.okta.get('/Users?filter=userName eq "ada@acme.example"'))

    assert (before.returncode, dry.returncode, real.returncode) == (1, 0, 0), before.stderr + dry.stderr + real.stderr
    assert "It would be answered 409" in before.stdout
    assert json.loads(dry.stdout)["status"] == 201
    assert "It was answered 201" in real.stdout
    assert (nobody["totalResults"], somebody["totalResults"]) == (0, 1)
    assert "user.created" in real.stdout


@pytest.mark.parametrize("profile", ["okta", "entra"])
def test_the_doctor_finds_nothing_and_leaves_nothing(installation: Installation, profile: str) -> None:
    installation.okta.create_group("team", installation.okta.create_user("ada@acme.example"))
    before = installation.bridge.json("directory", "show", "okta"), installation.bridge.json("directory", "list")

    found = installation.type(
        "directory", "doctor", "okta", "--profile", profile, "--json", SCIM_BRIDGE_BASE_URL="http://127.0.0.1:9"
    )

    report = json.loads(found.stdout)
    assert [each for each in report["conversations"] if not each["passed"]] == []
    assert (found.returncode, report["ok"], report["public_address"]) == (0, True, False)
    assert len(report["conversations"]) > 25
    after = installation.bridge.json("directory", "show", "okta"), installation.bridge.json("directory", "list")
    assert after == before


def test_the_doctor_goes_to_the_public_address(installation: Installation) -> None:
    with served(installation.okta.client.application) as here:
        found = installation.type(
            "directory", "doctor", "okta", "--json", SCIM_BRIDGE_BASE_URL=here.removesuffix("/scim/v2")
        )

    assert (found.returncode, json.loads(found.stdout)["public_address"]) == (0, True), found.stdout


def test_the_doctor_says_what_is_wrong_at_the_public_address(installation: Installation) -> None:
    app = Flask("somebody else's")

    with served(app) as elsewhere:
        found = installation.type(
            "directory", "doctor", "okta", SCIM_BRIDGE_BASE_URL=elsewhere.removesuffix("/scim/v2")
        )

    assert found.returncode == 1
    assert "was answered 404" in found.stdout
    assert "Traceback" not in found.stderr
    assert [each["name"] for each in installation.bridge.json("directory", "list")] == ["okta"]
