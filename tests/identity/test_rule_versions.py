"""Every version of the rules stays, two can be compared, and going back restores exactly the grants there were."""

import pytest
from hypothesis import HealthCheck, given, settings

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.effects import Standing
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import organizations, rule_changes, rule_lint, rule_versions, rules, tree
from scim_bridge.identity.grants import GrantWanted, add
from scim_bridge.identity.rule_changes import of_document
from scim_bridge.identity.rule_versions import of_version
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.identity.unit_changes import MoveUnit
from scim_bridge.store.database import Database
from tests.identity.rule_worlds import EDIT, VIEW, everything, make_world, rule_rows


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    make_world(database, actor)


def put(database: Database, actor: Actor, *rows: dict[str, object]) -> Standing:
    rules.apply(database, actor, "acme", {"rules": list(rows)})
    return everything(database)


def roll_back(database: Database, actor: Actor, version: int) -> int:
    seen = rule_changes.preview(database, actor, "acme", of_version(version))
    return rule_changes.apply_seen(database, actor, "acme", of_version(version), seen.hash).version


def test_every_version_stays_with_who_made_it_and_when(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW)
    put(database, actor, VIEW, EDIT)

    found = rule_versions.list_all(database, "acme")

    assert [(each.version, each.rules, each.author, each.is_in_force) for each in found] == [
        (2, 2, "tests", True),
        (1, 1, "tests", False),
    ]
    assert [rule.name for rule in rule_versions.content(database, "acme", 1).rules] == ["view"]


def test_two_versions_differ_in_named_rules_whichever_comes_first(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW)
    put(database, actor, VIEW | {"priority": 7}, EDIT)

    there, back = rule_versions.diff(database, "acme", 1, 2), rule_versions.diff(database, "acme", 2, 0)

    assert [rule.name for rule in there.added] == ["edit"]
    assert [(old.priority, new.priority) for old, new in there.changed] == [(100, 7)]
    assert sorted(rule.name for rule in back.removed) == ["edit", "view"]
    assert there.document.changed[0].new["priority"] == 7


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=rule_rows(), second=rule_rows())
def test_going_back_restores_exactly_what_was_granted(
    database: Database, actor: Actor, first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    stood = put(database, actor, *first)
    versions = rule_versions.list_all(database, "acme")
    put(database, actor, *second)

    roll_back(database, actor, versions[0].version if versions else 0)

    assert everything(database) == stood


def test_going_back_is_a_new_version_with_the_old_content(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW)
    put(database, actor, EDIT)

    made = roll_back(database, actor, 1)

    assert made == 3
    assert rule_versions.content(database, "acme", 3) == rule_versions.content(database, "acme", 1)
    assert [each.is_in_force for each in rule_versions.list_all(database, "acme")] == [True, False, False]


def test_going_back_leaves_what_was_granted_by_hand_meanwhile(database: Database, actor: Actor) -> None:
    put(database, actor)
    before = everything(database)
    put(database, actor, VIEW)
    add(database, actor, "acme", GrantWanted("unit:production", group="okta/alpha", kubernetes_role="view"))

    roll_back(database, actor, 0)

    more = everything(database).grants - before.grants
    assert {(each.holder, each.kubernetes_role, each.origin) for each in more} == {("alpha", "view", "manual")}


def test_a_version_that_does_not_fit_any_more_is_refused_and_changes_nothing(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "old")
    put(database, actor, VIEW | {"scope": "unit:old"})
    carry_out(database, actor, "acme", MoveUnit("old", "staging"))
    stood = everything(database)

    with pytest.raises(Invalid, match="unit:old"):
        roll_back(database, actor, 1)

    assert everything(database) == stood


def test_another_organizations_versions_are_not_there(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    put(database, actor, VIEW)

    with pytest.raises(NotFound):
        rule_versions.content(database, "globex", 1)
    with pytest.raises(NotFound):
        rule_versions.diff(database, "acme", 1, 9)
    assert rule_versions.list_all(database, "globex") == []


def test_lint_looks_at_the_rules_in_force_or_at_others_and_writes_nothing(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW | {"group": "nobody"}, EDIT)
    others = rule_lint.of_flawed_document({"rules": [EDIT | {"scope": "organization", "group": "nothing"}]})
    before = everything(database)

    found = rule_lint.look_over(database, "acme")
    elsewhere = rule_lint.look_over(database, "acme", others)

    assert [(each.rule, each.flaw.value) for each in found] == [("view", "no_such_group")]
    assert [(each.rule, each.flaw.value) for each in elsewhere] == [("edit", "no_such_group"), ("edit", "privileged")]
    assert everything(database) == before
    assert rule_lint.look_over(database, "acme", of_document({"rules": []})) == []
