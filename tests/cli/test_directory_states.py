"""`scim-bridge directory preview|activate|…`: read what would happen, then let exactly that happen."""

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def pending(acme: Bridge) -> Bridge:
    """Have a pending directory that brought a team with a role."""
    acme.json("directory", "create", "--kind", "okta", "--name", "okta", "--pending")
    acme.put_team("acme", "platform", "bob@acme.example")
    acme.json("grant", "add", "--group", "platform", "--scope", "organization", "--api-role", "viewer")
    return acme


def state(bridge: Bridge) -> str:
    return str(bridge.json("directory", "show", "okta")["state"])


def test_a_preview_is_read_and_carried_out(pending: Bridge) -> None:
    seen = pending.json("directory", "preview", "okta")
    text = pending.text("directory", "preview", "okta")

    done = pending.json("directory", "activate", "okta", "--preview", seen["hash"][:12])

    assert [(each["person"], each["what"]) for each in seen["gains"]] == [
        ("bob@acme.example", ["API role viewer at organization"])
    ]
    assert "+ bob@acme.example: API role viewer at organization" in text
    assert seen["hash"][:12] in text
    assert (done["gains"], state(pending)) == (seen["gains"], "active")


def test_nothing_is_done_unread(pending: Bridge) -> None:
    code, sentence = pending.refused("directory", "activate", "okta")

    assert (code, state(pending)) == (5, "pending")
    assert "--preview" in sentence


def test_an_outcome_that_has_changed_is_a_conflict(pending: Bridge) -> None:
    seen = pending.json("directory", "preview", "okta")["hash"]
    pending.json("grant", "add", "--group", "platform", "--scope", "organization", "--api-role", "developer")

    code, sentence = pending.refused("directory", "activate", "okta", "--preview", seen)

    assert (code, state(pending)) == (4, "pending")
    assert "API role developer at organization" in sentence


def test_a_directory_goes_through_all_its_states(pending: Bridge) -> None:
    states = []
    for words in (["activate", "okta", "--yes"], ["pause", "okta"], ["resume", "okta"], ["detach", "okta", "--yes"]):
        pending.text("directory", *words)
        states.append(state(pending))
    lost = pending.text("directory", "purge", "okta", "--yes")

    assert states == ["active", "paused", "active", "detached"]
    assert "- bob@acme.example: API role viewer at organization" in lost
    shown = pending.json("directory", "show", "okta")
    assert (shown["state"], shown["users"], shown["groups"]) == ("detached", 0, 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["preview", "nowhere"], 3),
        (["pause", "nowhere"], 3),
        (["activate", "okta", "--yes"], 4),
        (["purge", "okta", "--yes"], 4),
        (["resume", "globex"], 3),
        (["preview", "okta", "--step", "detach", "--organization", "globex"], 3),
    ],
)
def test_what_cannot_be_is_one_sentence(local: Bridge, words: list[str], code: int) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")
    local.json("organization", "create", "globex")
    owner = [] if "--organization" in words else ["--organization", "acme"]

    assert local.refused("directory", *words, *owner)[0] == code

    assert local.json("directory", "list", "--organization", "acme")[0]["state"] == "active"
