"""Lint names the rules that do nothing, and says why; a rule that works is never named."""

from collections.abc import Mapping

import pytest

from scim_bridge.domain.mapping import GroupFacts
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.domain.rule_lint import Directories, Finding, Flaw, lint
from tests.domain.worlds import tree

RULE: dict[str, object] = {
    "name": "a",
    "directory": "okta",
    "group": "alpha",
    "scope": "unit:production",
    "kubernetes_role": "view",
}
GROUPS = tuple(GroupFacts(name, name, "okta", f"00g-{name}") for name in ("alpha", "alphabet", "empty", "team-shop"))
KNOWN = Directories(
    {"okta": GROUPS, "entra": ()},
    frozenset({"alpha", "alphabet", "team-shop"}),
    {"okta": ({"userName": "ana", "department": "Finance"},)},
)


def look(*rows: Mapping[str, object]) -> list[Finding]:
    rules = parse_rules({"rules": list(rows)}, refuse_privileged=False)
    return lint(rules.rules, KNOWN, tree())


def flaws(*rows: Mapping[str, object]) -> list[tuple[str, Flaw]]:
    return [(each.rule, each.flaw) for each in look(*rows)]


def without(row: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in row.items() if key not in keys}


BY_ATTRIBUTE = without(RULE, "group")


@pytest.mark.parametrize(
    ("row", "flaw", "sentence"),
    [
        (RULE | {"directory": "gone"}, Flaw.NO_SUCH_DIRECTORY, "no directory 'gone'"),
        (RULE | {"group": "beta"}, Flaw.NO_SUCH_GROUP, "no group of okta matches group 'beta'"),
        (RULE | {"directory": "entra"}, Flaw.NO_SUCH_GROUP, "no group of entra"),
        (RULE | {"group": "empty"}, Flaw.MATCHES_NOBODY, "nobody is in empty"),
        (
            BY_ATTRIBUTE | {"attribute": {"path": "department", "equals": "Sales"}},
            Flaw.MATCHES_NOBODY,
            "nobody of okta has Sales as department",
        ),
        (RULE | {"scope": "cluster:gone"}, Flaw.SCOPE_GONE, "its scope is cluster:gone"),
        (RULE | {"parent": "unit:gone"}, Flaw.SCOPE_GONE, "its parent is unit:gone"),
        (RULE | {"scope": "organization"}, Flaw.PRIVILEGED, "reaches the whole organization"),
        (RULE | {"kubernetes_role": "cluster-admin"}, Flaw.PRIVILEGED, "gives admin rights"),
        (RULE | {"allow_privileged": True}, Flaw.NEEDLESS_PERMISSION, "nothing that needs it"),
        (
            BY_ATTRIBUTE | {"group_pattern": "team-(?P<t>.+)", "scope": "project:{t}-x"},
            Flaw.SCOPE_MISSING,
            "the group team-shop leads nowhere: there is no project:shop-x",
        ),
    ],
)
def test_a_rule_that_does_nothing_is_named_with_its_reason(row: dict[str, object], flaw: Flaw, sentence: str) -> None:
    (found,) = [each for each in look(row) if each.flaw is flaw]

    assert found.rule == "a"
    assert sentence in found.message


@pytest.mark.parametrize(
    "row",
    [
        RULE,
        without(RULE, "group") | {"group_prefix": "alph"},
        without(RULE, "group") | {"group_id": "00g-alpha", "scope": "organization"},
        BY_ATTRIBUTE | {"attribute": {"path": "department", "equals": "finance"}, "scope": "organization"},
        RULE | {"scope": "organization", "allow_privileged": True},
        BY_ATTRIBUTE | {"group_pattern": "team-(?P<t>.+)", "scope": "project:{t}"},
    ],
)
def test_a_rule_that_works_is_not_named(row: dict[str, object]) -> None:
    assert look(row) == []


def test_the_second_of_two_that_say_the_same_is_a_duplicate() -> None:
    found = look(RULE, RULE | {"name": "b", "group": "ALPHA"})

    assert [(each.rule, each.flaw, each.other) for each in found] == [("b", Flaw.DUPLICATE, "a")]


def test_a_rule_that_is_beaten_wherever_it_gives_something_is_shadowed() -> None:
    prefix = without(RULE, "group") | {"name": "b", "group_prefix": "alph", "priority": 10, "kubernetes_role": "edit"}

    found = look(RULE, prefix)

    assert [(each.rule, each.flaw, each.other) for each in found] == [("a", Flaw.SHADOWED, "b")]


def test_a_rule_that_stands_on_one_axis_or_for_one_group_is_not_shadowed() -> None:
    better = RULE | {"name": "b", "priority": 10, "kubernetes_role": "edit"}
    wider = without(RULE, "group") | {"name": "c", "group_prefix": "alph"}

    assert flaws(RULE | {"api_role": "viewer"}, better) == []
    assert flaws(wider, better) == []


def test_rules_of_one_priority_do_not_shadow_each_other() -> None:
    prefix = without(RULE, "group") | {"name": "b", "group_prefix": "alph", "kubernetes_role": "edit"}

    assert flaws(RULE, prefix) == []
