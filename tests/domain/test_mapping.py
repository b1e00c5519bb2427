"""Mapping rules: what matches, where a scope may lie, and which files are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.mapping import (
    GroupFacts,
    Rule,
    RuleSet,
    Unmapped,
    attribute_values,
    grants_for_group,
    grants_for_user,
    match_group,
    resolve,
    with_mapped,
)
from scim_bridge.domain.organizations import Scope
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import Invalid
from tests.domain.worlds import CLUSTER, INNER_UNIT, ORGANIZATION, PROJECT, SERVICE, UNIT, tree

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def rule(**keys: object) -> Rule:
    row = {"name": "r", "directory": "okta", "scope": "unit:production", "kubernetes_role": "view"} | keys
    if not set(row) & {"group", "group_id", "group_prefix", "group_pattern", "attribute"}:
        row["group_id"] = "id-1"
    return parse_rules({"rules": [row]}).rules[0]


def group(name: str, directory: str = "okta") -> GroupFacts:
    return GroupFacts("id-1", name, directory, "external-1")


@pytest.mark.parametrize(
    ("keys", "name", "matches"),
    [
        ({"group_id": "id-1"}, "whatever", True),
        ({"group_id": "external-1"}, "whatever", True),
        ({"group_id": "id-2"}, "id-2", False),
        ({"group": "Platform"}, "platform", True),
        ({"group": "platform"}, "platform-2", False),
        ({"group_prefix": "k8s-"}, "K8S-shop", True),
        ({"group_prefix": "k8s-"}, "my-k8s-shop", False),
        ({"group_pattern": "k8s-[a-z]+"}, "k8s-shop", True),
        ({"group_pattern": "k8s-[a-z]+"}, "k8s-shop-2", False),
        ({"attribute": {"path": "title", "equals": "x"}}, "x", False),
    ],
)
def test_a_group_matches_by_id_name_prefix_or_pattern(keys: dict[str, object], name: str, matches: bool) -> None:
    assert (match_group(rule(**keys), group(name)) is not None) is matches


def test_a_rule_only_sees_groups_of_its_own_directory() -> None:
    assert match_group(rule(group="platform"), group("platform", "entra")) is None


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("organization", ORGANIZATION),
        ("unit:production", UNIT),
        ("unit:production/eu", INNER_UNIT),
        ("project:shop", PROJECT),
        ("service:shop/web", SERVICE),
        ("cluster:prod", CLUSTER),
    ],
)
def test_every_kind_of_scope_is_found_by_its_path(text: str, scope: Scope) -> None:
    assert resolve(rule(scope=text), {}, tree()) == scope


def test_a_captured_scope_must_lie_under_the_declared_parent() -> None:
    pattern = {"group_pattern": "k8s-(?P<project>[a-z]+)", "scope": "project:{project}"}
    inside = rule(**pattern, parent="unit:production")

    assert [each.scope for each in grants_for_group([inside], group("k8s-shop"), tree()).grants] == [PROJECT]
    assert [each.reason for each in grants_for_group([inside], group("k8s-blog"), tree()).unmapped] == [
        "project:blog does not lie under unit:production"
    ]
    assert [each.reason for each in grants_for_group([inside], group("k8s-gone"), tree()).unmapped] == [
        "there is no project:gone"
    ]


@given(st.text(max_size=30))
def test_no_captured_text_escapes_its_parent(text: str) -> None:
    climbing = rule(
        group_pattern="(?P<place>.*)", scope="unit:production/{place}", parent="unit:production", allow_privileged=True
    )

    found = resolve(climbing, {"place": text}, tree())

    assert isinstance(found, Unmapped) or UNIT in tree().lineage(found)[1:]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("title", ["Engineer"]),
        ("TITLE", ["Engineer"]),
        ("name.givenName", ["Ana"]),
        ("roles", ["Admin", "Dev"]),
        ("roles.value", ["Admin", "Dev"]),
        ("department", ["Payments"]),
        (f"{ENTERPRISE}:department", ["Payments"]),
        ("active", ["true"]),
        ("nothing", []),
    ],
)
def test_attribute_paths_reach_plain_nested_listed_and_extension_values(path: str, values: list[str]) -> None:
    person = {
        "title": "Engineer",
        "active": True,
        "name": {"givenName": "Ana"},
        "roles": [{"value": "Admin"}, {"value": "Dev"}],
        ENTERPRISE: {"department": "Payments"},
    }

    assert attribute_values(person, path) == values


def test_an_attribute_rule_gives_to_the_people_it_names() -> None:
    payments = rule(attribute={"path": "department", "one_of": ["payments", "risk"]})

    found = grants_for_user([payments], {"department": "Payments"}, "okta", tree())

    assert [(each.scope, each.kubernetes_role) for each in found.grants] == [(UNIT, KubernetesRole.VIEW)]
    assert grants_for_user([payments], {"department": "Sales"}, "okta", tree()).grants == ()


@pytest.mark.parametrize(
    ("keys", "field", "words"),
    [
        ({"colour": "red"}, "rules[0].colour", "unknown key"),
        ({"kubernetes_role": "root"}, "rules[0].kubernetes_role", "no Kubernetes role"),
        ({"kubernetes_role": "inherit"}, "rules[0].kubernetes_role", "no Kubernetes role"),
        ({"kubernetes_role": None}, "rules[0]", "gives nothing"),
        ({"api_role": "owner"}, "rules[0].api_role", "never given by a rule"),
        ({"api_role": "king"}, "rules[0].api_role", "no API role"),
        ({"scope": "galaxy:x"}, "rules[0].scope", "must be organization"),
        ({"scope": "project:{p}"}, "rules[0].scope", "nothing captures"),
        ({"scope": "project:shop", "kubernetes_role": "cluster-admin"}, "rules[0].scope", "not grantable"),
        ({"parent": "cluster:x"}, "rules[0].parent", "organization or unit"),
        ({"priority": "first"}, "rules[0].priority", "whole number"),
        ({"priority": True}, "rules[0].priority", "whole number"),
        ({"allow_privileged": "yes"}, "rules[0].allow_privileged", "true or false"),
        ({"name": "../x"}, "rules[0].name", "letters"),
        ({"directory": ""}, "rules[0].directory", "must be a text"),
        ({"group": "a", "group_id": "b"}, "rules[0]", "exactly one"),
        ({"group_pattern": "(a+)+"}, "rules[0].group_pattern", "for ever"),
        ({"group_pattern": "("}, "rules[0].group_pattern", "a group|not among"),
        ({"group_pattern": "[z-a]"}, "rules[0].group_pattern", "not a regular expression"),
        ({"attribute": {"path": "title"}}, "rules[0].attribute", "equals"),
        ({"attribute": "title"}, "rules[0].attribute", "path"),
        ({"group": "admins", "api_role": "admin"}, "rules[0].allow_privileged", "admin rights"),
        ({"group_prefix": "x", "kubernetes_role": "cluster-admin"}, "rules[0].allow_privileged", "admin rights"),
        ({"group": "all", "scope": "organization"}, "rules[0].allow_privileged", "whole organization"),
        (
            {"group_pattern": "(?P<u>[a-z]+)", "scope": "unit:{u}"},
            "rules[0].allow_privileged",
            "choose the unit",
        ),
    ],
)
def test_a_wrong_rule_is_one_sentence_that_names_the_place(keys: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        rule(**keys)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("document", "field"),
    [({"version": 2}, "version"), ({"rools": []}, "rools"), ({"rules": {}}, "rules"), ({"rules": [1]}, "rules[0]")],
)
def test_a_wrong_file_is_one_sentence(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rules(document)

    assert caught.value.field == field


def rows(*changes: dict[str, object]) -> list[dict[str, object]]:
    base = {"directory": "okta", "group_id": "g", "scope": "organization", "kubernetes_role": "view"}
    return [base | {"name": f"r{number}"} | change for number, change in enumerate(changes)]


def test_two_rules_that_disagree_at_one_priority_are_an_error_when_saved() -> None:
    with pytest.raises(Invalid, match="different roles"):
        parse_rules({"rules": rows({}, {"kubernetes_role": "edit"})})

    assert len(parse_rules({"rules": rows({}, {"kubernetes_role": "edit", "priority": 5})}).rules) == 2
    assert len(parse_rules({"rules": rows({}, {"group_id": "other", "kubernetes_role": "edit"})}).rules) == 2


def test_two_rules_of_one_name_are_an_error() -> None:
    with pytest.raises(Invalid, match="Two rules are called"):
        parse_rules({"rules": rows({}, {"name": "r0"})})


def test_a_diff_names_what_is_added_removed_and_changed() -> None:
    old = parse_rules({"rules": rows({}, {}, {"group_id": "a"})})
    new = parse_rules({"rules": [*rows({}, {"priority": 7}), {**rows({})[0], "name": "new"}]})

    diff = old.diff(new)

    assert [each.name for each in diff.added] == ["new"]
    assert [each.name for each in diff.removed] == ["r2"]
    assert [after.priority for _, after in diff.changed] == [7]
    assert old.diff(RuleSet(tuple(reversed(old.rules)))).is_empty


def test_a_rule_survives_a_round_trip_through_its_definition() -> None:
    full = rule(
        group_pattern="k8s-(?P<p>[a-z]+)",
        scope="project:{p}",
        parent="unit:production",
        priority=3,
        api_role="developer",
        allow_privileged=True,
    )

    assert parse_rules({"rules": [full.definition]}).rules == (full,)


def test_what_a_name_chooses_is_never_the_parent_itself() -> None:
    climbing = rule(
        group_pattern="k8s-(?P<unit>[a-z]+)", scope="unit:{unit}", parent="unit:production", allow_privileged=True
    )

    found = grants_for_group([climbing], group("k8s-production"), tree())

    assert found.grants == ()
    assert [each.reason for each in found.unmapped] == ["unit:production does not lie under unit:production"]


def test_a_capture_that_the_scope_does_not_use_may_be_anything() -> None:
    loose = rule(group_pattern="(?P<note>.*): (?P<project>[a-z]+)", scope="project:{project}")

    found = grants_for_group([loose], group("a/b: shop"), tree())

    assert [each.scope for each in found.grants] == [PROJECT]


def test_a_capture_that_took_no_part_maps_to_nothing() -> None:
    optional = rule(group_pattern="k8s(?P<project>-shop)?", scope="project:{project}")

    assert grants_for_group([optional], group("k8s"), tree()).grants == ()


@pytest.mark.parametrize(
    "scope",
    [
        *("organization:", "organization:x", "unit:", "unit:a//b", "unit:a/", "unit:" + "a/" * 8 + "a", "project:a/b"),
        *("service:shop", "service:a/b/c", "cluster:a/b", "cluster: x", "project:{p", "project:p}", "project:{P}"),
    ],
)
def test_a_scope_that_could_never_exist_is_refused_when_saved(scope: str) -> None:
    with pytest.raises(Invalid) as caught:
        rule(scope=scope)

    assert caught.value.field == "rules[0].scope"


@pytest.mark.parametrize("scope", ["unit:Production EU/k8s_1", "service:web shop/api.v2", "cluster:prod-eu"])
def test_names_of_places_may_hold_blanks_and_signs(scope: str) -> None:
    assert rule(scope=scope).scope == scope


def test_one_name_in_two_spellings_is_the_same_match_and_so_a_tie() -> None:
    pair = [
        {"name": "a", "directory": "okta", "group": "Team", "scope": "unit:x", "kubernetes_role": "view"},
        {"name": "b", "directory": "okta", "group": "TEAM", "scope": "unit:x", "kubernetes_role": "edit"},
    ]

    with pytest.raises(Invalid, match="different roles"):
        parse_rules({"rules": pair})


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"rule": [], "rules": []}, "rule"),
        ({"version": True}, "version"),
        ({1: "x", "a": "b"}, "1"),
        ({"rules": [{}] * 5001}, "rules"),
    ],
)
def test_a_file_that_says_two_things_or_too_much_is_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rules(document)

    assert caught.value.field == field


def test_an_attribute_is_compared_in_one_way() -> None:
    with pytest.raises(Invalid) as caught:
        rule(attribute={"path": "title", "equals": "a", "one_of": ["b"]})

    assert caught.value.field == "rules[0].attribute"


def test_a_rule_matches_what_the_directorys_mapping_makes_of_a_person() -> None:
    made = with_mapped({"title": "x"}, {"team": "Engines"})

    assert attribute_values(made, "mapped.team") == ["Engines"]
    assert attribute_values(made, "title") == ["x"]
    assert attribute_values(made, "team") == []


@pytest.mark.parametrize(
    "document",
    [{"mapped": {"team": "forged"}}, {"MAPPED": {"team": "forged"}}, {ENTERPRISE: {"mapped": {"team": "forged"}}}],
)
def test_no_document_can_pose_as_what_a_mapping_made(document: dict[str, Any]) -> None:
    assert attribute_values(with_mapped(document, {}), "mapped.team") == []
