"""The trace holds every rule against a person, and what stands in it is what the same grants decide."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.access import OriginKind, Snapshot, scope_roles, strongest_kubernetes_role
from scim_bridge.domain.mapping import GroupFacts, Match, MatchKind, Rule, attribute_values
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.what_if import PersonFacts, Trace, try_rules, with_attribute, without_rules
from tests.domain.worlds import UNIT, grant, snapshots, tree

GROUPS = tuple(GroupFacts(name, name, "okta", f"00g-{name}") for name in ("devs", "ops", "team-shop"))
ANA = PersonFacts(MemberId("ana"), GROUPS, {"okta": {"department": "Finance", "title": ["Lead", "Dev"]}})
URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def rule(name: str, match: Match | None = None, **said: Any) -> Rule:
    values = {"kubernetes_role": KubernetesRole.VIEW, "scope": "unit:production", **said}
    return Rule(name, values.pop("directory", "okta"), match or Match(MatchKind.GROUP, "devs"), **values)


def verdicts(found: Trace, axis: str = "kubernetes") -> dict[str, tuple[str, tuple[str, ...]]]:
    return {
        each.rule.name: (outcome.verdict, outcome.rules)
        for each in found.tried
        for outcome in each.outcomes
        if outcome.axis == axis
    }


def test_rules_are_tried_in_the_order_of_priority_and_name() -> None:
    found = try_rules([rule("b"), rule("c", priority=1), rule("a")], ANA, tree())

    assert [each.rule.name for each in found.tried] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("match", "why"),
    [
        (Match(MatchKind.GROUP, "none"), "none of the person's groups of okta is called 'none': devs, ops, team-shop"),
        (Match(MatchKind.GROUP_ID, "00g"), "none of the person's groups of okta has the id '00g'"),
        (Match(MatchKind.GROUP_PREFIX, "x"), "none of the person's groups of okta begins with 'x'"),
        (Match(MatchKind.GROUP_PATTERN, "x+"), "none of the person's groups of okta matches the pattern 'x+'"),
        (Match(MatchKind.ATTRIBUTE, "department", ("Sales", "IT")), "department is Finance, not Sales or IT"),
        (Match(MatchKind.ATTRIBUTE, "title", ("Boss",)), "title is Lead, Dev, not Boss"),
        (Match(MatchKind.ATTRIBUTE, "nickName", ("x",)), "there is no nickName"),
    ],
)
def test_a_rule_that_does_not_match_says_why(match: Match, why: str) -> None:
    (found,) = try_rules([rule("r", match)], ANA, tree()).tried

    assert not found.matched
    assert found.why.startswith(why)


def test_a_directory_that_the_person_is_not_of_or_that_is_pending_is_said_so() -> None:
    elsewhere = rule("a", directory="entra")
    attribute = rule("b", Match(MatchKind.ATTRIBUTE, "department", ("Finance",)), directory="entra")

    found = try_rules([elsewhere, attribute, rule("c")], ANA, tree(), silent=["okta"])

    assert [each.why for each in found.tried] == [
        "the person is in no group of the directory entra",
        "the person does not come from the directory entra",
        "the directory okta is pending: it grants nothing yet",
    ]
    assert found.grants == ()


def test_a_rule_that_matches_two_groups_is_tried_with_each() -> None:
    prefix = rule("r", Match(MatchKind.GROUP_PATTERN, "(?P<unit>devs|ops)"), scope="unit:{unit}")

    found = try_rules([prefix], ANA, tree())

    assert [(each.through, dict(each.captures), each.scope) for each in found.tried] == [
        ("group devs", {"unit": "devs"}, None),
        ("group ops", {"unit": "ops"}, None),
    ]
    assert all("there is no unit:" in each.why for each in found.tried)


def test_what_stands_is_shadowed_tied_or_weaker_is_told_with_the_other_rules() -> None:
    found = try_rules(
        [
            rule("best", priority=1),
            rule("equal", Match(MatchKind.GROUP, "ops"), priority=1, kubernetes_role=KubernetesRole.EDIT),
            rule("late", Match(MatchKind.GROUP, "ops"), priority=2),
            rule("elsewhere", scope="cluster:prod", priority=9),
        ],
        ANA,
        tree(),
    )

    assert verdicts(found) == {
        "best": ("weaker than another rule of priority 1", ("equal",)),
        "equal": ("stands: the strongest of priority 1", ("best",)),
        "late": ("shadowed by a rule of priority 1", ("best", "equal")),
        "elsewhere": ("stands", ()),
    }


def test_axes_are_judged_apart() -> None:
    found = try_rules(
        [rule("a", api_role="viewer", priority=5), rule("b", kubernetes_role=None, api_role="developer", priority=1)],
        ANA,
        tree(),
    )

    assert verdicts(found) == {"a": ("stands", ())}
    assert verdicts(found, "api") == {
        "a": ("shadowed by a rule of priority 1", ("b",)),
        "b": ("stands", ()),
    }


def test_a_grant_by_hand_is_never_shadowed_and_may_be_stronger() -> None:
    by_hand = grant(UNIT, KubernetesRole.EDIT, member="ana")

    found = try_rules([rule("r")], ANA, tree(), others=[by_hand])

    assert verdicts(found) == {"r": ("a stronger role is granted at the same scope otherwise", ())}


priorities = st.integers(1, 3)
kubernetes = st.sampled_from(list(KubernetesRole))


@given(st.lists(st.tuples(priorities, kubernetes, st.sampled_from(["devs", "ops"])), min_size=1, max_size=6))
def test_what_stands_is_what_access_decides(drawn: list[tuple[int, KubernetesRole, str]]) -> None:
    rules = [
        rule(f"r{number}", Match(MatchKind.GROUP, group), priority=priority, kubernetes_role=role)
        for number, (priority, role, group) in enumerate(drawn)
    ]

    found = try_rules(rules, ANA, tree())

    role, _ = strongest_kubernetes_role(found.grants)
    standing = {
        outcome.role for each in found.tried for outcome in each.outcomes if outcome.verdict.startswith("stands")
    }
    assert standing == {role.value if role else None}


@given(snapshots())
def test_without_rules_no_rule_is_left_and_nothing_else_is_gone(found: Snapshot) -> None:
    held = [each for grants in found.grants_of_member.values() for each in grants]

    left = without_rules(held)

    assert all(origin.kind is not OriginKind.RULE for each in left for origin in each.origins)
    assert {each.id for each in left} == {each.id for each in held if each.origins[0].kind is OriginKind.MANUAL}
    assert scope_roles(left).keys() <= scope_roles(held).keys() | scope_roles(left).keys()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, "department"),
        ({"department": "Finance"}, "department"),
        ({"Department": ["Finance", "IT"]}, "department"),
        ({URN: {"department": "Finance", "costCenter": "7"}}, "department"),
        ({URN: {"department": "Finance"}}, f"{URN}:department"),
        ({URN.lower(): {"Department": "Finance"}}, f"{URN}:department"),
        ({"name": {"givenName": "Ana", "familyName": "B"}}, "name.givenName"),
    ],
)
def test_an_attribute_that_is_changed_has_that_value_and_no_other(document: dict[str, object], path: str) -> None:
    changed = with_attribute(document, path, "Sales")

    assert attribute_values(changed, path) == ["Sales"]


def test_changing_an_attribute_leaves_the_others_and_the_document_as_they_are() -> None:
    document: dict[str, object] = {"userName": "ana", URN: {"department": "Finance", "costCenter": "7"}}

    changed = with_attribute(document, "department", "Sales")

    assert attribute_values(changed, "userName") == ["ana"]
    assert attribute_values(changed, "costCenter") == ["7"]
    assert document == {"userName": "ana", URN: {"department": "Finance", "costCenter": "7"}}
