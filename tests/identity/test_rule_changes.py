"""A rule change does what its preview said, byte for byte, or nothing; what nobody previewed may not reach far."""

from collections.abc import Mapping
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.effects import effects
from scim_bridge.errors import Invalid, NotFound, PreviewOutdated
from scim_bridge.identity import organizations, rule_changes, rule_drafts, rules
from scim_bridge.identity.rule_changes import RulePreview, of_document
from scim_bridge.store.database import Database
from scim_bridge.store.schema import cluster
from tests.identity.provider import actions, rows
from tests.identity.rows import (
    begin,
    count,
    directory_id,
    put_membership,
    put_user,
)
from tests.identity.rule_worlds import VIEW, everything, make_world, rule_rows


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    make_world(database, actor)


def look(database: Database, actor: Actor, *rows_: Mapping[str, object]) -> RulePreview:
    return rule_changes.preview(database, actor, "acme", of_document({"rules": list(rows_)}))


def do(database: Database, actor: Actor, *rows_: Mapping[str, object], seen: str | None = None) -> RulePreview:
    hash_ = seen or look(database, actor, *rows_).hash
    return rule_changes.apply_seen(database, actor, "acme", of_document({"rules": list(rows_)}), hash_)


def contents(database: Database) -> list[list[dict[str, object]]]:
    tables = ("rule_set", "mapping_rule", "access_grant", "grant_origin", "change_row", "audit_entry", "plan")
    return [rows(database, table) for table in tables]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(rule_rows(), min_size=2, max_size=3))
def test_what_applying_does_is_the_preview_byte_for_byte(
    database: Database, actor: Actor, steps: list[list[dict[str, object]]]
) -> None:
    for step in steps:
        before, rows_before = everything(database), contents(database)

        seen = look(database, actor, *step)
        untouched = contents(database)
        made = do(database, actor, *step, seen=seen.hash)

        assert untouched == rows_before
        assert made.effects.canonical == seen.effects.canonical
        assert made.effects.canonical == effects(before, everything(database)).canonical
        assert asdict(made) == asdict(seen)


def test_a_preview_names_each_person_grant_and_binding(database: Database, actor: Actor) -> None:
    seen = look(database, actor, VIEW | {"group": "gamma"})

    gains = seen.effects.gains
    assert [(each.holder, each.scope, each.api_role, each.kubernetes_role, each.origin) for each in gains.grants] == [
        ("gamma", "unit:production", "viewer", "view", "rule view")
    ]
    assert gains.by_person["p10@acme.example"] == [
        "API role viewer at unit:production",
        "view in cluster mail",
        "view in cluster prod",
    ]
    assert {(each.cluster, each.subject) for each in gains.bindings if each.person == "p10@acme.example"} == {
        ("prod", "oidc:p10@acme.example"),
        ("mail", "p10@acme.example"),
    }
    assert seen.effects.losses.bindings == ()
    assert gains.memberships == ()


def test_a_change_whose_base_changed_is_refused_with_the_new_preview(database: Database, actor: Actor) -> None:
    seen = look(database, actor, VIEW)
    rules.apply(database, actor, "acme", {"rules": [VIEW | {"name": "other", "group": "gamma"}]})
    before = contents(database)

    with pytest.raises(PreviewOutdated) as caught:
        do(database, actor, VIEW, seen=seen.hash)

    assert caught.value.preview == look(database, actor, VIEW)
    assert caught.value.preview.hash[:12] in str(caught.value)
    assert contents(database) == before


def test_a_person_who_joined_meanwhile_makes_it_another_change(database: Database, actor: Actor) -> None:
    seen = look(database, actor, VIEW)
    with database.write() as connection:
        change = begin(connection)
        _, member_id = put_user(connection, change, "late@acme.example", directory_id(connection))
        (group,) = [each["id"] for each in rows(database, "user_group", display_name="alpha")][:1]
        put_membership(connection, change, group, member_id)

    with pytest.raises(PreviewOutdated) as caught:
        do(database, actor, VIEW, seen=seen.hash)

    assert "late@acme.example" in caught.value.preview.effects.gains.by_person


def test_the_hash_of_one_file_does_not_apply_another(database: Database, actor: Actor) -> None:
    seen = look(database, actor, VIEW | {"group": "nobody"})

    with pytest.raises(PreviewOutdated):
        do(database, actor, VIEW | {"group": "nobody either"}, seen=seen.hash)


@pytest.mark.parametrize("seen", ["", "abc", "0" * 64])
def test_a_hash_that_nobody_was_shown_applies_nothing(database: Database, actor: Actor, seen: str) -> None:
    with pytest.raises(PreviewOutdated):
        rule_changes.apply_seen(database, actor, "acme", of_document({"rules": [VIEW]}), seen)

    assert rules.in_force(database, "acme").rules == ()


def test_rules_that_are_so_already_change_nothing_and_agree_to_nothing(database: Database, actor: Actor) -> None:
    do(database, actor, VIEW)
    before = contents(database)

    again = do(database, actor, VIEW)

    assert (again.is_empty, again.base_version, again.version) == (True, 1, 1)
    assert contents(database) == before


def test_applying_lets_clusters_take_exactly_what_was_listed(database: Database, actor: Actor) -> None:
    do(database, actor, VIEW)

    made = do(database, actor)

    agreed = rows(database, "plan")
    assert {row["reason"] for row in agreed} == {"preview"}
    assert sum(row["removals"] for row in agreed) == len(made.effects.losses.bindings) > 0
    assert {row["hash"] for row in agreed} == {made.hash}
    assert "rules.agreed" in actions(database)


def test_what_nobody_previewed_and_reaches_few_is_applied_and_agrees_to_nothing(
    database: Database, actor: Actor
) -> None:
    made = rule_changes.apply_unseen(database, actor, "acme", of_document({"rules": [VIEW]}))

    assert (made.applied, made.draft, made.preview.version) == (True, None, 1)
    assert count(database, "plan") == 0


def test_what_nobody_previewed_and_reaches_many_waits_as_a_draft(database: Database, actor: Actor) -> None:
    wish = of_document({"rules": [VIEW]})
    few = BrakeLimits(subjects=2, percent=10)

    made = rule_changes.apply_unseen(database, actor, "acme", wish, few)

    assert (made.applied, made.draft) == (False, "held")
    assert "at most 2 of 12 go unseen" in made.preview.waits[0]
    assert rules.in_force(database, "acme").rules == ()
    assert [row["held_because"] for row in rows(database, "rule_draft")] == [" ".join(made.preview.waits)]
    assert actions(database)[-1] == "rules.held"


def test_what_waits_is_approved_by_naming_its_preview(database: Database, actor: Actor) -> None:
    rule_changes.apply_unseen(database, actor, "acme", of_document({"rules": [VIEW]}), BrakeLimits(subjects=2))
    seen = rule_drafts.preview(database, actor, "acme", "held")

    rule_drafts.apply(database, actor, "acme", "held", seen.hash)

    assert [rule.name for rule in rules.in_force(database, "acme").rules] == ["view"]
    assert rule_drafts.list_all(database, "acme") == []


@pytest.mark.parametrize("role", [{"api_role": "admin"}, {"kubernetes_role": "cluster-admin"}])
def test_admin_rights_are_never_given_or_taken_unseen(
    database: Database, actor: Actor, role: dict[str, object]
) -> None:
    with database.write() as connection:
        connection.execute(cluster.update().values(allow_cluster_admin=True))
    row = VIEW | role | {"group": "gamma", "allow_privileged": True}

    held = rule_changes.apply_unseen(database, actor, "acme", of_document({"rules": [row]}))
    do(database, actor, row)
    back = rule_changes.apply_unseen(database, actor, "acme", of_document({"rules": []}))

    assert [each.applied for each in (held, back)] == [False, False]
    assert "gain admin rights" in held.preview.waits[-1]
    assert "lose admin rights" in back.preview.waits[-1]


def test_a_rule_that_cannot_be_is_refused_before_anything_is_written(database: Database, actor: Actor) -> None:
    before = contents(database)

    with pytest.raises(Invalid, match="names unit:nowhere"):
        look(database, actor, VIEW | {"scope": "unit:nowhere"})

    assert contents(database) == before


def test_whom_a_changed_rule_matches_in_vain_is_told(database: Database, actor: Actor) -> None:
    row = {"name": "teams", "directory": "okta", "group_pattern": "team-(?P<t>.+)", "scope": "unit:production/{t}"}

    seen = look(database, actor, row | {"kubernetes_role": "view", "allow_privileged": True})

    assert [(each.name, each.rule) for each in seen.unmapped] == [("team-shop", "teams")]


def test_another_organization_is_not_found_and_not_touched(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")

    with pytest.raises(NotFound):
        rule_changes.preview(database, actor, "nowhere", of_document({"rules": []}))
    with pytest.raises(Invalid, match="directory 'okta'"):
        rule_changes.preview(database, actor, "globex", of_document({"rules": [VIEW]}))
