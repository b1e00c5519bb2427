"""Grants by hand: who, where, what; what is refused; and what an asked-for removal leaves behind."""

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryKind, GroupId
from scim_bridge.errors import BridgeError, Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import directories, grants, mapping, organizations, rules, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.tree import NewProject
from scim_bridge.store.database import Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.people import find_groups
from scim_bridge.store.schema import removal_request
from tests.identity.rows import (
    begin,
    count,
    directory_id,
    nest,
    organization_id,
    put_cluster,
    put_group,
    put_membership,
    put_user,
)


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    """Give acme an owner, a cluster, a project, a group and a person in it."""
    organizations.create(database, actor, "acme", owner="owner@example.com")
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    tree.create_unit(database, actor, "acme", "production")
    put_cluster(database, "prod-eu", "production")
    tree.create_project(database, actor, "acme", NewProject("shop", "production", ("shop-web",)))
    tree.create_service(database, actor, "acme", "shop", "web", "shop-web")
    with database.write() as connection:
        change = begin(connection)
        _, ana = put_user(connection, change, "ana@example.com", directory_id(connection))
        group = put_group(connection, change, "Payments", directory_id(connection))
        put_membership(connection, change, group, ana)


@pytest.mark.parametrize(
    "scope", ["organization", "unit:production", "project:shop", "service:shop/web", "cluster:prod-eu"]
)
def test_a_person_is_granted_a_role_at_every_kind_of_scope(database: Database, actor: Actor, scope: str) -> None:
    made = grants.add(database, actor, "acme", GrantWanted(scope, person="ANA@example.com", kubernetes_role="edit"))

    assert (made.holder, made.scope, made.kubernetes_role, made.changed) == ("ana@example.com", scope, "edit", True)
    assert made.origins == ("manual by tests",)


def test_granting_again_changes_nothing(database: Database, actor: Actor) -> None:
    wanted = GrantWanted("cluster:prod-eu", group="Payments", kubernetes_role="edit")
    first = grants.add(database, actor, "acme", wanted)
    before = count(database, "change_row")

    second = grants.add(database, actor, "acme", wanted)

    assert (second.id, second.changed, count(database, "change_row")) == (first.id, False, before)


@pytest.mark.parametrize(
    ("wanted", "error", "sentence"),
    [
        (GrantWanted("organization", kubernetes_role="edit"), Invalid, "one person or for one group"),
        (GrantWanted("organization", person="a", group="b", kubernetes_role="edit"), Invalid, "one person"),
        (GrantWanted("organization", person="ana@example.com"), Invalid, "an API role, a Kubernetes role"),
        (GrantWanted("moon", person="ana@example.com", api_role="viewer"), Invalid, "is not a scope"),
        (GrantWanted("unit:moon", person="ana@example.com", api_role="viewer"), NotFound, "There is no unit:moon"),
        (GrantWanted("cluster:moon", person="ana@example.com", api_role="viewer"), NotFound, "no cluster:moon"),
        (GrantWanted("organization", person="bob", api_role="viewer"), NotFound, "no person 'bob'"),
        (GrantWanted("organization", group="Moon", api_role="viewer"), NotFound, "no group 'Moon'"),
        (GrantWanted("organization", person="ana@example.com", api_role="king"), Invalid, "no API role 'king'"),
        (GrantWanted("organization", person="ana@example.com", kubernetes_role="root"), Invalid, "'root'"),
        (GrantWanted("organization", group="Payments", api_role="owner"), Refused, "never to a group"),
        (GrantWanted("unit:production", person="ana@example.com", api_role="owner"), Invalid, "nowhere below"),
        (
            GrantWanted("project:shop", person="ana@example.com", kubernetes_role="cluster-admin"),
            Invalid,
            "not grantable at a project",
        ),
        (
            GrantWanted("service:shop/web", person="ana@example.com", kubernetes_role="cluster-admin"),
            Invalid,
            "not grantable at a project",
        ),
    ],
)
def test_a_grant_that_cannot_be_is_one_sentence_and_changes_nothing(
    database: Database, actor: Actor, wanted: GrantWanted, error: type[BridgeError], sentence: str
) -> None:
    before = (count(database, "change_row"), grants.list_all(database, "acme"))

    with pytest.raises(error, match=sentence):
        grants.add(database, actor, "acme", wanted)

    assert (count(database, "change_row"), grants.list_all(database, "acme")) == before


def test_a_grant_taken_away_asks_for_removal_from_everybody_in_the_group(database: Database, actor: Actor) -> None:
    wanted = GrantWanted("cluster:prod-eu", group="Payments", kubernetes_role="edit")
    with database.write() as connection:
        change = begin(connection)
        inner = put_group(connection, change, "Inner", directory_id(connection))
        _, bob = put_user(connection, change, "bob@example.com", directory_id(connection))
        put_membership(connection, change, inner, bob)
        outer = next(iter(_group_ids(database, "Payments")))
        nest(connection, change, outer, inner)
    grants.add(database, actor, "acme", wanted)

    left = grants.remove(database, actor, "acme", wanted)

    assert (left, count(database, "removal_request")) == ((), 2)
    with database.read() as connection:
        causes = set(connection.execute(sa.select(removal_request.c.cause)).scalars())
        extents = set(connection.execute(sa.select(removal_request.c.extent)).scalars())
    assert causes == {"grant"}
    assert all('"cluster"' in extent for extent in extents)


def test_taking_an_api_role_away_asks_nothing_of_clusters(database: Database, actor: Actor) -> None:
    wanted = GrantWanted("organization", person="ana@example.com", api_role="viewer")
    grants.add(database, actor, "acme", wanted)

    grants.remove(database, actor, "acme", wanted)

    assert count(database, "removal_request") == 0
    assert [each.holder for each in grants.list_all(database, "acme")] == ["owner@example.com"]


def test_a_grant_that_a_rule_gives_as_well_stays(database: Database, actor: Actor) -> None:
    row = {
        "name": "payments",
        "directory": "okta",
        "group": "Payments",
        "scope": "cluster:prod-eu",
        "kubernetes_role": "edit",
    }
    rules.apply(database, actor, "acme", {"rules": [row]})
    wanted = GrantWanted("cluster:prod-eu", group="Payments", kubernetes_role="edit")
    added = grants.add(database, actor, "acme", wanted)

    left = grants.remove(database, actor, "acme", wanted)

    assert sorted(added.origins) == ["manual by tests", "rule payments"]
    assert left == ("rule payments",)
    assert count(database, "removal_request") == 0


def test_what_only_a_rule_gives_cannot_be_taken_away_by_hand(database: Database, actor: Actor) -> None:
    row = {
        "name": "payments",
        "directory": "okta",
        "group": "Payments",
        "scope": "cluster:prod-eu",
        "kubernetes_role": "edit",
    }
    rules.apply(database, actor, "acme", {"rules": [row]})

    with pytest.raises(NotFound, match="goes with its rule"):
        grants.remove(database, actor, "acme", GrantWanted("cluster:prod-eu", group="Payments", kubernetes_role="edit"))


def test_the_last_working_owner_stays(database: Database, actor: Actor) -> None:
    first = GrantWanted("organization", person="owner@example.com", api_role="owner")
    second = GrantWanted("organization", person="ana@example.com", api_role="owner")

    with pytest.raises(Refused, match="last working owner"):
        grants.remove(database, actor, "acme", first)
    grants.add(database, actor, "acme", second)
    grants.remove(database, actor, "acme", first)

    assert organizations.show(database, "acme").owners == ("ana@example.com",)
    with pytest.raises(Refused, match="last working owner"):
        grants.remove(database, actor, "acme", second)


def test_a_name_of_two_groups_must_say_which(database: Database, actor: Actor) -> None:
    directories.create(database, actor, "acme", "entra", DirectoryKind.ENTRA)
    with database.write() as connection:
        put_group(connection, begin(connection), "Payments", directory_id(connection, "entra"))

    with pytest.raises(Conflict, match="say which"):
        grants.add(database, actor, "acme", GrantWanted("organization", group="Payments", api_role="viewer"))
    made = grants.add(database, actor, "acme", GrantWanted("organization", group="okta/Payments", api_role="viewer"))

    assert made.holder == "Payments"


def test_the_scopes_that_groups_give_include_those_of_groups_above_them(database: Database, actor: Actor) -> None:
    with database.write() as connection:
        change = begin(connection)
        outer = put_group(connection, change, "Outer", directory_id(connection))
        inner = put_group(connection, change, "Inner", directory_id(connection))
        nest(connection, change, outer, inner)
        nest(connection, change, inner, outer)
        mapping.groups_changed(connection, change, [outer, inner])
    grants.add(database, actor, "acme", GrantWanted("cluster:prod-eu", group="Outer", kubernetes_role="edit"))
    grants.add(database, actor, "acme", GrantWanted("organization", group="Outer", api_role="viewer"))

    with database.read() as connection:
        given = scopes_given(connection, [inner])

    assert [scope.kind for scope in given] == ["cluster"]


def _group_ids(database: Database, name: str) -> set[GroupId]:
    with database.read() as connection:
        return {each.id for each in find_groups(connection, organization_id(connection), name)}
