"""Units, projects and services: made once, moved without cycles, and never two owners of one namespace."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import tree
from scim_bridge.identity.tree import NewProject
from scim_bridge.store.database import Database
from tests.identity.rows import count, put_cluster


def test_units_nest_and_are_listed_by_path(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "production", EnvironmentType.PRODUCTION)
    tree.create_unit(database, actor, "acme", "production/payments")
    tree.create_unit(database, actor, "acme", "staging", EnvironmentType.STAGING)

    found = [(each.path, each.environment_type) for each in tree.list_units(database, "acme")]

    assert found == [
        ("production", EnvironmentType.PRODUCTION),
        ("production/payments", None),
        ("staging", EnvironmentType.STAGING),
    ]


def test_the_same_unit_again_changes_nothing(database: Database, actor: Actor) -> None:
    first = tree.create_unit(database, actor, "acme", "production", EnvironmentType.PRODUCTION)
    changes = count(database, "change_row")

    second = tree.create_unit(database, actor, "acme", "production")

    assert (second.id, second.created, count(database, "change_row")) == (first.id, False, changes)


def test_a_unit_of_another_type_is_a_conflict(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "production", EnvironmentType.PRODUCTION)

    with pytest.raises(Conflict, match="is production"):
        tree.create_unit(database, actor, "acme", "production", EnvironmentType.STAGING)


def test_units_nest_eight_deep_and_no_deeper(database: Database, actor: Actor) -> None:
    path = "a"
    tree.create_unit(database, actor, "acme", path)
    for _ in range(7):
        path += "/a"
        tree.create_unit(database, actor, "acme", path)

    with pytest.raises(Refused, match="at most 8 deep"):
        tree.create_unit(database, actor, "acme", f"{path}/a")

    assert len(tree.list_units(database, "acme")) == 8


def test_a_project_reaches_the_clusters_of_its_unit_or_those_it_lists(database: Database, actor: Actor) -> None:
    _units(database, actor, "production")
    put_cluster(database, "prod-eu", unit="production")
    put_cluster(database, "shared")

    own = tree.create_project(database, actor, "acme", NewProject("shop", "production", ("shop-web",)))
    listed = tree.create_project(
        database, actor, "acme", NewProject("jobs", "production", (), ("team=jobs",), ("shared",))
    )

    assert (own.clusters, own.listed, own.namespaces) == (("prod-eu",), (), ("shop-web",))
    assert (listed.clusters, listed.selectors) == (("shared",), ("team=jobs",))


def test_the_same_project_again_changes_nothing_and_another_is_a_conflict(database: Database, actor: Actor) -> None:
    wanted = NewProject("shop", None, ("shop-web", "shop-db"))
    first = tree.create_project(database, actor, "acme", wanted)
    changes = count(database, "change_row")

    second = tree.create_project(database, actor, "acme", NewProject("shop", None, ("shop-db", "shop-web")))
    with pytest.raises(Conflict, match="exists already"):
        tree.create_project(database, actor, "acme", NewProject("shop", None, ("other",)))

    assert (second.id, second.created, count(database, "change_row")) == (first.id, False, changes)


@pytest.mark.parametrize("namespace", ["kube-system", "default", "Upper", "a_b", ""])
def test_no_project_gets_a_namespace_that_none_may_have(database: Database, actor: Actor, namespace: str) -> None:
    with pytest.raises(Invalid, match="namespace"):
        tree.create_project(database, actor, "acme", NewProject("shop", None, (namespace,)))

    assert tree.list_projects(database, "acme") == []


@pytest.mark.parametrize("selector", ["team", "team in (a,b)", "=x"])
def test_a_selector_must_be_made_of_equalities(database: Database, actor: Actor, selector: str) -> None:
    with pytest.raises(Invalid):
        tree.create_project(database, actor, "acme", NewProject("shop", None, (), (selector,)))


def test_one_namespace_has_one_project_on_a_cluster(database: Database, actor: Actor) -> None:
    put_cluster(database, "shared")
    tree.create_project(database, actor, "acme", NewProject("shop", None, ("web",)))

    with pytest.raises(Conflict, match="belongs to the project shop"):
        tree.create_project(database, actor, "acme", NewProject("jobs", None, ("web",)))


def test_two_projects_on_different_clusters_may_have_the_same_namespace(database: Database, actor: Actor) -> None:
    put_cluster(database, "prod-eu")
    put_cluster(database, "prod-us")
    tree.create_project(database, actor, "acme", NewProject("eu", None, ("web",), (), ("prod-eu",)))

    made = tree.create_project(database, actor, "acme", NewProject("us", None, ("web",), (), ("prod-us",)))

    assert made.created


def test_a_service_has_one_namespace_and_belongs_to_a_project(database: Database, actor: Actor) -> None:
    put_cluster(database, "shared")
    tree.create_project(database, actor, "acme", NewProject("shop"))
    tree.create_project(database, actor, "acme", NewProject("jobs"))

    first = tree.create_service(database, actor, "acme", "shop", "web", "shop-web")
    again = tree.create_service(database, actor, "acme", "shop", "web", "shop-web")

    assert again == first
    assert [each.services for each in tree.list_projects(database, "acme")] == [(), ("web",)]
    with pytest.raises(Conflict, match="with the namespace shop-web"):
        tree.create_service(database, actor, "acme", "shop", "web", "other")
    with pytest.raises(Conflict, match="belongs to the project shop"):
        tree.create_service(database, actor, "acme", "jobs", "web", "shop-web")
    with pytest.raises(NotFound, match="no project"):
        tree.create_service(database, actor, "acme", "nowhere", "web", "x")


def _units(database: Database, actor: Actor, *paths: str) -> None:
    for path in paths:
        tree.create_unit(database, actor, "acme", path)
