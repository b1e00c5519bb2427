"""The tree as it is shown: everything in its place, counted, with the access that is given there or inherited."""

from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.identity import tree, tree_view
from scim_bridge.identity.tree_view import NodeView
from scim_bridge.store.database import Database
from tests.identity.company import ANA, BOB, found_company, give
from tests.identity.provider import HANDS, Provider
from tests.identity.rows import count


def nodes(database: Database) -> dict[str, NodeView]:
    return {each.scope: each for each in tree_view.show(database, "acme")}


def test_every_place_comes_before_what_lies_in_it(database: Database) -> None:
    found_company(database)
    tree.create_service(database, HANDS, "acme", "shop", "db", "shop-db")
    tree.create_unit(database, HANDS, "acme", "production/eu")

    found = tree_view.show(database, "acme")

    assert [(each.scope, each.depth) for each in found] == [
        ("organization", 0),
        ("unit:production", 1),
        ("unit:production/eu", 2),
        ("project:shop", 2),
        ("service:shop/db", 3),
        ("cluster:prod-eu", 2),
        ("unit:staging", 1),
        ("cluster:stage", 2),
    ]
    assert [each.name for each in found][:5] == ["acme", "production", "eu", "shop", "db"]
    assert found[1].environment_type is EnvironmentType.PRODUCTION


def test_a_node_counts_all_that_lies_below_it(database: Database) -> None:
    found_company(database)
    tree.create_unit(database, HANDS, "acme", "production/eu")

    found = nodes(database)

    assert found["organization"].contents == {"unit": 3, "project": 1, "service": 0, "cluster": 2}
    assert found["unit:production"].contents == {"unit": 1, "project": 1, "service": 0, "cluster": 1}
    assert found["unit:production/eu"].contents == {"unit": 0, "project": 0, "service": 0, "cluster": 0}


def test_access_is_shown_where_it_is_given_and_where_it_is_inherited(database: Database) -> None:
    found_company(database)
    give(database, "organization", BOB, api="viewer")
    give(database, "project:shop", BOB, kubernetes="view")

    found = nodes(database)

    shop = found["project:shop"]
    assert [(each.holder, each.kubernetes_role) for each in shop.access] == [(BOB, "view")]
    assert [(each.holder, each.scope) for each in shop.inherited] == [(ANA, "unit:production"), (BOB, "organization")]
    assert found["unit:staging"].inherited == found["unit:production"].inherited


def test_people_are_counted_once_through_groups_and_only_while_active(database: Database) -> None:
    okta: Provider = found_company(database)
    eve = okta.post("eve@acme.example")
    okta.post_group("Ops", eve.id)
    okta.patch(okta.post("gone@acme.example").id, active=False)
    give(database, "organization", ANA, api="viewer")
    give(database, "organization", "gone@acme.example", api="viewer")

    found = nodes(database)

    assert (found["organization"].people, found["unit:production"].people, found["unit:staging"].people) == (1, 1, 2)


def test_looking_at_the_tree_writes_nothing(database: Database) -> None:
    found_company(database)
    changes = count(database, "change_row")

    nodes(database)

    assert count(database, "change_row") == changes
