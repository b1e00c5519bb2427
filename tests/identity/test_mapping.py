"""Rules become grants: when they are applied, and when groups, people and the tree change afterwards."""

from collections.abc import Mapping

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.mapping import RuleDiff
from scim_bridge.domain.people import DirectoryKind, GroupId
from scim_bridge.errors import BridgeError, Invalid
from scim_bridge.identity import directories, grants, mapping, organizations, rules, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.identity.unit_changes import MoveUnit
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.rows import (
    begin,
    count,
    directory_id,
    put_cluster,
    put_group,
    put_user,
    remove_group,
    rename_group,
    write_document,
)

ADMINS: dict[str, object] = {
    "name": "admins",
    "directory": "okta",
    "group": "Platform Admins",
    "scope": "cluster:prod-eu",
    "kubernetes_role": "edit",
}
TEAMS: dict[str, object] = {
    "name": "teams",
    "directory": "okta",
    "group_pattern": "team-(?P<team>[a-z]+)",
    "scope": "unit:production/{team}",
    "parent": "unit:production",
    "kubernetes_role": "view",
    "allow_privileged": True,
}
FINANCE: dict[str, object] = {
    "name": "finance",
    "directory": "okta",
    "attribute": {"path": "department", "equals": "Finance"},
    "scope": "organization",
    "api_role": "viewer",
}


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    """Give acme a directory, a unit and a cluster."""
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    tree.create_unit(database, actor, "acme", "production")
    put_cluster(database, "prod-eu", "production")


def test_applying_rules_gives_groups_that_are_there_their_grants(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")

    applied = _apply(database, actor, ADMINS)

    assert (applied.version, applied.gained, applied.lost, applied.unmapped) == (1, 1, 0, ())
    assert _grants(database) == [("cluster:prod-eu", "Platform Admins", None, "edit", ("rule admins",))]


def test_the_same_document_again_writes_nothing(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")
    _apply(database, actor, ADMINS)
    before = _sizes(database)

    again = _apply(database, actor, ADMINS)

    assert again.diff == RuleDiff()
    assert (again.version, _sizes(database)) == (1, before)


def test_a_rule_that_stays_keeps_its_row_and_its_grants_since(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")
    _apply(database, actor, ADMINS)
    since = grants.list_all(database, "acme")[0].since

    applied = _apply(database, actor, ADMINS, FINANCE)

    assert (applied.version, [rule.name for rule in applied.diff.added]) == (2, ["finance"])
    assert grants.list_all(database, "acme")[0].since == since


def test_a_changed_rule_moves_the_grant(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")
    _apply(database, actor, ADMINS)

    applied = _apply(database, actor, ADMINS | {"kubernetes_role": "view"})

    assert (applied.gained, applied.lost) == (1, 1)
    assert [row[3] for row in _grants(database)] == ["view"]


def test_a_rule_taken_out_takes_its_grants_and_asks_for_no_removal(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")
    _apply(database, actor, ADMINS)

    applied = _apply(database, actor)

    assert ([rule.name for rule in applied.diff.removed], applied.lost) == (["admins"], 1)
    assert _grants(database) == []
    assert count(database, "removal_request") == 0


def test_withdrawing_a_rule_restores_what_was_granted_by_hand(database: Database, actor: Actor) -> None:
    _group(database, "Platform Admins")
    by_hand = GrantWanted("cluster:prod-eu", group="Platform Admins", kubernetes_role="edit")
    grants.add(database, actor, "acme", by_hand)
    before = _grants(database)
    _apply(database, actor, ADMINS)

    _apply(database, actor)

    assert _grants(database) == before


def test_a_group_that_appears_later_is_mapped(database: Database, actor: Actor) -> None:
    _apply(database, actor, ADMINS)

    _group(database, "platform ADMINS")

    assert [row[1] for row in _grants(database)] == ["platform ADMINS"]


def test_a_renamed_group_loses_what_its_old_name_gave(database: Database, actor: Actor) -> None:
    _apply(database, actor, ADMINS)
    group = _group(database, "Platform Admins")

    with database.write() as connection:
        rename_group(connection, group, "Platform Guests")
        mapping.groups_changed(connection, begin(connection), [group])

    assert _grants(database) == []


def test_a_removed_group_loses_grants_by_hand_too(database: Database, actor: Actor) -> None:
    _apply(database, actor, ADMINS)
    group = _group(database, "Platform Admins")
    grants.add(database, actor, "acme", GrantWanted("organization", group="Platform Admins", kubernetes_role="view"))

    with database.write() as connection:
        remove_group(connection, group, now())
        mapping.groups_changed(connection, begin(connection), [group])

    assert _grants(database) == []


def test_a_group_of_another_directory_is_not_matched(database: Database, actor: Actor) -> None:
    directories.create(database, actor, "acme", "entra", DirectoryKind.ENTRA)
    _apply(database, actor, ADMINS)

    _group(database, "Platform Admins", directory="entra")

    assert _grants(database) == []


def test_a_captured_unit_is_granted_once_it_exists(database: Database, actor: Actor) -> None:
    _group(database, "team-payments")
    waiting = _apply(database, actor, TEAMS)

    tree.create_unit(database, actor, "acme", "production/payments")

    assert [(each.name, each.rule) for each in waiting.unmapped] == [("team-payments", "teams")]
    assert _grants(database) == [("unit:production/payments", "team-payments", None, "view", ("rule teams",))]
    assert rules.in_force(database, "acme").unmapped == ()


def test_rules_follow_a_unit_that_moves(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "platform")
    _group(database, "Platform Admins")
    _apply(database, actor, ADMINS | {"scope": "unit:production"})
    before = _grants(database)

    carry_out(database, actor, "acme", MoveUnit("production", "platform"))

    assert rules.in_force(database, "acme").rules[0].scope == "unit:platform/production"
    assert [row[1:] for row in _grants(database)] == [row[1:] for row in before]
    assert [row[0] for row in _grants(database)] == ["unit:platform/production"]


def test_attribute_rules_give_their_grant_to_the_person(database: Database, actor: Actor) -> None:
    _apply(database, actor, FINANCE)

    with database.write() as connection:
        change = begin(connection)
        user, _ = put_user(connection, change, "ana@example.com", directory_id(connection), department="finance")
        mapping.users_changed(connection, change, [user])

    assert _grants(database) == [("organization", "ana@example.com", "viewer", None, ("rule finance",))]


def test_a_person_whose_attribute_changed_loses_the_grant(database: Database, actor: Actor) -> None:
    with database.write() as connection:
        change = begin(connection)
        user, _ = put_user(connection, change, "ana@example.com", directory_id(connection), department="Finance")
    _apply(database, actor, FINANCE)
    granted = len(_grants(database))

    with database.write() as connection:
        write_document(connection, user, {"userName": "ana@example.com", "department": "Sales"})
        mapping.users_changed(connection, begin(connection), [user])

    assert (granted, _grants(database)) == (1, [])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ADMINS | {"scope": "unit:nowhere"}, "'admins' names unit:nowhere as its scope"),
        (ADMINS | {"scope": "cluster:nowhere"}, "names cluster:nowhere"),
        (ADMINS | {"scope": "project:nowhere"}, "names project:nowhere"),
        (ADMINS | {"directory": "nowhere"}, "names the directory 'nowhere'"),
        (TEAMS | {"parent": "unit:nowhere"}, "unit:nowhere as its parent"),
        (ADMINS | {"kubernetes_role": "root"}, "no Kubernetes role 'root'"),
        (ADMINS | {"api_role": "owner"}, "owner is never given by a rule"),
        (FINANCE | {"name": "x", "parent": "unit:production"}, "does not lie under its parent"),
    ],
)
def test_a_rule_that_cannot_be_is_one_sentence_and_changes_nothing(
    database: Database, actor: Actor, row: dict[str, object], sentence: str
) -> None:
    _apply(database, actor, FINANCE)
    before = _sizes(database)

    with pytest.raises(Invalid) as caught:
        _apply(database, actor, row)

    assert sentence in str(caught.value)
    assert _sizes(database) == before


def test_rules_of_one_organization_do_not_reach_another(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    _group(database, "Platform Admins")

    with pytest.raises(BridgeError, match="directory 'okta'"):
        rules.apply(database, actor, "globex", {"rules": [ADMINS]})

    assert grants.list_all(database, "globex") == []


def _apply(database: Database, actor: Actor, *rows: Mapping[str, object]) -> rules.RulesApplied:
    return rules.apply(database, actor, "acme", {"version": 1, "rules": list(rows)})


def _group(database: Database, name: str, directory: str = "okta") -> GroupId:
    with database.write() as connection:
        change = begin(connection)
        made = put_group(connection, change, name, directory_id(connection, directory))
        mapping.groups_changed(connection, change, [made])
    return made


def _grants(database: Database) -> list[tuple[str, str, str | None, str | None, tuple[str, ...]]]:
    found = grants.list_all(database, "acme")
    return [(each.scope, each.holder, each.api_role, each.kubernetes_role, each.origins) for each in found]


def _sizes(database: Database) -> dict[str, int]:
    tables = ("change_row", "audit_entry", "rule_set", "mapping_rule", "access_grant", "grant_origin")
    return {table: count(database, table) for table in tables}
