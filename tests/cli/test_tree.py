"""`scim-bridge unit|project|service|cluster move, set, rename, delete`: seen before they are done."""

from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def built(local: Bridge, tmp_path: Path) -> Bridge:
    """Build two environments, a cluster and a project, and give Ana something on the cluster."""
    for path in ("production", "staging"):
        local.json("unit", "create", path, "--type", path)
    local.json("cluster", "add", "--name", "prod", "--unit", "production", "--manifests", str(tmp_path / "prod"))
    local.json("project", "create", "shop", "--unit", "production", "--namespace", "shop-web")
    local.json(
        "grant", "add", "--person", "ana@acme.example", "--scope", "unit:production", "--kubernetes-role", "edit"
    )
    return local


def test_what_alters_access_is_refused_unseen_and_done_with_its_hash(built: Bridge) -> None:
    code, sentence = built.refused("cluster", "move", "prod", "--to", "staging")
    hash_ = sentence.partition("--preview ")[2].split()[0]

    done = built.json("cluster", "move", "prod", "--to", "staging", "--preview", hash_)

    assert (code, len(hash_)) == (5, 12)
    assert [each["what"] for each in done["loses"]] == [["edit in cluster prod"]]
    assert built.json("cluster", "show", "prod")["unit"] == "staging"


def test_a_hash_of_something_else_is_a_conflict(built: Bridge) -> None:
    code, sentence = built.refused("cluster", "move", "prod", "--to", "staging", "--preview", "0" * 12)

    assert code == 4
    assert "1 would lose something: ana@acme.example (edit in cluster prod)" in sentence


def test_yes_is_an_answer_and_the_text_says_who_lost_what(built: Bridge) -> None:
    text = built.text("cluster", "move", "prod", "--to", "staging", "--yes")

    assert text.splitlines() == ["- ana@acme.example: edit in cluster prod", "The cluster prod is in staging."]


def test_what_alters_nobodys_access_needs_no_word(built: Bridge) -> None:
    assert built.json("unit", "rename", "staging", "stage")["becomes"] == "unit:stage"
    assert built.text("unit", "set", "stage", "--type", "none") == "The unit stage is no environment.\n"
    assert built.json("unit", "delete", "stage")["becomes"] is None
    assert built.json("cluster", "set", "prod", "--name", "prod-eu")["becomes"] == "cluster:prod-eu"
    assert [each["path"] for each in built.json("unit", "list")] == ["production"]


def test_a_project_and_its_services_change_and_go(built: Bridge) -> None:
    built.json("service", "create", "db", "--project", "shop", "--namespace", "shop-db")
    built.json("service", "set", "db", "--project", "shop", "--name", "data")
    built.json("service", "set", "data", "--project", "shop", "--namespace", "shop-data")
    built.json("project", "set", "shop", "--namespace", "shop-api", "--selector", "team=shop", "--cluster", "prod")
    built.json("project", "set", "shop", "--no-selectors", "--own-clusters")
    built.json("project", "rename", "shop", "store")
    built.json("project", "move", "store", "--to", "staging")

    (project,) = built.json("project", "list")
    assert (project["name"], project["unit"], project["namespaces"], project["selectors"], project["listed"]) == (
        "store",
        "staging",
        ["shop-api"],
        [],
        [],
    )
    assert [each["namespace"] for each in built.json("service", "list", "--project", "store")] == ["shop-data"]
    built.json("service", "delete", "data", "--project", "store")
    assert "The project store is gone." in built.text("project", "delete", "store")
    assert built.json("project", "list") == []


def test_a_clusters_policy_is_set_and_people_it_renames_are_shown(built: Bridge) -> None:
    words = (
        "cluster",
        "set",
        "prod",
        "--user-template",
        "oidc:{user_name}",
        "--allow-cluster-admin",
        "--case",
        "lower",
    )

    text = built.text(*words, "--yes")
    shown = built.json("cluster", "show", "prod")

    assert "~ ana@acme.example: ana@acme.example becomes oidc:ana@acme.example on cluster prod" in text
    assert (shown["user_template"], shown["case"], shown["allow_cluster_admin"]) == ("oidc:{user_name}", "lower", True)
    assert built.json("cluster", "set", "prod", "--no-cluster-admin")["changed"] is True


def test_the_tree_is_shown_with_counts_and_access(built: Bridge) -> None:
    text = built.text("organization", "tree")

    assert "acme" in text.splitlines()[1]
    assert "2 units, 1 project, 1 cluster" in text
    assert "ana@acme.example: edit (unit:production)" in text
    assert [each["scope"] for each in built.json("organization", "tree")][:2] == ["organization", "unit:production"]


def test_an_organization_is_set_up_and_deleted_by_its_name_said_twice(built: Bridge) -> None:
    done = built.json("organization", "set", "acme", "--name", "Acme Inc.", "--contact", "it@acme.example")
    shown = built.text("organization", "show", "acme")

    assert (done["name"], done["settings"]["contact"]) == ("Acme Inc.", "it@acme.example")
    assert "it@acme.example" in shown
    assert built.refused("organization", "delete", "acme")[0] == 5
    assert built.refused("organization", "delete", "acme", "--repeat", "acme")[0] == 5
    built.json("project", "delete", "shop")
    built.json("cluster", "remove", "prod")
    for unit in ("production", "staging"):
        built.json("unit", "delete", unit, "--yes")
    assert built.refused("organization", "delete", "acme", "--repeat", "other")[0] == 6
    assert built.json("organization", "delete", "acme", "--repeat", "acme")["members"] == 1
    assert built.json("organization", "list") == []


def test_nobody_leaves_from_the_installations_own_terminal(built: Bridge) -> None:
    assert built.refused("organization", "leave", "acme")[0] == 4
