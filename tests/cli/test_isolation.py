"""Two organizations that use the same names for everything never see, name or change each other's objects."""

import json
from pathlib import Path
from typing import Any

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
LISTS = (
    ["unit", "list"],
    ["project", "list"],
    ["directory", "list"],
    ["directory", "show", "okta"],
    ["directory", "token", "list", "okta"],
    ["directory", "map", "show", "okta"],
    ["directory", "log", "okta"],
    ["directory", "conflict", "list"],
    ["organization", "domain", "list"],
    ["cluster", "list"],
    ["cluster", "show", "prod"],
    ["rule", "list"],
    ["grant", "list"],
    ["access", "explain", "pat@example.com"],
)


def settle(bridge: Bridge, slug: str, folder: Path) -> dict[str, Any]:
    """Make an organization whose every name is one that the other has too."""

    def made(*words: str) -> Any:
        return bridge.json(*words, "--organization", slug)

    bridge.json("organization", "create", slug, "--owner", "ana@example.com")
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    found = {
        "unit": made("unit", "create", "production"),
        "directory": made("directory", "create", "--kind", "okta", "--name", "okta"),
        "cluster": made("cluster", "add", "--name", "prod", "--unit", "production", "--manifests", str(folder / slug)),
        "project": made("project", "create", "shop", "--unit", "production", "--namespace", "shop"),
        "service": made("service", "create", "web", "--project", "shop", "--namespace", "shop-web"),
    }
    bridge.put_team(slug, "platform", "pat@example.com")
    made("rule", "apply", str(rules))
    made("grant", "add", "--person", "pat@example.com", "--scope", "project:shop", "--kubernetes-role", "view")
    return found


def seen(bridge: Bridge, slug: str) -> list[Any]:
    return [bridge.json(*words, "--organization", slug) for words in LISTS]


def test_no_list_of_one_holds_an_id_of_the_other(bridge: Bridge, tmp_path: Path) -> None:
    mine, theirs = settle(bridge, "acme", tmp_path), settle(bridge, "globex", tmp_path)

    shown = {slug: json.dumps(seen(bridge, slug)) for slug in ("acme", "globex")}

    for noun in ("unit", "directory", "cluster", "project"):
        assert mine[noun]["id"] != theirs[noun]["id"]
        assert mine[noun]["id"] in shown["acme"]
        assert mine[noun]["id"] not in shown["globex"]
        assert theirs[noun]["id"] not in shown["acme"]


def test_another_organizations_ids_are_not_found_by_any_verb(bridge: Bridge, tmp_path: Path) -> None:
    mine = settle(bridge, "acme", tmp_path)
    settle(bridge, "globex", tmp_path)
    person = next(e["person"]["id"] for e in seen(bridge, "acme") if isinstance(e, dict) and "person" in e)
    token = bridge.json("directory", "show", "okta", "-o", "acme")["tokens"][0]
    pat = ["--person", "pat@example.com", "--kubernetes-role", "view"]

    for words in (
        ["unit", "move", mine["unit"]["id"]],
        ["directory", "show", mine["directory"]["id"]],
        ["directory", "token", "create", mine["directory"]["id"]],
        ["directory", "token", "list", mine["directory"]["id"]],
        ["directory", "token", "revoke", token["prefix"]],
        ["directory", "token", "revoke", token["id"]],
        ["cluster", "show", mine["cluster"]["id"]],
        ["cluster", "remove", mine["cluster"]["id"]],
        ["access", "explain", person],
        ["access", "explain", "pat@example.com", "--cluster", mine["cluster"]["id"]],
        ["grant", "add", "--person", person, "--scope", "organization", "--kubernetes-role", "view"],
        ["grant", "add", *pat, "--scope", f"cluster:{mine['cluster']['id']}"],
        ["grant", "add", *pat, "--scope", f"project:{mine['project']['id']}"],
        ["project", "create", "new", "--cluster", mine["cluster"]["id"]],
        ["project", "create", "new", "--unit", mine["unit"]["id"]],
    ):
        assert (words, bridge.refused(*words, "--organization", "globex")[0]) == (words, 3)

    assert bridge.json("directory", "show", "okta", "-o", "acme")["tokens"][0]["revoked_at"] is None


def test_what_is_done_in_one_leaves_the_other_as_it_was(bridge: Bridge, tmp_path: Path) -> None:
    settle(bridge, "acme", tmp_path)
    settle(bridge, "globex", tmp_path)
    before = seen(bridge, "acme")
    (tmp_path / "empty.toml").write_text("rules = []\n")

    for words in (
        ["rule", "apply", str(tmp_path / "empty.toml")],
        ["grant", "remove", "--person", "pat@example.com", "--scope", "project:shop", "--kubernetes-role", "view"],
        ["directory", "token", "revoke", "first"],
        ["unit", "create", "other"],
        ["unit", "move", "production", "--to", "other"],
        ["cluster", "remove", "prod"],
    ):
        bridge.json(*words, "--organization", "globex")

    assert seen(bridge, "acme") == before


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_an_organization_that_is_not_there_is_not_found(local: Bridge, words: list[str]) -> None:
    assert local.refused(*words, "--organization", "nowhere")[0] == 3
