"""The verbs of members, invitations and groups, as somebody at the terminal types them."""

from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture(autouse=True)
def acme(bridge: Bridge) -> None:
    """Make an organization with an owner."""
    bridge.run("organization", "create", "acme", "--owner", "owner@x.example")


def test_members_are_listed_shown_and_found(bridge: Bridge) -> None:
    listed = bridge.json("member", "list", "--search", "own")

    shown = bridge.text("member", "show", "owner@x.example")

    assert [each["member"]["user_name"] for each in listed] == ["owner@x.example"]
    assert "API roles    owner" in shown
    assert "active since" in shown
    assert bridge.text("member", "list", "--never-active", "--state", "deactivated") == "No members.\n"
    assert bridge.text("member", "dormant") == "Everybody was active within 90 days.\n"


def test_a_member_is_given_roles_and_moved(bridge: Bridge) -> None:
    bridge.run("organization", "create", "acme", "--owner", "second@x.example")

    role = bridge.text("member", "role", "second@x.example", "--api-role", "viewer", "--kubernetes-role", "edit")
    off = bridge.text("member", "deactivate", "second@x.example")
    again = bridge.text("member", "deactivate", "second@x.example")
    on = bridge.text("member", "reactivate", "second@x.example")
    gone = bridge.text("member", "remove", "second@x.example")

    assert role == "second@x.example has viewer, edit in the organization.\n"
    assert (off, again) == ("second@x.example is deactivated.\n", "second@x.example is deactivated, as before.\n")
    assert (on, gone) == ("second@x.example is active.\n", "second@x.example is removed.\n")


@pytest.mark.parametrize("verb", ["deactivate", "remove"])
def test_the_last_owner_stays_and_the_exit_code_says_refused(bridge: Bridge, verb: str) -> None:
    code, sentence = bridge.refused("member", verb, "owner@x.example")

    assert (code, "last working owner" in sentence) == (5, True)


def test_people_are_invited_listed_and_no_longer_invited(bridge: Bridge) -> None:
    one = bridge.text("invitation", "create", "bob@x.example", "--api-role", "viewer", "--kubernetes-role", "view")
    listed = bridge.text("invitation", "list", "--state", "pending")
    resent = bridge.text("invitation", "resend", "bob@x.example")
    revoked = bridge.text("invitation", "revoke", "bob@x.example")

    assert one.startswith("bob@x.example is invited until ")
    assert "viewer, view" in listed
    assert "queued" in listed
    assert "dead" in resent
    assert revoked == "bob@x.example is no longer invited.\n"
    assert bridge.text("invitation", "list", "--state", "pending") == "No invitations.\n"


def test_of_several_the_one_who_cannot_be_is_told_and_the_exit_code_says_so(bridge: Bridge) -> None:
    result = bridge.run("invitation", "create", "bob@x.example", "owner@x.example")

    assert result.exit_code == 1
    assert "invited" in result.stdout
    assert "a member already" in result.stdout


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_a_link_that_opens_nothing_says_so(bridge: Bridge, verb: str) -> None:
    code, sentence = bridge.refused("invitation", verb, "https://bridge.example/invitations/guessed")

    assert (code, sentence) == (3, "This link opens nothing: there is a newer one, or it is not complete.")


def test_a_group_is_made_filled_shown_renamed_and_taken_away(bridge: Bridge) -> None:
    bridge.text("group", "create", "Team", "--description", "Those who pay")
    bridge.text("group", "create", "Inner")
    added = bridge.text("group", "add", "Team", "owner", "--expires", "30d")
    nested = bridge.text("group", "add", "Team", "--group", "Inner")
    shown = bridge.text("group", "show", "Team")
    renamed = bridge.text("group", "rename", "Team", "Crew")
    bridge.text("group", "describe", "Crew", "They pay")
    listed = bridge.text("group", "list", "--by-hand")
    out = bridge.text("group", "remove", "Crew", "owner@x.example")
    apart = bridge.text("group", "remove", "Crew", "--group", "Inner")
    gone = bridge.text("group", "delete", "Crew")

    assert (added, nested) == ("1 put in; 0 were in it before.\n", "Inner is in Team.\n")
    assert "owner@x.example" in shown
    assert "contains      Inner" in shown
    assert renamed == "The group is called Crew.\n"
    assert "They pay" in listed
    assert (out, apart) == ("1 taken out; 0 were not in it.\n", "Inner is out of Crew.\n")
    assert gone == "The group Crew is gone, with what it gave to 0 people.\n"


@pytest.mark.parametrize("words", [("Team",), ("Team", "owner@x.example", "--group", "Team")])
def test_people_or_a_group_are_named_never_both_or_none(bridge: Bridge, words: tuple[str, ...]) -> None:
    bridge.text("group", "create", "Team")

    for verb in ("add", "remove"):
        code, sentence = bridge.refused("group", verb, *words)
        assert (code, "Name people, or one group" in sentence) == (6, True)


def test_teams_are_imported_from_a_file(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "teams.csv"
    file.write_text("group,member\nTeam,owner@x.example\nTeam,zoe@x.example\n")

    dry = bridge.run("group", "import", str(file), "--dry-run")
    before = bridge.json("group", "list")
    real = bridge.run("group", "import", str(file))

    assert (dry.exit_code, real.exit_code, before) == (1, 1, [])
    assert "creates_group" in dry.stdout
    assert "unknown_person" in real.stdout
    assert [each["name"] for each in bridge.json("group", "list")] == ["Team"]


def test_dormant_people_are_reviewed_one_by_one(bridge: Bridge) -> None:
    code, sentence = bridge.refused("review", "open", "Autumn", "--days", "30", "--deadline", "14d")

    assert (code, "Nobody is dormant" in sentence) == (4, True)
    assert bridge.text("review", "list") == "No reviews.\n"
    assert bridge.refused("review", "show", "nowhere")[0] == 3
    assert bridge.refused("review", "close", "nowhere")[0] == 3
    assert bridge.refused("review", "decide", "nowhere", "owner@x.example", "keep")[0] == 3


def test_what_becomes_of_leavers_is_shown_and_set(bridge: Bridge) -> None:
    bridge.json("directory", "create", "--name", "okta", "--kind", "okta", "--organization", "acme")

    before = bridge.text("directory", "leavers", "okta")
    after = bridge.text("directory", "leavers", "okta", "--grace-days", "30", "--delete-suspends")
    kept = bridge.json("directory", "leavers", "okta", "--keep")

    assert "for ever" in before
    assert "for 30 days, then purged; who is deleted and returns comes back to their groups" in after
    assert kept == {"grace_days": None, "delete_suspends": True}


def test_a_file_that_is_no_text_is_refused(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "teams.json"
    file.write_bytes(b"\xff\xfe\x00")

    assert bridge.refused("group", "import", str(file))[0] == 6


def test_a_kubeconfig_is_printed_for_whoever_has_access_where_somebody_said_how_people_sign_in(
    bridge: Bridge, tmp_path: Path
) -> None:
    bridge.run("cluster", "add", "--name", "prod", "--manifests", str(tmp_path / "prod"), "--approve-first-plan")
    bridge.run("member", "role", "owner@x.example", "--kubernetes-role", "view")
    unsaid = bridge.run("kubeconfig", "--for", "owner@x.example")
    named = ("--issuer", "https://login.x.example", "--client-id", "kubernetes", "--scope", "email")
    addressless = bridge.refused("cluster", "sign-in", "set", "prod", *named)

    said = bridge.text("cluster", "sign-in", "set", "prod", *named, "--server", "https://prod.x.example")
    printed = bridge.text("kubeconfig", "--for", "owner@x.example", "--cluster", "prod")
    shown = bridge.text("cluster", "sign-in", "show", "prod")
    removed = bridge.text("cluster", "sign-in", "remove", "prod")

    assert (unsaid.exit_code, "sign-in set" in unsaid.stderr) == (4, True)
    assert "name its server" in addressless[1]
    assert said == shown
    assert "openid, email" in shown
    assert "server: https://prod.x.example\n" in printed
    assert "- --oidc-extra-scope=email\n" in printed
    assert removed == "prod is in nobody's kubeconfig any more.\n"
