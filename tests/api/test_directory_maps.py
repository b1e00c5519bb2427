"""Attribute mappings over REST: read, tried, previewed and put into force."""

from typing import Any

import pytest

from tests.api.directories import connect
from tests.api.rest import Person, Rest, document, fields, problem
from tests.scim.doors import Directory

SHORT: dict[str, Any] = {"user_name": {"from": "userName", "transforms": [{"before": "@"}]}}


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme."""
    return rest.with_role("admin")


@pytest.fixture
def okta(rest: Rest, admin: Person) -> Directory:
    """Connect a directory that has brought somebody."""
    made = connect(rest, admin)
    made.create_user("ada@acme.example", emails=[{"value": "ada@work.example", "type": "work"}])
    return made


def put(admin: Person, fields_: dict[str, Any]) -> Any:
    seen = admin.ok("POST", "/directories/okta/mapping/preview", {"fields": fields_})
    return admin.ok("PUT", "/directories/okta/mapping", {"fields": fields_, "preview": seen["hash"]})


@pytest.mark.usefixtures("okta")
def test_a_mapping_is_previewed_put_into_force_and_shown(admin: Person) -> None:
    before = admin.ok("GET", "/directories/okta/mapping")

    done = put(admin, SHORT)
    after = admin.ok("GET", "/directories/okta/mapping")

    assert (before["version"], before["own"]) == (0, [])
    assert [(each["person"], each["fields"]) for each in done["changes"]] == [
        ("ada@acme.example", [{"field": "user_name", "before": "ada@acme.example", "after": "ada"}])
    ]
    assert (done["changed"], done["users"]) == (1, 1)
    assert (after["version"], after["own"], after["fields"]["user_name"]["from"]) == (1, ["user_name"], ["userName"])
    assert after["versions"][0]["author"].startswith(admin.name)


@pytest.mark.usefixtures("okta")
def test_nothing_at_all_takes_every_field_back_to_its_default(admin: Person) -> None:
    put(admin, SHORT)

    put(admin, {})

    shown = admin.ok("GET", "/directories/okta/mapping")
    assert (shown["version"], shown["own"]) == (2, [])


@pytest.mark.usefixtures("okta")
def test_another_outcome_than_the_one_that_was_seen_is_a_conflict(admin: Person) -> None:
    answer = admin.inside("PUT", "/directories/okta/mapping", {"fields": SHORT, "preview": "0" * 12})

    assert problem(answer) == (409, "conflict")
    assert document(answer)["preview"]["changed"] == 1
    assert admin.ok("GET", "/directories/okta/mapping")["version"] == 0


@pytest.mark.usefixtures("okta")
def test_a_stored_user_and_a_sent_one_are_tried(admin: Person) -> None:
    sent = {"userName": "Bob@acme.example", "EMAILS": [{"value": "bob@x", "type": "work"}], "password": "s3cret"}

    stored = admin.ok("POST", "/directories/okta/mapping/test", {"user": "ada@acme.example"})
    tried = admin.ok("POST", "/directories/okta/mapping/test", {"document": sent, "mapping": {"fields": SHORT}})

    assert stored["stored"]["email"] == "ada@work.example"
    values = {each["field"]: each["value"] for each in tried["fields"]}
    assert (values["user_name"], values["email"], tried["stored"]) == ("Bob", "bob@x", None)
    assert tried["fields"][0]["tried"][0]["steps"] == [{"transform": "before '@'", "result": "Bob"}]
    assert "s3cret" not in str(tried)


@pytest.mark.parametrize(
    ("method", "path", "body", "marked"),
    [
        ("POST", "/preview", {"fields": {"email": {"from": "emails["}}}, "fields.email.from[0]"),
        ("POST", "/preview", {"fields": {"active": {}}}, "fields.active"),
        ("POST", "/preview", {"fields": []}, "fields"),
        ("POST", "/preview", {"version": 2}, "version"),
        ("PUT", "", {"fields": SHORT}, "preview"),
        ("PUT", "", {"fields": {"email": {"required": 1}}, "preview": "0" * 12}, "fields.email.required"),
        ("POST", "/test", {}, "user"),
        ("POST", "/test", {"user": "ada", "document": {}}, "user"),
        ("POST", "/test", {"document": {"userName": "a", "emails": [7]}}, "emails"),
    ],
)
@pytest.mark.usefixtures("okta")
def test_a_mistake_is_refused_with_its_place(
    admin: Person, method: str, path: str, body: dict[str, Any], marked: str
) -> None:
    answer = admin.inside(method, f"/directories/okta/mapping{path}", body)

    assert problem(answer) == (422, "invalid")
    assert fields(answer) == {marked}
    assert admin.ok("GET", "/directories/okta/mapping")["version"] == 0


@pytest.mark.usefixtures("okta")
def test_nobody_of_that_name_is_not_found(admin: Person) -> None:
    assert problem(admin.inside("POST", "/directories/okta/mapping/test", {"user": "nobody"}))[0] == 404
