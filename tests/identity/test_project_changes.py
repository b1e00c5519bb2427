"""Projects and services that are there already: moved, given other namespaces, renamed and deleted, as was shown."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import grants, rules, tree
from scim_bridge.identity.project_changes import (
    ChangeProject,
    DeleteProject,
    DeleteService,
    MoveProject,
    RenameProject,
    RenameService,
)
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.store.database import Database
from tests.identity.company import ANA, BOB, do, found_company, give, look, shown
from tests.identity.provider import HANDS, removals, rows
from tests.identity.rows import count, put_cluster


@pytest.fixture
def acme(database: Database) -> Database:
    """Give Bob the project shop, which has a service too."""
    found_company(database)
    tree.create_service(database, HANDS, "acme", "shop", "db", "shop-db")
    give(database, "project:shop", BOB, kubernetes="edit")
    return database


def project(database: Database, name: str = "shop") -> tree.ProjectView:
    return next(each for each in tree.list_projects(database, "acme") if each.name == name)


def test_a_moved_project_takes_its_peoples_access_to_the_clusters_of_its_new_unit(acme: Database) -> None:
    seen = look(acme, MoveProject("shop", "staging"))

    done = do(acme, MoveProject("shop", "staging"), seen.hash)

    assert done == seen
    assert shown(done.loses) == {BOB: ["edit in shop-db on prod-eu", "edit in shop-web on prod-eu"]}
    assert shown(done.gains) == {
        BOB: ["API role admin at project:shop", "edit in shop-db on stage", "edit in shop-web on stage"]
    }
    assert (project(acme).unit, project(acme).clusters) == ("staging", ("stage",))
    assert [cause for _, cause, _ in removals(acme)] == ["membership"]


def test_a_project_that_lists_its_clusters_keeps_them_when_it_moves(acme: Database) -> None:
    do(acme, ChangeProject("shop", clusters=("prod-eu",)))

    done = do(acme, MoveProject("shop", "staging"))

    assert done.loses == ()
    assert shown(done.gains) == {BOB: ["API role admin at project:shop"]}
    assert project(acme).clusters == ("prod-eu",)


def test_a_project_does_not_move_onto_a_namespace_of_another(acme: Database) -> None:
    tree.create_project(acme, HANDS, "acme", NewProject("other", "staging", ("shop-db",)))

    with pytest.raises(Conflict, match="shop-db belongs to the project other"):
        look(acme, MoveProject("shop", "staging"))


def test_a_project_that_is_there_already_does_not_move(acme: Database) -> None:
    changes = count(acme, "change_row")

    done = carry_out(acme, HANDS, "acme", MoveProject("shop", "production"))

    assert (done.changed, count(acme, "change_row")) == (False, changes)


def test_other_namespaces_are_previewed_to_the_namespace(acme: Database) -> None:
    change = ChangeProject("shop", namespaces=("shop-web", "shop-api"))

    done = do(acme, change)

    assert (done.loses, shown(done.gains)) == ((), {BOB: ["edit in shop-api on prod-eu"]})
    assert project(acme).namespaces == ("shop-web", "shop-api")


def test_a_namespace_that_stays_keeps_its_since_and_one_that_goes_is_remembered(acme: Database) -> None:
    (before,) = rows(acme, "project_namespace")

    do(acme, ChangeProject("shop", namespaces=("shop-web", "shop-api")))
    do(acme, ChangeProject("shop", namespaces=("shop-web",)))

    kept, gone = rows(acme, "project_namespace")
    assert kept == before
    assert gone["namespace"] == "shop-api"
    assert gone["valid_to"] is not None


def test_what_is_left_out_of_a_change_stays_as_it_is(acme: Database) -> None:
    put_cluster(acme, "shared")
    do(acme, ChangeProject("shop", selectors=("team=shop",), clusters=("shared",)))

    do(acme, ChangeProject("shop", clusters=()))

    assert (project(acme).namespaces, project(acme).selectors) == (("shop-web",), ("team=shop",))
    assert (project(acme).listed, project(acme).clusters) == ((), ("prod-eu",))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ChangeProject("shop", namespaces=("kube-system",)), Invalid),
        (ChangeProject("shop", selectors=("team",)), Invalid),
        (ChangeProject("shop", clusters=("nowhere",)), NotFound),
        (ChangeProject("nothing", namespaces=()), NotFound),
        (ChangeProject("shop", namespaces=("taken",)), Conflict),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(acme: Database, change: ChangeProject, error: type[Exception]) -> None:
    tree.create_project(acme, HANDS, "acme", NewProject("other", "production", ("taken",)))
    before = project(acme)

    with pytest.raises(error):
        do(acme, change)

    assert project(acme) == before


def test_a_deleted_project_takes_services_and_grants_with_it_as_it_was_shown(acme: Database) -> None:
    give(acme, "service:shop/db", ANA, kubernetes="view")

    done = do(acme, DeleteProject("shop"))

    assert shown(done.loses) == {
        ANA: ["view in shop-db on prod-eu"],
        BOB: ["edit in shop-db on prod-eu", "edit in shop-web on prod-eu"],
    }
    assert tree.list_projects(acme, "acme") == []
    assert [each.scope for each in grants.list_all(acme, "acme")] == ["unit:production", "unit:staging"]
    assert len(removals(acme)) == 2
    assert tree.create_project(acme, HANDS, "acme", NewProject("shop", "staging", ("shop-web",))).created


@pytest.mark.parametrize("scope", ["project:shop", "service:shop/db"])
def test_a_project_that_a_rule_names_is_not_deleted(acme: Database, actor: Actor, scope: str) -> None:
    apply_rule(acme, actor, scope)

    with pytest.raises(Refused, match=f"{scope} is named by ops"):
        look(acme, DeleteProject("shop"))


def test_rules_follow_a_renamed_project_and_its_services(acme: Database, actor: Actor) -> None:
    apply_rule(acme, actor, "service:shop/db")

    done = do(acme, RenameProject("shop", "store"))
    again = do(acme, RenameService("store", "db", "data"))

    assert (done.gains, done.loses, again.becomes) == ((), (), "service:store/data")
    assert rules.in_force(acme, "acme").rules[0].scope == "service:store/data"
    assert (project(acme, "store").services, project(acme, "store").namespaces) == (("data",), ("shop-web",))


def test_a_taken_name_is_a_conflict(acme: Database) -> None:
    tree.create_project(acme, HANDS, "acme", NewProject("other"))
    tree.create_service(acme, HANDS, "acme", "shop", "web", "shop-web")

    with pytest.raises(Conflict, match="a project other"):
        do(acme, RenameProject("shop", "other"))
    with pytest.raises(Conflict, match="a service shop/web"):
        do(acme, RenameService("shop", "db", "web"))


def test_the_namespace_of_a_deleted_service_goes_unless_the_project_has_it_itself(acme: Database) -> None:
    tree.create_service(acme, HANDS, "acme", "shop", "web", "shop-web")

    of_project = do(acme, DeleteService("shop", "web"))
    of_service = do(acme, DeleteService("shop", "db"))

    assert (of_project.loses, of_project.becomes) == ((), None)
    assert shown(of_service.loses) == {BOB: ["edit in shop-db on prod-eu"]}
    assert project(acme).services == ()


def apply_rule(database: Database, actor: Actor, scope: str) -> None:
    rule = {"name": "ops", "directory": "okta", "group": "Ops", "scope": scope, "kubernetes_role": "view"}
    rules.apply(database, actor, "acme", {"rules": [rule]})
