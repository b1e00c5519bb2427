"""`scim-bridge rule`, `grant` and `access`: who gets what, and why."""

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
    """Give acme a directory with a team of two, and a cluster."""
    acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    acme.json(
        "cluster", "add", "--name", "prod", "--manifests", str(tmp_path / "prod"), "--user-template", "oidc:{user_name}"
    )
    acme.put_team("acme", "platform", "pat@acme.example", "quinn@acme.example")
    (tmp_path / "rules.toml").write_text(RULES)
    return acme


def test_a_rule_file_becomes_a_version_and_its_grants(company: Bridge, tmp_path: Path) -> None:
    first = company.json("rule", "apply", str(tmp_path / "rules.toml"))
    second = company.json("rule", "apply", str(tmp_path / "rules.toml"))
    listed = company.json("rule", "list")

    assert len(first.pop("hash")) == 64
    assert first == {
        "version": 1,
        "changed": True,
        "applied": True,
        "draft": None,
        "people": 2,
        "waits": [],
        "added": ["platform"],
        "changed_rules": [],
        "removed": [],
        "grants_gained": 1,
        "grants_lost": 0,
        "unmapped": [],
    }
    assert (second["version"], second["changed"], second["grants_gained"]) == (1, False, 0)
    assert (listed["version"], [each["name"] for each in listed["rules"]]) == (1, ["platform"])
    assert listed["unmapped"] == []


def test_a_rule_that_goes_takes_its_grant_and_a_file_in_yaml_says_the_same(company: Bridge, tmp_path: Path) -> None:
    company.json("rule", "apply", str(tmp_path / "rules.toml"))
    same = tmp_path / "rules.yaml"
    same.write_text(
        "rules:\n- {name: platform, directory: okta, group: platform, scope: 'cluster:prod', kubernetes_role: edit}\n"
    )
    empty = tmp_path / "empty.toml"
    empty.write_text("rules = []\n")

    unchanged = company.json("rule", "apply", str(same))
    gone = company.json("rule", "apply", str(empty))

    assert unchanged["changed"] is False
    assert (gone["removed"], gone["grants_lost"]) == (["platform"], 1)
    assert [each for each in company.json("grant", "list") if "platform" in each["holder"]] == []


def test_a_grant_by_hand_is_added_once_listed_and_taken_away(company: Bridge) -> None:
    words = ["--person", "pat@acme.example", "--scope", "cluster:prod", "--kubernetes-role", "view"]

    first = company.json("grant", "add", *words)
    second = company.json("grant", "add", *words)
    listed = [each for each in company.json("grant", "list") if each["holder"] == "pat@acme.example"]
    removed = company.json("grant", "remove", *words)

    assert (first["changed"], second["changed"], second["id"]) == (True, False, first["id"])
    assert [(each["scope"], each["kubernetes_role"], len(each["origins"])) for each in listed] == [
        ("cluster:prod", "view", 1)
    ]
    assert removed == {"removed": True, "still_granted_by": []}
    assert company.refused("grant", "remove", *words)[0] == 3


def test_a_grant_that_a_rule_gives_as_well_stays_and_says_why(company: Bridge, tmp_path: Path) -> None:
    company.json("rule", "apply", str(tmp_path / "rules.toml"))
    words = ["--group", "platform", "--scope", "cluster:prod", "--kubernetes-role", "edit"]
    company.json("grant", "add", *words)

    removed = company.json("grant", "remove", *words)

    assert removed["removed"] is True
    assert ["platform" in each for each in removed["still_granted_by"]] == [True]


def test_access_is_explained_with_the_group_and_the_rule_it_comes_from(company: Bridge, tmp_path: Path) -> None:
    company.json("rule", "apply", str(tmp_path / "rules.toml"))

    found = company.json("access", "explain", "pat@acme.example", "--cluster", "prod")

    [cluster] = found["clusters"]
    [reason] = cluster["reasons"]
    assert (found["person"]["user_name"], found["groups"]) == ("pat@acme.example", ["platform"])
    assert (cluster["cluster"], cluster["subject"], cluster["role"]) == ("prod", "oidc:pat@acme.example", "edit")
    assert (cluster["scope"], reason["role"], cluster["held_by"]) == ("cluster:prod", "edit", [])
    assert "platform" in reason["through"]
    assert any("platform" in each for each in reason["origins"])
    text = company.text("access", "explain", "pat@acme.example")
    assert "prod: edit cluster-wide, by cluster:prod" in text


def test_cluster_admin_on_a_cluster_that_does_not_allow_it_is_explained_as_nothing(company: Bridge) -> None:
    company.json(
        "grant", "add", "--person", "pat@acme.example", "--scope", "cluster:prod", "--kubernetes-role", "cluster-admin"
    )

    [cluster] = company.json("access", "explain", "pat@acme.example")["clusters"]

    assert ["does not allow it" in each for each in cluster["notes"]] == [True]


def test_a_person_without_any_access_is_explained_as_having_none(company: Bridge) -> None:
    text = company.text("access", "explain", "quinn@acme.example")

    assert "prod: nothing cluster-wide" in text


@pytest.mark.parametrize(
    "words", [["nobody"], ["pat@acme.example", "--cluster", "nowhere"], ["pat@acme.example", "-o", "nowhere"]]
)
def test_who_or_what_is_not_there_is_not_found(company: Bridge, words: list[str]) -> None:
    assert company.refused("access", "explain", *words)[0] == 3


def test_the_last_owner_cannot_be_taken_away(company: Bridge) -> None:
    code, said = company.refused(
        "grant", "remove", "--person", "ana@acme.example", "--scope", "organization", "--api-role", "owner"
    )

    assert (code, "owner" in said) == (5, True)
    assert company.json("organization", "show", "acme")["owners"] == ["ana@acme.example"]
