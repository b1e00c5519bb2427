"""The command line on another machine: the same verbs, through the REST API of a bridge that really listens."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from scim_bridge.app import create_app
from scim_bridge.settings import Settings
from tests.cli.bridge import Bridge


@pytest.fixture
def served(acme: Bridge, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve acme's installation on the loopback; name its address."""
    for name, value in acme.environment.items():
        monkeypatch.setenv(name, value)
    server = make_server("127.0.0.1", 0, create_app(Settings()), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def far(acme: Bridge, served: str) -> Bridge:
    """Sit at another machine that knows the address and a token, and no database."""
    made = acme.json("token", "create", "--for", "ana@acme.example")
    return Bridge({"SCIM_BRIDGE_URL": served, "SCIM_BRIDGE_TOKEN": made["token"]})


def test_a_verb_does_far_away_what_it_does_at_home(acme: Bridge, far: Bridge) -> None:
    far.json("application-user", "create", "ci")

    at_home, far_away = acme.json("application-user", "list"), far.json("application-user", "list")

    assert [each["name"] for each in far_away] == ["ci"]
    assert far_away == at_home
    assert far.json("grant", "list") == acme.json("grant", "list")
    assert far.text("role", "list") == acme.text("role", "list")


def test_an_error_is_the_same_far_away(acme: Bridge, far: Bridge) -> None:
    words = ("grant", "add", "--person", "nobody@acme.example", "--api-role", "viewer", "--scope", "organization")

    assert far.refused(*words) == acme.refused(*words)
    assert far.refused(*words)[0] == 3


def test_a_wrong_token_is_refused_in_a_sentence(served: str) -> None:
    stranger = Bridge({"SCIM_BRIDGE_URL": served, "SCIM_BRIDGE_TOKEN": "sbp_wrong"})

    assert stranger.refused("grant", "list", "-o", "acme") == (
        5,
        "The bearer token is missing, unknown, expired or revoked.",
    )


def test_an_address_where_nothing_answers_is_said() -> None:
    lost = Bridge({"SCIM_BRIDGE_URL": "http://127.0.0.1:9", "SCIM_BRIDGE_TOKEN": "x"})

    code, sentence = lost.refused("role", "list", "-o", "acme")

    assert code == 7
    assert sentence.startswith("http://127.0.0.1:9 does not answer")


def test_a_verb_of_the_machine_itself_says_that_it_stays_there(far: Bridge) -> None:
    code, sentence = far.refused("doctor")

    assert code == 6
    assert "--url" in sentence


def test_a_token_made_far_away_is_ones_own_and_can_be_ended(acme: Bridge, far: Bridge) -> None:
    made = far.json("token", "create", "--name", "laptop", "--expires", "30d")

    far.json("token", "revoke", made["prefix"])

    [first, laptop] = acme.json("token", "list", "--for", "ana@acme.example")
    assert (first["revoked_at"], laptop["name"]) == (None, "laptop")
    assert laptop["revoked_at"] is not None


def test_a_directory_is_kept_from_far_away(acme: Bridge, far: Bridge, tmp_path: Path) -> None:
    made = far.json("directory", "create", "--kind", "okta", "--name", "okta", "--pending")
    acme.put_team("acme", "platform", "bob@acme.example")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[fields.user_name]\nfrom = "userName"\ntransforms = [{ before = "@" }]\n')

    token = far.json("directory", "token", "rotate", "okta")
    far.text("directory", "activate", "okta", "--yes")
    far.text("directory", "map", "set", "okta", str(mapping), "--yes")
    far.text("directory", "rename", "okta", "idp")
    far.json("organization", "domain", "add", "acme.example")

    assert (made["state"], token["replaces"]) == ("pending", made["token"].split("_")[1])
    for words in (
        ("directory", "show", "idp"),
        ("directory", "list"),
        ("directory", "token", "list", "idp"),
        ("directory", "map", "show", "idp"),
        ("directory", "map", "test", "idp", "--user", "bob@acme.example"),
        ("directory", "log", "idp"),
        ("directory", "conflict", "list"),
        ("organization", "domain", "list"),
    ):
        assert far.json(*words) == acme.json(*words), words
    assert far.refused("directory", "pause", "okta") == acme.refused("directory", "pause", "okta")


def test_the_audit_and_access_are_asked_from_far_away_too(acme: Bridge, far: Bridge) -> None:
    exported = far.text("audit", "export", "-o", "acme").splitlines()
    listed = far.json("audit", "list", "-o", "acme", "--limit", "1000")
    verdict = far.json("audit", "verify", "-o", "acme")
    own = far.json("access", "effective", "me", "-o", "acme")
    table = far.text("access", "matrix", "-o", "acme")

    assert len(exported) == len(listed["items"]) == verdict["unsealed"]
    assert verdict["holds"] is True
    assert own["scopes"][0]["api_roles"] == ["owner"]
    assert "ana@acme.example" in table
