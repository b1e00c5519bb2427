"""Who waits to be told from somebody else, and the domains that vouch, over REST."""

from typing import Any

import pytest

from tests.api.directories import connect, statuses
from tests.api.rest import Person, Rest, document, fields, problem
from tests.scim.doors import Directory


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme."""
    return rest.with_role("admin")


@pytest.fixture
def okta(rest: Rest, admin: Person) -> Directory:
    """Connect a directory."""
    return connect(rest, admin)


def waiting(admin: Person) -> Any:
    [found] = admin.items("/adoption-conflicts")
    return found


def test_whoever_may_be_somebody_waits_and_is_claimed(rest: Rest, admin: Person, okta: Directory) -> None:
    rest.person("ada")
    user = okta.create_user("ada@acme.example")
    found = waiting(admin)

    done = admin.ok("POST", f"/adoption-conflicts/{found['id']}/claim")

    assert (found["user_id"], found["member"], found["directory"]) == (user, "ada@acme.example", "okta")
    assert (done["state"], done["member_id"]) == ("claimed", found["member_id"])
    assert admin.items("/adoption-conflicts") == []


def test_two_people_are_told_apart(rest: Rest, admin: Person, okta: Directory) -> None:
    rest.person("ada")
    okta.create_user("ada@acme.example")
    found = waiting(admin)

    done = admin.ok("POST", f"/adoption-conflicts/{found['id']}/dismiss")

    assert done["state"] == "dismissed"
    assert done["member_id"] != found["member_id"]
    assert admin.items("/adoption-conflicts") == []


def test_nobody_puts_into_a_directorys_hands_what_they_could_not_grant(
    rest: Rest, admin: Person, owner: Person, okta: Directory
) -> None:
    okta.create_user("owner@acme.example")
    path = f"/adoption-conflicts/{waiting(admin)['id']}/claim"

    refused = admin.inside("POST", path)

    assert problem(refused) == (403, "refused")
    assert "owners:manage" in document(refused)["detail"]
    assert waiting(admin)["member"] == "owner@acme.example"
    assert owner.ok("POST", path)["state"] == "claimed"


def test_a_domain_is_added_listed_and_removed(rest: Rest, admin: Person) -> None:
    made = admin.ok("POST", "/domains", {"domain": "ACME.example"})
    again = admin.ok("POST", "/domains", {"domain": "acme.example"})
    listed = admin.items("/domains")
    gone = admin.ok("DELETE", "/domains/acme.example")

    assert (made["domain"]["domain"], made["created"], again["created"]) == ("acme.example", True, False)
    assert [each["domain"] for each in listed] == ["acme.example"]
    assert (gone["domain"], admin.items("/domains")) == ("acme.example", [])
    assert problem(admin.inside("DELETE", "/domains/acme.example"))[0] == 404


@pytest.mark.parametrize("body", [{"domain": "no domain"}, {"domain": ""}, {}, {"domain": 7}])
def test_a_domain_that_is_none_is_refused(admin: Person, body: dict[str, Any]) -> None:
    answer = admin.inside("POST", "/domains", body)

    assert (problem(answer), fields(answer)) == ((422, "invalid"), {"domain"})


def test_a_domain_of_another_organization_is_a_conflict(rest: Rest, admin: Person) -> None:
    theirs = rest.with_role("admin", organization="globex")
    theirs.ok("POST", "/domains", {"domain": "globex.example"})

    assert problem(admin.inside("POST", "/domains", {"domain": "globex.example"}))[0] == 409
    assert problem(admin.inside("DELETE", "/domains/globex.example"))[0] == 404
    assert [each["domain"] for each in theirs.items("/domains")] == ["globex.example"]


def test_only_whoever_manages_directories_says_who_is_who(
    rest: Rest, admin: Person, viewer: Person, okta: Directory
) -> None:
    rest.person("ada")
    okta.create_user("ada@acme.example")
    path = f"/adoption-conflicts/{waiting(admin)['id']}"
    routes: list[tuple[str, str, object]] = [
        ("GET", "/adoption-conflicts", None),
        ("POST", f"{path}/claim", None),
        ("POST", f"{path}/dismiss", None),
        ("POST", "/domains", {"domain": "acme.example"}),
        ("DELETE", "/domains/acme.example", None),
    ]
    stranger = rest.with_role("owner", organization="globex")

    assert statuses(viewer, routes) == {403}
    assert statuses(stranger, routes[1:3]) == {404}
    assert len(admin.items("/adoption-conflicts")) == 1
