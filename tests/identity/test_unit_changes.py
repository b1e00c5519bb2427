"""Units that are there already: renamed, retyped, moved and deleted, with what that does to people shown before."""

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.errors import BridgeError, Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import grants, rules, tree
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.identity.unit_changes import DeleteUnit, MoveUnit, RenameUnit, RetypeUnit
from scim_bridge.store.database import Database
from scim_bridge.store.schema import fact
from tests.identity.company import ANA, BOB, do, found_company, give, look, role_on, shown
from tests.identity.provider import HANDS, actions, removals, rows
from tests.identity.rows import count, put_cluster

TABLES = ("unit", "audit_entry", "change_row", "fact", "removal_request", "access_grant")


def test_a_moved_unit_keeps_its_id_and_its_history(database: Database, actor: Actor) -> None:
    _units(database, actor, "production", "staging", "production/payments")
    unit = next(each for each in tree.list_units(database, "acme") if each.path == "production/payments")

    moved = carry_out(database, actor, "acme", MoveUnit("production/payments", "staging"))

    assert moved.becomes == "unit:staging/payments"
    assert [each.id for each in tree.list_units(database, "acme") if each.path == "staging/payments"] == [unit.id]
    with database.read() as connection:
        parents = connection.execute(
            sa.select(fact.c.valid_to.is_(None)).where(fact.c.object_id == unit.id).order_by(fact.c.valid_from)
        ).scalars()
        assert list(map(bool, parents)) == [False, True]


@pytest.mark.parametrize(
    ("path", "to", "error"),
    [
        ("production", "production", Refused),
        ("production", "production/payments", Refused),
        ("production/payments", "staging", Conflict),
        ("nowhere", "staging", NotFound),
        ("production", "nowhere", NotFound),
        ("", "staging", Invalid),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(
    database: Database, actor: Actor, path: str, to: str, error: type[BridgeError]
) -> None:
    _units(database, actor, "production", "production/payments", "staging", "staging/payments")
    before = tree.list_units(database, "acme")

    with pytest.raises(error):
        carry_out(database, actor, "acme", MoveUnit(path, to))

    assert tree.list_units(database, "acme") == before


def test_a_move_counts_the_depth_of_what_is_below(database: Database, actor: Actor) -> None:
    _units(database, actor, "a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "x", "x/y", "x/y/z", "x/y/z/w")

    with pytest.raises(Refused, match="at most 8 deep"):
        carry_out(database, actor, "acme", MoveUnit("a", "x/y/z/w"))

    assert carry_out(database, actor, "acme", MoveUnit("a/b/c", "x/y/z/w")).becomes == "unit:x/y/z/w/c"


def test_a_move_to_where_it_is_changes_nothing(database: Database, actor: Actor) -> None:
    _units(database, actor, "production", "production/payments")
    changes = count(database, "change_row")

    moved = carry_out(database, actor, "acme", MoveUnit("production/payments", "production"))

    assert (moved.changed, count(database, "change_row")) == (False, changes)


def test_the_preview_of_a_move_names_who_gains_and_loses_what_and_writes_nothing(database: Database) -> None:
    found_company(database)
    before = [rows(database, table) for table in TABLES]

    seen = look(database, MoveUnit("production", "staging"))

    assert shown(seen.gains) == {
        BOB: ["API role admin at unit:production", "view in cluster prod-eu"],
    }
    assert seen.loses == ()
    assert (seen.place, seen.becomes) == ("unit:production", "unit:staging/production")
    assert [rows(database, table) for table in TABLES] == before


def test_what_alters_access_is_not_done_unseen_and_is_done_as_it_was_seen(database: Database) -> None:
    found_company(database)
    move = MoveUnit("production", "staging")
    seen = look(database, move)

    with pytest.raises(Conflict, match="That changes people's access"):
        carry_out(database, HANDS, "acme", move)
    assert role_on(database, BOB, "prod-eu") is None
    done = do(database, move, seen.hash[:12])

    assert done == seen
    assert role_on(database, BOB, "prod-eu") == "view"


def test_a_move_whose_base_has_changed_is_refused_with_the_new_preview(database: Database) -> None:
    found_company(database)
    move = MoveUnit("production", "staging")
    seen = look(database, move).hash
    give(database, "unit:staging", ANA, api="developer")

    with pytest.raises(Conflict) as caught:
        do(database, move, seen)

    assert "API role developer at unit:production" in str(caught.value)
    assert look(database, move).hash[:12] in str(caught.value)
    assert [each.path for each in tree.list_units(database, "acme")] == ["production", "staging"]


def test_exactly_the_losses_of_a_move_are_removals_that_were_asked_for(database: Database) -> None:
    found_company(database)
    tree.create_unit(database, HANDS, "acme", "production/eu")
    put_cluster(database, "prod-us", unit="production/eu")

    done = do(database, MoveUnit("production/eu", None))

    assert shown(done.loses) == {ANA: ["edit in cluster prod-us"]}
    assert done.gains == ()
    assert [cause for _, cause, _ in removals(database)] == ["membership"]
    assert [each.member_id for each in done.loses] == [member for member, _, _ in removals(database)]


def test_a_renamed_unit_takes_the_rules_that_name_it_along(database: Database, actor: Actor) -> None:
    okta = found_company(database)
    okta.post_group("Ops", okta.post("eve@acme.example").id)
    ops = {"name": "ops", "directory": "okta", "scope": "unit:production", "parent": "organization"}
    rules.apply(database, actor, "acme", {"rules": [ops | {"group": "Ops", "kubernetes_role": "view"}]})

    renamed = carry_out(database, actor, "acme", RenameUnit("production", "live"))

    assert (renamed.becomes, renamed.gains, renamed.loses) == ("unit:live", (), ())
    assert rules.in_force(database, "acme").rules[0].scope == "unit:live"
    assert role_on(database, "eve@acme.example", "prod-eu") == "view"


def test_a_name_that_is_taken_is_a_conflict(database: Database, actor: Actor) -> None:
    _units(database, actor, "production", "staging")

    with pytest.raises(Conflict, match="There is a unit staging"):
        carry_out(database, actor, "acme", RenameUnit("production", "staging"))


def test_a_unit_becomes_an_environment_of_another_type_and_none(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "lab", EnvironmentType.DEMO)

    carry_out(database, actor, "acme", RetypeUnit("lab", EnvironmentType.TESTING))
    testing = tree.list_units(database, "acme")[0].environment_type
    carry_out(database, actor, "acme", RetypeUnit("lab", None))

    assert (testing, tree.list_units(database, "acme")[0].environment_type) == (EnvironmentType.TESTING, None)
    assert actions(database).count("unit.retyped") == 2


@pytest.mark.parametrize("inside", ["unit", "project", "cluster"])
def test_a_unit_is_deleted_only_when_nothing_is_in_it(database: Database, actor: Actor, inside: str) -> None:
    _units(database, actor, "lab")
    match inside:
        case "unit":
            _units(database, actor, "lab/x")
        case "project":
            tree.create_project(database, actor, "acme", NewProject("x", "lab"))
        case _:
            put_cluster(database, "x", unit="lab")

    with pytest.raises(Refused, match=f"it holds {inside}:(lab/)?x"):
        carry_out(database, actor, "acme", DeleteUnit("lab"))

    assert "lab" in [each.path for each in tree.list_units(database, "acme")]


def test_a_deleted_unit_takes_its_grants_with_it_and_its_name_is_free_again(database: Database) -> None:
    found_company(database)
    _units(database, HANDS, "lab")
    give(database, "unit:lab", ANA, api="admin")

    done = do(database, DeleteUnit("lab"))
    tree.create_unit(database, HANDS, "acme", "lab")

    assert (done.becomes, shown(done.loses)) == (None, {ANA: ["API role admin at unit:lab"]})
    assert [each.scope for each in grants.list_all(database, "acme")] == ["unit:production", "unit:staging"]


def test_a_unit_that_a_rule_names_is_not_deleted(database: Database, actor: Actor) -> None:
    found_company(database)
    _units(database, actor, "lab")
    lab = {"name": "lab", "directory": "okta", "scope": "unit:lab", "parent": "organization"}
    rules.apply(database, actor, "acme", {"rules": [lab | {"group": "Lab", "api_role": "viewer"}]})

    with pytest.raises(Refused, match="unit:lab is named by lab"):
        carry_out(database, actor, "acme", DeleteUnit("lab"))


def _units(database: Database, actor: Actor, *paths: str) -> None:
    for path in paths:
        tree.create_unit(database, actor, "acme", path)
