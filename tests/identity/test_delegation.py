"""Who administers one unit: projects, environments and clusters in it, and nothing above it or beside it."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.errors import NotFound, Refused
from scim_bridge.identity import clusters, grants, organization_changes, roles, tree, tree_drafts
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.project_changes import ChangeProject, DeleteProject, MoveProject, RenameService
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import TreeDraft
from scim_bridge.identity.unit_changes import DeleteUnit, MoveUnit, RenameUnit, RetypeUnit
from scim_bridge.store.database import Database
from tests.identity.company import BOB, acting, found_company, give
from tests.identity.provider import HANDS


@pytest.fixture
def acme(database: Database) -> Database:
    """Found the company, with a unit that somebody administers."""
    found_company(database)
    tree.create_unit(database, HANDS, "acme", "team")
    return database


@pytest.fixture
def admin(acme: Database) -> Actor:
    """Return the admin of the unit team."""
    return acting(acme, "head", "admin", "unit:team")


def do(database: Database, actor: Actor, draft: TreeDraft) -> None:
    seen = tree_drafts.preview(database, actor, "acme", draft)
    tree_drafts.carry_out(database, actor, "acme", draft, seen.hash)


def test_the_admin_of_a_unit_makes_projects_services_and_units_in_it(acme: Database, admin: Actor) -> None:
    tree.create_unit(acme, admin, "acme", "team/lab", EnvironmentType.TESTING)
    tree.create_unit(acme, admin, "acme", "team/core")
    tree.create_project(acme, admin, "acme", NewProject("mine", "team/lab", ("mine-web",)))
    tree.create_service(acme, admin, "acme", "mine", "db", "mine-db")
    do(acme, admin, ChangeProject("mine", namespaces=("mine-web", "mine-api")))
    do(acme, admin, RenameService("mine", "db", "data"))
    do(acme, admin, RenameUnit("team/core", "kernel"))
    do(acme, admin, MoveProject("mine", "team/kernel"))
    do(acme, admin, MoveUnit("team/kernel", "team/lab"))
    do(acme, admin, DeleteProject("mine"))
    do(acme, admin, DeleteUnit("team/lab/kernel"))

    assert [each.path for each in tree.list_units(acme, "acme")] == ["production", "staging", "team", "team/lab"]


def test_the_admin_of_a_unit_grants_in_it_and_nowhere_else(acme: Database, admin: Actor) -> None:
    grants.add(acme, admin, "acme", GrantWanted("unit:team", person=BOB, api_role="developer", kubernetes_role="edit"))

    for scope in ("organization", "unit:production", "cluster:prod-eu"):
        with pytest.raises(Refused):
            grants.add(acme, admin, "acme", GrantWanted(scope, person=BOB, api_role="viewer"))


@pytest.mark.parametrize(
    "draft",
    [
        RenameUnit("production", "live"),
        RetypeUnit("production", None),
        MoveUnit("production", "team"),
        MoveUnit("team", "production"),
        MoveUnit("team/lab", None),
        DeleteUnit("staging"),
        MoveProject("shop", "team"),
        MoveProject("mine", "production"),
        ChangeProject("mine", clusters=("prod-eu",)),
        ChangeProject("shop", namespaces=()),
        DeleteProject("shop"),
        MoveCluster("prod-eu", "team"),
        ChangeCluster("prod-eu", name="mine"),
    ],
    ids=lambda draft: f"{draft.kind} {draft}"[:60],
)
def test_the_admin_of_a_unit_changes_nothing_above_or_beside_it(acme: Database, admin: Actor, draft: TreeDraft) -> None:
    tree.create_unit(acme, HANDS, "acme", "team/lab")
    tree.create_project(acme, HANDS, "acme", NewProject("mine", "team"))

    with pytest.raises(Refused, match="You lack the permission"):
        do(acme, admin, draft)


def test_the_admin_of_a_unit_makes_nothing_above_or_beside_it(acme: Database, admin: Actor) -> None:
    with pytest.raises(Refused):
        tree.create_unit(acme, admin, "acme", "other")
    with pytest.raises(Refused):
        tree.create_unit(acme, admin, "acme", "production/x", EnvironmentType.DEMO)
    with pytest.raises(Refused):
        tree.create_project(acme, admin, "acme", NewProject("x", "production"))
    with pytest.raises(Refused):
        # Listing a cluster of another unit would be a way to reach it.
        tree.create_project(acme, admin, "acme", NewProject("x", "team", ("web",), (), ("prod-eu",)))
    with pytest.raises(Refused):
        tree.create_service(acme, admin, "acme", "shop", "db", "shop-db")
    with pytest.raises(Refused):
        organization_changes.set_up(acme, admin, "acme", name="Mine")
    with pytest.raises(Refused):
        organization_changes.delete(acme, admin, "acme", "acme")
    with pytest.raises(Refused):
        clusters.remove(acme, admin, "acme", "prod-eu")


def test_the_admin_of_a_unit_sees_what_is_theirs(acme: Database, admin: Actor) -> None:
    tree.create_project(acme, HANDS, "acme", NewProject("mine", "team"))

    assert [each.path for each in tree.list_units(acme, "acme", admin)] == ["team"]
    assert [each.name for each in tree.list_projects(acme, "acme", admin)] == ["mine"]
    assert clusters.list_all(acme, "acme", admin) == []
    with pytest.raises(Refused):
        clusters.show(acme, "acme", "prod-eu", admin)
    with pytest.raises(NotFound):
        tree.list_services(acme, "acme", "shop", admin)


def test_a_developer_makes_and_deletes_environments_and_no_other_units(acme: Database) -> None:
    developer = acting(acme, "dev", "developer")

    tree.create_unit(acme, developer, "acme", "demo", EnvironmentType.DEMO)
    do(acme, developer, DeleteUnit("demo"))

    with pytest.raises(Refused, match="organization:units:write"):
        tree.create_unit(acme, developer, "acme", "department")
    with pytest.raises(Refused, match="organization:units:write"):
        do(acme, developer, DeleteUnit("team"))
    with pytest.raises(Refused, match="organization:units:write"):
        do(acme, developer, RetypeUnit("team", EnvironmentType.DEMO))


def test_a_developer_deletes_no_environment_that_holds_a_cluster_or_a_grant(acme: Database) -> None:
    developer = acting(acme, "dev", "developer")
    tree.create_unit(acme, developer, "acme", "demo", EnvironmentType.DEMO)
    give(acme, "unit:demo", BOB, kubernetes="view")

    with pytest.raises(Refused, match="it holds cluster:stage"):
        do(acme, developer, DeleteUnit("staging"))
    with pytest.raises(Refused, match="organization:permissions:write"):
        do(acme, developer, DeleteUnit("demo"))


def test_nobody_gives_themselves_anything_by_a_move(acme: Database) -> None:
    roles.put(acme, HANDS, "acme", "mover", ["organization:units:write", "environments:read"])
    mover = acting(acme, "mover", "mover")
    give(acme, "unit:team", "mover@acme.example", api="admin")
    tree.create_unit(acme, HANDS, "acme", "empty")

    with pytest.raises(Refused, match="Nobody grants what they do not hold"):
        do(acme, mover, MoveProject("shop", "team"))
    with pytest.raises(Refused, match="Nobody grants what they do not hold"):
        do(acme, mover, MoveUnit("production", "team"))
    do(acme, mover, MoveUnit("production", "empty"))

    assert "empty/production" in [each.path for each in tree.list_units(acme, "acme")]


def test_whoever_may_only_update_a_cluster_renames_it_and_decides_about_nobodys_access(acme: Database) -> None:
    developer = acting(acme, "dev", "developer")

    do(acme, developer, ChangeCluster("stage", name="stage-eu"))

    for change in (
        ChangeCluster("stage-eu", allow_cluster_admin=True),
        ChangeCluster("stage-eu", user_template="{email}"),
        ChangeCluster("stage-eu", allow_label_selectors=True),
    ):
        with pytest.raises(Refused, match="organization:permissions:write"):
            do(acme, developer, change)
