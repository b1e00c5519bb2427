"""Verbs of signing in, at the terminal of an installation."""

from pathlib import Path

import pytest

from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identity_providers import note_tested
from tests.cli.bridge import Bridge

ADDING = ("--directory", "okta", "--issuer", "https://acme.okta.example", "--client-id", "0oa1")


@pytest.fixture
def okta(acme: Bridge) -> Bridge:
    """Connect a directory."""
    acme.json("directory", "create", "--name", "okta", "--kind", "okta")
    return acme


def test_an_identity_provider_is_added_listed_tested_and_removed(okta: Bridge, tmp_path: Path) -> None:
    acme = okta
    secret = tmp_path / "secret"
    secret.write_text("a secret between the two\n")

    made = acme.json("identity-provider", "add", "login", *ADDING, "--client-secret-file", str(secret))
    listed = acme.text("identity-provider", "list")
    begun = acme.json("identity-provider", "test", "login")
    gone = acme.text("identity-provider", "remove", "login")

    assert made["has_secret"] is True
    assert "https://acme.okta.example" in listed
    assert "a secret between the two" not in listed + str(made)
    assert begun["path"].startswith("/login/test/")
    assert gone == "login signs nobody in any more.\n"
    assert acme.json("identity-provider", "list") == []


def test_enforcing_says_what_is_missing(okta: Bridge) -> None:
    acme = okta
    made = acme.json("identity-provider", "add", "login", *ADDING)
    untested = acme.refused("identity-provider", "enforce", "login")
    database = Database(acme.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.write() as connection:
        note_tested(connection, made["id"], now())
    database.dispose()

    lonely = acme.refused("identity-provider", "enforce", "login")

    assert untested[0] == lonely[0] == 4
    assert "test it first" in untested[1]
    assert "break-glass" in lonely[1]


def test_a_policy_is_shown_and_changed(acme: Bridge) -> None:
    acme.text("organization", "policy", "set", "--method", "oidc", "--idle-minutes", "15", "--no-personal-tokens")

    shown = acme.text("organization", "policy", "show")

    assert "15 minutes" in shown
    assert acme.json("organization", "policy", "show")["personal_tokens"] is False
    assert acme.refused("organization", "policy", "set", "--session-hours", "0")[0] == 6


def test_an_empty_or_missing_secret_is_refused(acme: Bridge, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")

    for file in (empty, tmp_path / "nowhere"):
        code, sentence = acme.refused("identity-provider", "add", "x", *ADDING, "--client-secret-file", str(file))
        assert code == 6
        assert str(file) in sentence


def test_what_to_publish_for_a_domain_is_shown(acme: Bridge) -> None:
    acme.text("organization", "domain", "add", "acme.example")

    shown = acme.text("organization", "domain", "proof", "acme.example")

    assert "_scim-bridge.acme.example  TXT  scim-bridge-verification=" in shown


def test_nobody_has_a_session_and_a_link_needs_an_account(acme: Bridge) -> None:
    assert acme.json("break-glass", "list") == []
    assert acme.refused("account", "link", "--for", "nobody@acme.example")[0] == 3


def test_whoever_waits_to_be_let_in_is_listed_and_nobody_who_is_not_there_is_decided_about(acme: Bridge) -> None:
    nobody = acme.text("member", "waiting")

    refused = [acme.refused("member", verb, "owner@acme.example") for verb in ("approve", "refuse")]

    assert nobody == "Nobody waits.\n"
    assert [code for code, _ in refused] == [3, 3]


def test_whoever_lost_every_second_factor_is_helped_at_the_terminal(acme: Bridge) -> None:
    acme.run("organization", "create", "acme", "--owner", "ana@acme.example")

    done = acme.text("account", "reset", "--for", "ana@acme.example")

    assert done.startswith("ana@acme.example had no one-time codes and 0 passkeys: none is left")
    assert acme.refused("account", "reset", "--for", "nobody@acme.example")[0] == 3
