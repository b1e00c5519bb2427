"""Units, projects and services over the REST door: made, changed as previewed, and only by whoever may."""

from typing import Any

import pytest

from tests.api.rest import Person, Rest, document, fields, problem

UNITS = ("production", "staging")


@pytest.fixture
def admin(owner: Person) -> Person:
    """Give acme an environment of each kind, with a project."""
    for path in UNITS:
        owner.ok("POST", "/units", {"path": path, "environment_type": path})
    owner.ok("POST", "/projects", {"name": "shop", "unit": "production", "namespaces": ["shop-web"]})
    return owner


def give(rest: Rest, owner: Person, scope: str, role: str = "admin") -> str:
    """Grant somebody new a role; return their name."""
    person = rest.person(f"p-{scope.replace(':', '-')}".replace("/", "-"))
    owner.ok("POST", "/grants", {"person": person.name, "scope": scope, "api_role": role})
    return person.name


def test_units_are_made_once_and_listed(admin: Person, viewer: Person) -> None:
    again = admin.inside("POST", "/units", {"path": "production", "environment_type": "production"})

    assert (again.status_code, document(again)["created"]) == (201, False)
    assert [(each["path"], each["environment_type"]) for each in viewer.items("/units")] == [
        ("production", "production"),
        ("staging", "staging"),
    ]


def test_a_move_is_previewed_refused_unseen_and_done_as_seen(rest: Rest, admin: Person) -> None:
    person = give(rest, admin, "unit:staging")

    seen = admin.ok("PATCH", "/units/production?dry_run=true", {"parent": "staging"})
    unseen = admin.inside("PATCH", "/units/production", {"parent": "staging"})
    done = admin.ok("PATCH", f"/units/production?preview={seen['hash']}", {"parent": "staging"})

    assert [each["person"] for each in seen["gains"]] == [person]
    assert seen["gains"][0]["what"] == ["API role admin at unit:production"]
    assert problem(unseen) == (409, "conflict")
    assert document(unseen)["preview"]["hash"] == seen["hash"]
    assert done == seen
    assert [each["path"] for each in admin.items("/units")] == ["staging", "staging/production"]


def test_a_preview_of_something_else_is_a_conflict_with_the_present_one(rest: Rest, admin: Person) -> None:
    give(rest, admin, "unit:staging")

    answer = admin.inside("PATCH", f"/units/production?preview={'0' * 64}", {"parent": "staging"})

    assert problem(answer) == (409, "conflict")
    assert document(answer)["preview"]["becomes"] == "unit:staging/production"


def test_what_changes_nobodys_access_is_simply_done(admin: Person) -> None:
    admin.ok("POST", "/units", {"path": "production/eu"})

    assert admin.ok("PATCH", "/units/production/eu", {"name": "europe"})["becomes"] == "unit:production/europe"
    assert admin.ok("PATCH", "/units/production/europe", {"environment_type": "demo"})["changed"] is True
    assert admin.ok("DELETE", "/units/production/europe")["becomes"] is None
    assert [each["path"] for each in admin.items("/units")] == list(UNITS)


def test_projects_and_services_from_beginning_to_end(admin: Person) -> None:
    service = admin.ok("POST", "/projects/shop/services", {"name": "db", "namespace": "shop-db"})
    admin.ok("PATCH", "/projects/shop/services/db", {"name": "data"})
    admin.ok("PATCH", "/projects/shop/services/data", {"namespace": "shop-data"})
    admin.ok("PATCH", "/projects/shop", {"namespaces": ["shop-web", "shop-api"], "selectors": ["team=shop"]})
    admin.ok("PATCH", "/projects/shop", {"name": "store"})
    admin.ok("PATCH", "/projects/store", {"unit": "staging"})

    (project,) = admin.items("/projects")
    (found,) = admin.items("/projects/store/services")
    assert (project["name"], project["unit"], project["namespaces"]) == ("store", "staging", ["shop-web", "shop-api"])
    assert (found["id"], found["name"], found["namespace"]) == (service["id"], "data", "shop-data")
    admin.ok("DELETE", "/projects/store/services/data")
    admin.ok("DELETE", "/projects/store")
    assert admin.items("/projects") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/units", {}, "path"),
        ("POST", "/units", {"path": "a", "environment_type": "live"}, "environment_type"),
        ("POST", "/units", {"path": "Not A Name"}, "name"),
        ("PATCH", "/units/production", {}, "name"),
        ("PATCH", "/units/production", {"name": "a", "parent": ""}, "name"),
        ("PATCH", "/units/production", {"colour": "red"}, "colour"),
        ("PATCH", "/units/production?dry_run=perhaps", {"name": "a"}, "dry_run"),
        ("POST", "/projects", {"name": "x", "namespaces": "web"}, "namespaces"),
        ("POST", "/projects", {"name": "x", "namespaces": ["kube-system"]}, "namespace"),
        ("PATCH", "/projects/shop", {"name": "a", "namespaces": []}, "name"),
        ("PATCH", "/projects/shop", {"selectors": ["team"]}, "selector"),
        ("POST", "/projects/shop/services", {"name": "db"}, "namespace"),
        ("PATCH", "/projects/shop/services/db", {"name": ""}, "name"),
    ],
)
def test_a_request_that_makes_no_sense_marks_the_field(
    admin: Person, method: str, path: str, body: Any, field: str
) -> None:
    answer = admin.inside(method, path, body)

    assert problem(answer) == (422, "invalid")
    assert field in fields(answer)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/units/nowhere", {"name": "a"}),
        ("DELETE", "/units/production/nowhere", None),
        ("PATCH", "/projects/nothing", {"name": "a"}),
        ("DELETE", "/projects/shop/services/nothing", None),
        ("GET", "/projects/nothing/services", None),
        ("POST", "/projects", {"name": "x", "clusters": ["nowhere"]}),
    ],
)
def test_what_is_not_there_is_not_found(admin: Person, method: str, path: str, body: Any) -> None:
    assert problem(admin.inside(method, path, body)) == (404, "not-found")


def test_a_viewer_changes_nothing(admin: Person, viewer: Person) -> None:
    for method, path, body in (
        ("POST", "/units", {"path": "x", "environment_type": "demo"}),
        ("PATCH", "/units/production", {"name": "x"}),
        ("DELETE", "/units/staging", None),
        ("POST", "/projects", {"name": "x"}),
        ("DELETE", "/projects/shop", None),
        ("POST", "/projects/shop/services", {"name": "x", "namespace": "x"}),
    ):
        assert problem(viewer.inside(method, path, body)) == (403, "refused"), path


def test_the_admin_of_a_unit_works_in_it_over_the_door_too(rest: Rest, admin: Person) -> None:
    head = rest.with_role("admin", scope="unit:staging")

    assert [each["path"] for each in head.items("/units")] == ["staging"]
    assert head.items("/projects") == []
    head.ok("POST", "/projects", {"name": "mine", "unit": "staging"})
    assert head.ok("DELETE", "/projects/mine")["changed"] is True
    assert problem(head.inside("DELETE", "/projects/shop")) == (403, "refused")
    assert problem(head.inside("POST", "/units", {"path": "top", "environment_type": "demo"})) == (403, "refused")


def test_pages_lead_through_the_units(admin: Person) -> None:
    first = admin.ok("GET", "/units?limit=1")
    second = admin.ok("GET", f"/units?limit=1&cursor={first['next_cursor']}")

    assert [each["path"] for each in (*first["items"], *second["items"])] == list(UNITS)
    assert second["next_cursor"] is None


def test_the_tree_shows_what_lies_where_and_who_has_access(rest: Rest, admin: Person, viewer: Person) -> None:
    person = give(rest, admin, "unit:production", "developer")

    found = viewer.ok("GET", "/tree")

    assert [(each["scope"], each["depth"]) for each in found] == [
        ("organization", 0),
        ("unit:production", 1),
        ("project:shop", 2),
        ("unit:staging", 1),
    ]
    assert found[0]["contents"] == {"unit": 2, "project": 1, "service": 0, "cluster": 0}
    assert [each["holder"] for each in found[1]["access"]] == [person]
    assert person in [each["holder"] for each in found[2]["inherited"]]


def test_who_may_not_see_members_does_not_see_them_in_the_tree(rest: Rest, admin: Person) -> None:
    payer = rest.with_role("billing-admin")

    assert problem(payer.inside("GET", "/tree")) == (403, "refused")
