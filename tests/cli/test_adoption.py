"""`scim-bridge organization domain` and `directory conflict`: what is said there, and what is refused."""

import pytest

from tests.cli.bridge import Bridge


def test_a_domain_is_added_once_listed_and_removed(acme: Bridge) -> None:
    first = acme.json("organization", "domain", "add", "ACME.example")
    again = acme.json("organization", "domain", "add", "acme.example")
    listed = acme.json("organization", "domain", "list")
    acme.text("organization", "domain", "remove", "acme.example")

    assert (first["created"], again["created"]) == (True, False)
    assert [(each["domain"], each["state"]) for each in listed] == [("acme.example", "asserted")]
    assert acme.json("organization", "domain", "list") == []


def test_nobody_waits_where_nobody_came(acme: Bridge) -> None:
    assert acme.json("directory", "conflict", "list") == []
    assert "Nobody waits." in acme.text("directory", "conflict", "list")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["organization", "domain", "add", "acme"], 6),
        (["organization", "domain", "remove", "acme.example"], 3),
        (["directory", "conflict", "claim", "nothing"], 3),
        (["directory", "conflict", "dismiss", "nothing"], 3),
    ],
)
def test_what_cannot_be_is_one_sentence(local: Bridge, words: list[str], code: int) -> None:
    assert local.refused(*words)[0] == code
