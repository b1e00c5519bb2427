"""What-if for one person: what is shown is what would be decided, and every rule says why."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.access import api_roles, cluster_role
from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import grants, organizations, rule_changes, rule_drafts, rules
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.names import scope_text
from scim_bridge.identity.rule_changes import of_document
from scim_bridge.identity.what_if import Asked, TriedView, WhatIf, what_if
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.snapshot import read_organization
from tests.identity.rows import count, organization_id
from tests.identity.rule_worlds import EDIT, VIEW, make_world, rule_rows


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    make_world(database, actor)


def put(database: Database, actor: Actor, *rows: Mapping[str, object]) -> None:
    rules.apply(database, actor, "acme", {"rules": list(rows)})


def somebody(*groups: str, **attributes: str) -> Asked:
    return Asked(directory="okta", groups=groups, attributes=attributes)


def tried(found: WhatIf, rule: str) -> TriedView:
    (only,) = [each for each in found.tried if each.rule == rule]
    return only


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=rule_rows(), person=st.integers(0, 11))
def test_for_a_person_as_they_are_it_says_what_is_so(
    database: Database, actor: Actor, rows: list[dict[str, object]], person: int
) -> None:
    put(database, actor, *rows)
    with database.read() as connection:
        snapshot = read_organization(connection, organization_id(connection), now())
    (member,) = [each for each in snapshot.members.values() if each.user_name == f"p{person}@acme.example"]
    held = snapshot.grants_for(member.id)

    found = what_if(database, "acme", Asked(person=member.id))

    assert {each.cluster: each.role for each in found.clusters} == {
        cluster.name: role.value if (role := cluster_role(snapshot.tree, cluster.id, held).role) else None
        for cluster in snapshot.tree.clusters.values()
    }
    assert found.api_roles == {
        scope_text(snapshot.tree, scope): tuple(sorted(api_roles(snapshot.tree, scope, held)))
        for scope in {grant.scope for grant in held if grant.api_role}
    }


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=rule_rows())
def test_a_draft_is_held_against_a_person_as_if_it_were_in_force(
    database: Database, actor: Actor, rows: list[dict[str, object]]
) -> None:
    rule_drafts.save(database, actor, "acme", {"rules": rows})
    asked = Asked(person="p3@acme.example")

    before = what_if(database, "acme", asked, rule_drafts.of_draft("draft"))
    put(database, actor, *rows)

    assert before == what_if(database, "acme", asked)


def test_each_rule_says_why_it_does_not_match(database: Database, actor: Actor) -> None:
    finance = {"path": "department", "equals": "Finance"}
    other = {key: value for key, value in VIEW.items() if key != "group"}
    put(
        database,
        actor,
        VIEW | {"name": "name", "group": "delta"},
        other | {"name": "id", "group_id": "00g1"},
        other | {"name": "attribute", "attribute": finance, "scope": "organization"},
        VIEW | {"name": "entra", "directory": "entra"},
    )

    found = what_if(database, "acme", somebody("alpha", department="Sales"))

    assert {each.rule: (each.matched, each.why) for each in found.tried} == {
        "name": (False, "none of the person's groups of okta is called 'delta': alpha, beta"),
        "id": (False, "none of the person's groups of okta has the id '00g1': alpha, beta"),
        "attribute": (False, "department is Sales, not Finance"),
        "entra": (False, "the directory entra is pending: it grants nothing yet"),
    }


def test_what_a_pattern_captured_and_where_it_led_is_shown(database: Database, actor: Actor) -> None:
    teams = {"name": "teams", "directory": "okta", "group_pattern": "team-(?P<team>.+)", "kubernetes_role": "edit"}
    put(database, actor, teams | {"scope": "project:{team}"})

    found = what_if(database, "acme", somebody("team-shop", "team-nowhere"))

    assert [(each.through, dict(each.captures), each.scope, each.why) for each in found.tried] == [
        ("group team-shop", {"team": "shop"}, "project:shop", "it matches"),
        ("group team-nowhere", {"team": "nowhere"}, None, "it matches, but there is no project:nowhere"),
    ]
    assert {each.cluster: dict(each.namespaces) for each in found.clusters if each.namespaces} == {
        "mail": {"shop": "edit", "till": "edit"},
        "prod": {"shop": "edit", "till": "edit"},
    }


def test_a_shadowed_rule_names_the_one_that_shadows_it(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW, EDIT | {"group": "gamma"})

    found = what_if(database, "acme", somebody("alpha", "gamma"))

    assert {(o.axis, o.verdict, o.rules) for o in tried(found, "view").outcomes} == {
        ("api", "shadowed by a rule of priority 50", ("edit",)),
        ("kubernetes", "shadowed by a rule of priority 50", ("edit",)),
    }
    assert {o.verdict for o in tried(found, "edit").outcomes} == {"stands"}
    assert {each.cluster: each.role for each in found.clusters}["prod"] == "edit"
    assert found.api_roles == {"unit:production": ("developer",)}


def test_a_tie_is_told_with_the_rules_that_are_equal(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW, EDIT | {"group": "gamma", "priority": 100})

    found = what_if(database, "acme", somebody("alpha", "gamma"))

    weaker, stronger = tried(found, "view").outcomes[1], tried(found, "edit").outcomes[1]
    assert (weaker.verdict, weaker.rules) == ("weaker than another rule of priority 100", ("edit",))
    assert (stronger.verdict, stronger.rules) == ("stands: the strongest of priority 100", ("view",))


def test_what_a_more_specific_scope_overrules_is_told_by_cluster(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW, EDIT | {"scope": "cluster:prod"})

    found = what_if(database, "acme", somebody("alpha"))

    prod = next(each for each in found.clusters if each.cluster == "prod")
    assert (prod.role, prod.scope) == ("edit", "cluster:prod")
    assert "view at unit:production (rule view): a more specific scope says something" in prod.overruled


def test_one_group_more_or_less_and_another_department_are_seen(database: Database, actor: Actor) -> None:
    sales = {"path": "department", "equals": "Sales"}
    by_attribute = {key: value for key, value in VIEW.items() if key != "group"}
    put(
        database,
        actor,
        VIEW | {"group": "gamma", "scope": "unit:staging"},
        by_attribute | {"name": "sales", "attribute": sales, "scope": "cluster:both", "kubernetes_role": "edit"},
    )
    asked = Asked(person="p2@acme.example")
    changed = Asked(
        person="p2@acme.example", without=("okta/gamma",), groups=("okta/alpha",), attributes={"department": "Sales"}
    )

    now_, then = what_if(database, "acme", asked), what_if(database, "acme", changed)

    assert [{each.cluster: each.role for each in found.clusters}["ids"] for found in (now_, then)] == ["view", "none"]
    assert [{each.cluster: each.role for each in found.clusters}["both"] for found in (now_, then)] == [None, "edit"]


def test_grants_by_hand_are_decided_along_and_never_shadowed(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW)
    grants.add(database, actor, "acme", GrantWanted("unit:production", group="okta/alpha", kubernetes_role="edit"))

    found = what_if(database, "acme", Asked(person="p0@acme.example"))

    assert {each.cluster: each.role for each in found.clusters}["prod"] == "edit"
    assert tried(found, "view").outcomes[1].verdict == "a stronger role is granted at the same scope otherwise"
    assert ("unit:production", "edit", "manual") in {(g.scope, g.kubernetes_role, g.origin) for g in found.grants}


def test_a_file_that_nobody_applied_can_be_asked_about(database: Database, actor: Actor) -> None:
    found = what_if(database, "acme", somebody("alpha"), of_document({"rules": [VIEW]}))

    assert {each.cluster: each.role for each in found.clusters}["prod"] == "view"
    assert rules.in_force(database, "acme").rules == ()


def test_asking_writes_nothing(database: Database, actor: Actor) -> None:
    put(database, actor, VIEW)
    before = [count(database, table) for table in ("change_row", "audit_entry", "access_grant")]

    what_if(database, "acme", somebody("alpha"))

    assert [count(database, table) for table in ("change_row", "audit_entry", "access_grant")] == before


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (Asked(), Invalid),
        (Asked(person="nobody"), NotFound),
        (Asked(directory="nowhere"), NotFound),
        (Asked(person="p0@acme.example", groups=("nowhere",)), NotFound),
        (Asked(person="p0@acme.example", without=("nowhere",)), NotFound),
        (Asked(directory="okta", groups=tuple(f"g{n}" for n in range(1001))), Invalid),
    ],
)
def test_a_question_about_nobody_is_refused(database: Database, asked: Asked, error: type[Exception]) -> None:
    with pytest.raises(error):
        what_if(database, "acme", asked)


def test_people_of_another_organization_are_not_there(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")

    with pytest.raises(NotFound):
        what_if(database, "globex", Asked(person="p0@acme.example"))
    assert rule_changes.preview(database, actor, "globex", of_document({"rules": []})).is_empty
