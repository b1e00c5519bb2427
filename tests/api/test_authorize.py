"""May somebody do something? What other services ask, and what they are answered."""

from typing import Any

import pytest

from scim_bridge.identity import tree
from tests.api.rest import ACTOR, Person, Rest, document, problem


@pytest.fixture
def service(rest: Rest, owner: Person) -> Person:
    """Return another service of the company, which may ask and do nothing else."""
    owner.ok("POST", "/application-users", {"name": "platform", "description": "our platform's API"})
    owner.ok("POST", "/grants", {"person": "platform", "api_role": "authorizer"})
    made = owner.ok("POST", "/members/platform/tokens", {"name": "production"})
    return Person(rest.app, "platform", made["token"], "acme")


def _ask(asker: Person, person: str, permission: str, scope: str = "organization", organization: str = "acme") -> Any:
    body = {"organization": organization, "person": person, "permission": permission, "scope": scope}
    answer = asker.request("POST", "/authorize", body)
    assert answer.status_code == 200, answer.text
    return document(answer)


def test_a_yes_says_which_grant_allows_it(service: Person, viewer: Person) -> None:
    found = _ask(service, viewer.name, "org:read")

    assert found["allowed"] is True
    assert found["reason"] == "viewer@acme.example is viewer at organization."
    assert found["because"] == [{"role": "viewer", "scope": "organization", "group": None, "origins": ["manual"]}]


def test_a_no_says_what_there_is_instead(service: Person, viewer: Person) -> None:
    found = _ask(service, viewer.name, "org:update")

    assert (found["allowed"], found["because"]) == (False, [])
    assert found["reason"] == "viewer@acme.example has viewer there, which does not allow it."


@pytest.mark.parametrize(
    ("person", "permission", "scope", "reason"),
    [
        ("nobody@acme.example", "org:read", "organization", "There is no person"),
        ("viewer@acme.example", "org:fly", "organization", "There is no permission"),
        ("viewer@acme.example", "org:read", "unit:nowhere", "There is no unit:nowhere"),
        ("viewer@acme.example", "org:read", "moon", "is not a scope"),
    ],
)
def test_what_does_not_exist_is_a_no_and_no_error(
    service: Person, viewer: Person, person: str, permission: str, scope: str, reason: str
) -> None:
    found = _ask(service, person, permission, scope)

    assert found["allowed"] is False
    assert reason in found["reason"]


def test_a_role_reaches_down_the_tree_and_not_up(rest: Rest, service: Person) -> None:
    tree.create_unit(rest.database, ACTOR, "acme", "payments")
    tree.create_unit(rest.database, ACTOR, "acme", "payments/eu")
    person = rest.with_role("developer", scope="unit:payments")

    decisions = {
        scope: _ask(service, person.name, "clusters:create", scope)["allowed"]
        for scope in ("organization", "unit:payments", "unit:payments/eu")
    }

    assert decisions == {"organization": False, "unit:payments": True, "unit:payments/eu": True}


def test_a_deactivated_person_may_nothing_from_that_moment(rest: Rest, service: Person, viewer: Person) -> None:
    from scim_bridge.identity.deactivation import deactivate
    from scim_bridge.identity.names import the_member
    from tests.identity.rows import begin, organization_id

    before = _ask(service, viewer.name, "org:read")["allowed"]

    with rest.database.write() as connection:
        deactivate(connection, begin(connection), the_member(connection, organization_id(connection), viewer.name).id)

    assert (before, _ask(service, viewer.name, "org:read")["allowed"]) == (True, False)


def test_many_questions_are_answered_in_their_order(service: Person, viewer: Person, owner: Person) -> None:
    checks = [
        {"person": viewer.name, "permission": "org:update"},
        {"person": owner.name, "permission": "org:update"},
        {"person": viewer.name, "permission": "org:read"},
    ]

    found = service.ok("POST", "/authorize", {"checks": checks})

    assert [each["allowed"] for each in found] == [False, True, True]


def test_who_may_not_ask_is_refused(viewer: Person) -> None:
    body = {"organization": "acme", "person": viewer.name, "permission": "org:read"}

    assert problem(viewer.request("POST", "/authorize", body)) == (403, "refused")


def test_another_organization_cannot_be_asked_about(rest: Rest, service: Person) -> None:
    rest.person("eve", organization="evil")
    body = {"organization": "evil", "person": "eve@evil.example", "permission": "org:read"}

    theirs = problem(service.request("POST", "/authorize", body))
    nowhere = problem(service.request("POST", "/authorize", body | {"organization": "nowhere"}))

    assert theirs == nowhere == (404, "not-found")


def test_an_application_user_has_no_access_to_clusters(rest: Rest, owner: Person) -> None:
    owner.ok("POST", "/application-users", {"name": "ci"})

    refused = owner.inside("POST", "/grants", {"person": "ci", "kubernetes_role": "edit"})

    assert problem(refused) == (403, "refused")


def test_a_removed_application_user_can_do_nothing_more(service: Person, owner: Person) -> None:
    owner.ok("DELETE", "/application-users/platform")

    body = {"organization": "acme", "person": owner.name, "permission": "org:read"}
    assert problem(service.request("POST", "/authorize", body)) == (401, "not-authenticated")
    assert owner.items("/application-users") == []
