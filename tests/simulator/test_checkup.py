"""The doctor's conversations fail where a server does not do what an identity provider demands."""

from typing import Any

import pytest

from scim_bridge.errors import Invalid
from scim_bridge.simulator import Client, Company, entra, okta
from scim_bridge.simulator.checkup import DOMAIN, PROFILES, SCRIPTS, examine
from scim_bridge.simulator.conversations import LIST_URN, Finding, Talk, hold_all, hold_stranger
from scim_bridge.simulator.entra_conversations import ENTRA_CONVERSATIONS
from scim_bridge.simulator.okta_conversations import OKTA_CONVERSATIONS
from scim_bridge.simulator.wire import Dialect
from tests.simulator.scim_double import ScimDouble

NOBODY = {"schemas": [LIST_URN], "totalResults": 0}


def _held(double: ScimDouble, dialect: Dialect, *names: str) -> dict[str, Finding]:
    """Hold some of a dialect's conversations with the double."""
    client = Client(double.base_url, double.token)
    scripts = OKTA_CONVERSATIONS if dialect.startswith("okta") else ENTRA_CONVERSATIONS
    values_of = okta.values_of if dialect.startswith("okta") else entra.values_of
    chosen = [each for each in scripts if each.name in names]
    assert len(chosen) == len(names)
    findings = hold_all(Talk(client, dialect, Company(DOMAIN, 1), values_of), chosen)
    client.close()
    return {each.conversation: each for each in findings}


def test_what_a_server_does_as_demanded_passes(double: ScimDouble) -> None:
    name = "a search for nobody is an empty list"
    double.answer_once("GET", "/Users", 200, document=NOBODY)

    found = _held(double, "okta", name)[name]

    assert (found.passed, found.detail, found.rows, found.dialect) == (True, "", ("1.1", "1.2"), "okta")


@pytest.mark.parametrize(
    ("dialect", "name", "planned", "told"),
    [
        ("okta", "a person is created", ("POST", "/Users", 201, {}), "no id"),
        ("okta", "a person is created", ("POST", "/Users", 200, {"id": "1"}), "answered 200, not 201"),
        ("okta", "a person is created", ("POST", "/Users", 500, {"detail": "Broken."}), "Broken."),
        ("okta", "a search for nobody is an empty list", ("GET", "/Users", 200, {"schemas": []}), "no ListResponse"),
        ("okta", "a search for nobody is an empty list", ("GET", "/Users", 404, {}), "answered 404"),
        ("entra", "a person is created, and kept as sent", ("GET", "/Users", 200, {"userName": "x"}), "changed"),
    ],
)
def test_what_came_instead_is_told(
    double: ScimDouble, dialect: Dialect, name: str, planned: tuple[str, str, int, dict[str, Any]], told: str
) -> None:
    method, path, status, document = planned
    double.answer_once(method, path, status, document=document, times=3)

    found = _held(double, dialect, name)[name]

    assert not found.passed
    assert told in found.detail


def test_one_that_fails_does_not_keep_the_next_from_being_held(double: ScimDouble) -> None:
    double.answer_once("POST", "/Users", 500)
    double.answer_once("GET", "/Users", 200, document=NOBODY, times=2)

    found = _held(double, "okta", "a person is created", "a search for nobody is an empty list")

    assert [each.passed for each in found.values()][:2] != [True, True]
    assert found["a search for nobody is an empty list"].passed


def test_a_wrong_token_that_is_let_in_is_found(double: ScimDouble) -> None:
    client = Client(double.base_url, double.token)
    refused = hold_stranger(client, "okta")
    double.answer_once("GET", "/Users", 200, document={"totalResults": 0})

    let_in = hold_stranger(client, "okta")

    assert (let_in.passed, let_in.detail) == (False, "It was let in.")
    assert refused.rows == ("1.32", "1.33")


def test_a_server_that_is_not_there_fails_everything_and_says_why() -> None:
    findings = examine("okta", "http://127.0.0.1:9/scim/v2", "x")

    failed = [each for each in findings if not each.passed]
    assert len(failed) == len(findings) - 2
    assert all("no answer" in each.detail or "None" in each.detail for each in failed)


def test_everybody_in_a_checkup_has_an_address_that_is_nobodys(double: ScimDouble) -> None:
    examine("entra", double.base_url, double.token)

    names = {user["userName"] for user in double.users.values()}
    assert names
    assert {name for name in names if not name.lower().endswith(".invalid")} == set()


def test_every_conversation_has_a_name_and_rows_and_is_held_in_a_dialect() -> None:
    for profile in PROFILES:
        dialects, conversations, _ = SCRIPTS[profile]
        names = [each.name for each in conversations]
        assert len(names) == len(set(names))
        assert all(each.rows and set(each.dialects) <= set(dialects) for each in conversations)
    with pytest.raises(Invalid, match="no profile"):
        examine("google", "http://127.0.0.1:9/scim/v2", "x")  # type: ignore[arg-type]
