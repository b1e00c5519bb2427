"""`scim-bridge rule`: rules as code, from a plan in a pipeline to a roll back at a terminal."""

import json
from pathlib import Path

import pytest

from tests.cli.bridge import Bridge

RULES = """
[[rules]]
name = "platform"
directory = "okta"
group = "platform"
scope = "cluster:prod"
kubernetes_role = "edit"
"""


@pytest.fixture
def company(acme: Bridge, tmp_path: Path) -> Bridge:
    """Have a cluster, a directory with a team of two, and a rule file."""
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    folder = str(tmp_path / "prod")
    acme.json("cluster", "add", "--name", "prod", "--manifests", folder, "--user-template", "oidc:{user_name}")
    acme.put_team("acme", "platform", "pat@acme.example", "quinn@acme.example")
    (tmp_path / "rules.toml").write_text(RULES)
    return acme


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "rules.toml")


def test_a_plan_ends_with_11_while_a_file_would_change_something_and_with_0_after(company: Bridge, file: str) -> None:
    before = company.run("rule", "plan", file)
    company.json("rule", "apply", file)
    after = company.run("rule", "plan", file)

    assert (before.exit_code, after.exit_code) == (11, 0)
    assert "+ pat@acme.example: edit in cluster prod" in before.stdout
    assert "+ grant to group platform: edit at cluster:prod (rule platform)" in before.stdout
    assert "The rules are so already." in after.stdout


def test_a_plans_hash_applies_exactly_that_and_nothing_else(company: Bridge, file: str, tmp_path: Path) -> None:
    planned = company.run("rule", "plan", file, "--json")
    hash_ = str(json.loads(planned.stdout)["hash"])
    (tmp_path / "other.toml").write_text(RULES.replace("edit", "view"))

    refused = company.run("rule", "apply", str(tmp_path / "other.toml"), "--preview", hash_)
    done = company.json("rule", "apply", file, "--preview", hash_)

    assert refused.exit_code == 4
    assert "+ pat@acme.example: view in cluster prod" in refused.stderr
    assert (done["applied"], done["hash"]) == (True, hash_)


def test_a_file_that_reaches_far_waits_with_10_unless_somebody_says_yes(
    company: Bridge, file: str, tmp_path: Path
) -> None:
    company.put_team("acme", "everybody", *(f"user{number}@acme.example" for number in range(20)))
    (tmp_path / "far.toml").write_text(RULES.replace('"platform"', '"everybody"'))

    waiting = company.run("rule", "apply", str(tmp_path / "far.toml"))
    listed = company.json("rule", "draft", "list")
    done = company.json("rule", "apply", str(tmp_path / "far.toml"), "--yes")

    assert waiting.exit_code == 10
    assert "waits as the draft held" in waiting.stdout
    assert [each["name"] for each in listed] == ["held"]
    assert done["applied"]


def test_a_draft_is_written_rule_by_rule_seen_and_applied(company: Bridge, file: str, tmp_path: Path) -> None:
    company.json("rule", "apply", file)
    (tmp_path / "one.yaml").write_text(
        "rules:\n- {name: more, directory: okta, group: platform, scope: organization, api_role: viewer,\n"
        "   allow_privileged: true}\n"
    )

    company.json("rule", "draft", "set", str(tmp_path / "one.yaml"))
    company.json("rule", "draft", "remove", "platform")
    text = company.text("rule", "preview")
    seen = company.json("rule", "preview", "draft")
    company.json("rule", "apply", "--draft", "draft", "--preview", seen["hash"])

    assert "- pat@acme.example: edit in cluster prod" in text
    assert "+ pat@acme.example: API role viewer at organization" in text
    assert [each["name"] for each in company.json("rule", "list")["rules"]] == ["more"]


def test_a_draft_is_saved_scheduled_and_discarded(company: Bridge, file: str) -> None:
    company.json("rule", "draft", "save", file, "--name", "mine")
    unseen = company.refused("rule", "draft", "schedule", "mine", "--at", "2999-01-01T00:00:00Z")
    set_ = company.json("rule", "draft", "schedule", "mine", "--at", "2999-01-01T00:00:00Z", "--yes")
    unset = company.json("rule", "draft", "unschedule", "mine")
    company.json("rule", "draft", "discard", "mine")

    assert unseen[0] == 5
    assert (set_["apply_at"], unset["apply_at"]) == ("2999-01-01T00:00:00Z", None)
    assert company.text("rule", "draft", "list") == "No drafts.\n"


def test_versions_are_compared_and_gone_back_to(company: Bridge, file: str, tmp_path: Path) -> None:
    company.json("rule", "apply", file)
    (tmp_path / "view.toml").write_text(RULES.replace("edit", "view"))
    company.json("rule", "apply", str(tmp_path / "view.toml"))

    differ = company.text("rule", "diff", "1")
    unseen = company.refused("rule", "rollback", "1")
    back = company.json("rule", "rollback", "1", "--yes")

    assert differ == "~ rule platform\n    kubernetes_role: edit -> view\n"
    assert unseen[0] == 5
    assert (back["version"], back["changed_rules"]) == (3, ["platform"])
    assert [each["version"] for each in company.json("rule", "versions")] == [3, 2, 1]
    assert company.text("rule", "diff", "1", "3") == "They say the same.\n"


def test_what_is_exported_can_be_applied_again_and_changes_nothing(company: Bridge, file: str, tmp_path: Path) -> None:
    company.json("rule", "apply", file)
    (tmp_path / "export.yaml").write_text(company.text("rule", "export"))
    (tmp_path / "empty.yaml").write_text(company.text("rule", "export", "--version", "0"))

    same = company.run("rule", "plan", str(tmp_path / "export.yaml"))
    empty = company.run("rule", "plan", str(tmp_path / "empty.yaml"))

    assert (same.exit_code, empty.exit_code) == (0, 11)
    assert company.json("rule", "export")["version"] == 1


def test_what_if_shows_every_rule_and_what_would_come_of_it(company: Bridge, file: str) -> None:
    company.json("rule", "apply", file)

    real = company.text("rule", "what-if", "pat@acme.example")
    less = company.json("rule", "what-if", "pat@acme.example", "--without", "platform")
    made_up = company.json("rule", "what-if", "--directory", "okta", "--group", "platform", "--attribute", "a=b")
    of_file = company.json("rule", "what-if", "--directory", "okta", "--group", "platform", "--file", file)

    assert "group platform" in real
    assert "edit stands" in real
    assert [each["role"] for each in less["clusters"]] == [None]
    assert made_up["tried"] == of_file["tried"]
    assert made_up["clusters"][0]["role"] == "edit"


def test_lint_ends_with_1_and_names_what_does_nothing(company: Bridge, file: str, tmp_path: Path) -> None:
    company.json("rule", "apply", file)
    (tmp_path / "dead.toml").write_text(RULES.replace('group = "platform"', 'group = "gone"'))

    clean = company.run("rule", "lint")
    dead = company.run("rule", "lint", str(tmp_path / "dead.toml"))

    assert (clean.exit_code, clean.stdout) == (0, "Every rule does something.\n")
    assert dead.exit_code == 1
    assert "no_such_group" in dead.stdout


def test_a_default_role_is_seen_set_listed_and_unset(company: Bridge) -> None:
    words = ("--api-role", "viewer", "--directory", "okta")
    text = company.text("rule", "default", "preview", *words)
    unseen = company.refused("rule", "default", "set", *words)
    company.json("rule", "default", "set", *words, "--yes")
    listed = company.json("rule", "default", "list")
    company.text("rule", "default", "set", "--directory", "okta", "--unset", "--yes")

    assert "+ pat@acme.example: API role viewer at organization" in text
    assert unseen[0] == 5
    assert listed == [{"directory": "okta", "api_role": "viewer", "kubernetes_role": None}]
    assert "None is set" in company.text("rule", "default", "list")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rule", "apply"), 2),
        (("rule", "preview", "nothing"), 3),
        (("rule", "rollback", "7", "--yes"), 3),
        (("rule", "diff", "7"), 3),
        (("rule", "what-if"), 6),
        (("rule", "what-if", "nobody"), 3),
        (("rule", "draft", "discard", "nothing"), 3),
        (("rule", "draft", "remove", "nothing"), 3),
        (("rule", "default", "preview", "--api-role", "owner"), 6),
        (("rule", "plan", "nowhere.toml"), 6),
    ],
)
def test_what_cannot_be_ends_with_the_code_that_says_why(company: Bridge, words: tuple[str, ...], code: int) -> None:
    result = company.run(*words)

    assert result.exit_code == code
    assert result.stdout == ""
