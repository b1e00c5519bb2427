"""`scim-bridge organization`, `unit`, `project` and `service`: what they print, and what repeating them does."""

import re

import pytest

from tests.cli.bridge import Bridge

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_an_organization_is_created_once_with_its_owner(bridge: Bridge) -> None:
    words = ["organization", "create", "acme", "--name", "Acme Inc.", "--owner", "Ana@acme.example"]

    first = bridge.json(*words)
    second = bridge.json(*words)
    shown = bridge.json("organization", "show", "acme")

    assert (first["slug"], first["name"], first["created"], second["created"]) == ("acme", "Acme Inc.", True, False)
    assert second["id"] == first["id"] == shown["id"]
    assert [each.casefold() for each in shown["owners"]] == ["ana@acme.example"]
    assert shown["counts"] == {
        "units": 0,
        "projects": 0,
        "services": 0,
        "clusters": 0,
        "directories": 0,
        "members": 1,
        "groups": 0,
    }


def test_organizations_are_listed_with_times_in_utc(acme: Bridge) -> None:
    acme.json("organization", "create", "globex")

    listed = acme.json("organization", "list")

    assert [set(each) for each in listed] == [{"id", "slug", "name", "created_at"}] * 2
    assert [each["slug"] for each in listed] == ["acme", "globex"]
    assert all(MOMENT.fullmatch(each["created_at"]) for each in listed)
    assert "globex" in acme.text("organization", "list")


def test_an_owner_named_later_is_added_and_the_first_one_stays(acme: Bridge) -> None:
    acme.json("organization", "create", "acme", "--owner", "bob@acme.example")

    assert acme.json("organization", "show", "acme")["owners"] == ["ana@acme.example", "bob@acme.example"]


def test_units_are_created_by_path_or_by_parent_and_move_with_what_is_in_them(acme: Bridge) -> None:
    acme.json("unit", "create", "production", "--type", "production")
    acme.json("unit", "create", "staging")
    made = acme.json("unit", "create", "payments", "--parent", "production")
    again = acme.json("unit", "create", "production/payments")

    moved = acme.json("unit", "move", "production/payments", "--to", "staging")

    assert (made["path"], made["created"], again["created"]) == ("production/payments", True, False)
    assert (again["id"], moved["id"], moved["becomes"]) == (made["id"], made["id"], "unit:staging/payments")
    assert [(each["path"], each["environment_type"]) for each in acme.json("unit", "list")] == [
        ("production", "production"),
        ("staging", None),
        ("staging/payments", None),
    ]


def test_moving_a_unit_to_where_it_is_changes_nothing(acme: Bridge) -> None:
    acme.json("unit", "create", "a")
    acme.json("unit", "create", "a/b")
    before = acme.json("unit", "list")

    acme.json("unit", "move", "a/b", "--to", "a")

    assert acme.json("unit", "list") == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["unit", "create", "a", "--type", "staging"], 4),
        (["unit", "create", "x/y"], 3),
        (["unit", "create", "Big"], 6),
        (["unit", "move", "a", "--to", "a/b"], 5),
        (["unit", "move", "nowhere"], 3),
        (["project", "create", "shop", "--namespace", "other"], 4),
        (["project", "create", "new", "--namespace", "kube-system"], 6),
        (["project", "create", "new", "--selector", "=="], 6),
        (["project", "create", "new", "--cluster", "nowhere"], 3),
        (["service", "create", "web", "--project", "shop", "--namespace", "other"], 4),
        (["service", "create", "web", "--project", "nowhere", "--namespace", "web"], 3),
        (["service", "create", "api", "--project", "shop", "--namespace", "default"], 6),
    ],
)
def test_what_cannot_be_is_one_sentence_and_an_exit_code_that_says_which_kind(
    local: Bridge, words: list[str], code: int
) -> None:
    local.json("unit", "create", "a")
    local.json("unit", "create", "a/b")
    local.json("project", "create", "shop", "--namespace", "shop")
    local.json("service", "create", "web", "--project", "shop", "--namespace", "web")
    before = [local.json(noun, "list") for noun in ("unit", "project")]

    assert local.refused(*words)[0] == code

    assert [local.json(noun, "list") for noun in ("unit", "project")] == before


def test_a_project_with_its_namespaces_clusters_and_services(acme: Bridge, tmp_path: object) -> None:
    acme.json("unit", "create", "production")
    acme.json("cluster", "add", "--name", "prod", "--unit", "production", "--manifests", f"{tmp_path}/prod")
    words = ["project", "create", "shop", "--unit", "production", "--namespace", "shop", "--namespace", "shop-jobs"]

    first = acme.json(*words)
    second = acme.json(*words)
    service = acme.json("service", "create", "web", "--project", "shop", "--namespace", "shop-web")
    same = acme.json("service", "create", "web", "--project", "shop", "--namespace", "shop-web")
    [listed] = acme.json("project", "list")

    assert (first["created"], second["created"], second["id"]) == (True, False, first["id"])
    assert (service["namespace"], same["id"]) == ("shop-web", service["id"])
    assert {key: listed[key] for key in ("name", "unit", "namespaces", "clusters", "listed", "services")} == {
        "name": "shop",
        "unit": "production",
        "namespaces": ["shop", "shop-jobs"],
        "clusters": ["prod"],
        "listed": [],
        "services": ["web"],
    }


def test_a_namespace_of_another_project_on_the_same_cluster_is_refused(local: Bridge, tmp_path: object) -> None:
    local.json("cluster", "add", "--name", "prod", "--manifests", f"{tmp_path}/prod")
    local.json("project", "create", "shop", "--namespace", "shop")

    code, said = local.refused("project", "create", "other", "--namespace", "shop")

    assert (code, "belongs to the project shop" in said) == (4, True)
    assert [each["name"] for each in local.json("project", "list")] == ["shop"]
