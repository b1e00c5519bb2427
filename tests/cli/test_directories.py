"""`scim-bridge directory`: the token is shown once, and never again by anything."""

import pytest
import sqlalchemy as sa

from scim_bridge.store.database import Database
from scim_bridge.store.schema import metadata
from tests.cli.bridge import Bridge

DIRECTORY = {"id", "name", "kind", "state", "created_at"}
TOKEN = {"id", "prefix", "name", "created_at", "expires_at", "revoked_at", "last_used_at", "last_address"}
TOKEN |= {"last_user_agent", "ip_ranges", "replaces"}


def stored(bridge: Bridge) -> str:
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.read() as connection:
        text = "\n".join(
            str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))
        )
    database.dispose()
    return text


def test_a_directory_prints_what_its_identity_provider_is_given(acme: Bridge) -> None:
    made = acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")

    assert set(made) == DIRECTORY | {"organization", "scim_base_url", "token", "created"}
    assert (made["kind"], made["state"], made["organization"], made["created"]) == ("okta", "active", "acme", True)
    assert made["scim_base_url"] == "http://127.0.0.1:8080/scim/v2"
    assert made["token"].startswith("scimb_")


def test_the_token_is_shown_once_and_is_stored_nowhere(acme: Bridge) -> None:
    words = ["directory", "create", "--kind", "okta", "--name", "okta"]
    first = acme.json(*words)["token"]
    second = acme.json("directory", "token", "create", "okta", "--name", "rotation")["token"]

    repeated = acme.json(*words)
    printed = [
        acme.run(*verb, *more).output
        for verb in (
            words,
            ["directory", "show", "okta"],
            ["directory", "list"],
            ["directory", "token", "list", "okta"],
            ["directory", "token", "revoke", "rotation"],
        )
        for more in ([], ["--json"])
    ]

    assert (repeated["token"], repeated["created"]) == (None, False)
    for secret in (first, second):
        assert [text for text in printed if secret in text] == []
        assert secret not in stored(acme)


def test_the_public_address_of_the_settings_is_the_one_that_is_printed(acme: Bridge) -> None:
    bridge = Bridge({**acme.environment, "SCIM_BRIDGE_BASE_URL": "https://bridge.acme.example/"})

    made = bridge.json("directory", "create", "--kind", "entra", "--name", "entra")

    assert made["scim_base_url"] == "https://bridge.acme.example/scim/v2"


def test_tokens_are_made_beside_one_another_and_ended_one_by_one(acme: Bridge) -> None:
    acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    made = acme.json("directory", "token", "create", "okta", "--name", "rotation", "--expires", "30d")

    ended = acme.json("directory", "token", "revoke", made["prefix"])
    again = acme.json("directory", "token", "revoke", made["prefix"])
    listed = acme.json("directory", "token", "list", "okta")

    assert set(made) == {"id", "directory", "prefix", "name", "expires_at", "ip_ranges", "replaces", "token"}
    assert made["expires_at"] is not None
    assert again == ended
    assert [set(each) for each in listed] == [TOKEN] * 2
    assert [(each["name"], each["revoked_at"] is None) for each in listed] == [("first", True), ("rotation", False)]


def test_a_directory_shows_what_it_has_brought(acme: Bridge) -> None:
    acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    acme.put_team("acme", "platform", "ana", "bob")

    shown = acme.json("directory", "show", "okta")

    assert set(shown) == DIRECTORY | {"scim_base_url", "users", "groups", "tokens", "conditions"}
    assert (shown["users"], shown["groups"], len(shown["tokens"])) == (2, 1, 1)
    assert acme.json("directory", "list") == [{key: shown[key] for key in DIRECTORY | {"conditions"}}]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["create", "--kind", "entra", "--name", "okta"], 4),
        (["create", "--kind", "okta", "--name", "My Okta"], 6),
        (["show", "nowhere"], 3),
        (["token", "create", "nowhere"], 3),
        (["token", "list", "nowhere"], 3),
        (["token", "revoke", "nothing"], 3),
        (["token", "create", "okta", "--name", "x" * 64], 6),
        (["token", "create", "okta", "--expires", "soon"], 6),
        (["token", "create", "okta", "--expires", "2020-01-01"], 6),
        (["token", "create", "okta", "--ip-range", "10.0.0.1/8"], 6),
        (["token", "rotate", "nowhere"], 3),
        (["token", "rotate", "okta", "--token", "nothing"], 3),
    ],
)
def test_what_cannot_be_is_one_sentence(local: Bridge, words: list[str], code: int) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")
    before = local.json("directory", "show", "okta")

    assert local.refused("directory", *words)[0] == code

    assert local.json("directory", "show", "okta") == before


def test_a_rotation_says_what_becomes_of_the_old_token(acme: Bridge) -> None:
    acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    old = acme.json("directory", "token", "create", "okta", "--name", "office", "--ip-range", "203.0.113.0/24")

    made = acme.json("directory", "token", "rotate", "okta", "--token", "office", "--expires", "90d")
    listed = acme.text("directory", "token", "list", "okta")

    assert (made["replaces"], made["name"], made["ip_ranges"]) == (old["prefix"], "office", ["203.0.113.0/24"])
    assert made["expires_at"] is not None
    [line] = [line for line in listed.splitlines() if line.startswith(old["prefix"])]
    assert line.endswith("at the first use of its successor")
    assert acme.refused("directory", "token", "rotate", "okta", "--token", "office")[0] == 4
