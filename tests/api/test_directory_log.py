"""What identity providers asked for, over REST, and repeating what failed."""

from typing import Any

import pytest

from tests.api.directories import connect, logged
from tests.api.rest import Person, Rest, fields, problem
from tests.scim.doors import Directory


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme."""
    return rest.with_role("admin")


@pytest.fixture
def okta(rest: Rest, admin: Person) -> Directory:
    """Connect a directory."""
    return connect(rest, admin)


def refused(okta: Directory, user_name: str = "bob") -> None:
    """Let the directory send what cannot be: a userName that somebody has, and a password that nobody may see."""
    okta.create_user(user_name)
    assert okta.post("/Users", {"userName": user_name, "displayName": "Second"}).status_code == 409


def test_requests_are_listed_newest_first_with_what_a_failure_means(rest: Rest, admin: Person, okta: Directory) -> None:
    refused(okta)

    found = logged(rest, admin)
    failed = logged(rest, admin, "?result=failed")
    about = logged(rest, admin, "?person=bob&result=ok")

    assert [each["status"] for each in found] == [409, 201]
    assert failed == found[:1]
    assert "userName" in failed[0]["meaning"]
    assert "Okta" in failed[0]["fix"]
    assert [each["id"] for each in about] == [found[1]["id"]]


def test_pages_lead_on_until_there_are_no_older_ones(rest: Rest, admin: Person, okta: Directory) -> None:
    for number in range(5):
        okta.create_user(f"user{number}")
    everything = [each["id"] for each in logged(rest, admin)]

    pages, cursor = [], ""
    while True:
        page = admin.ok("GET", f"/directories/okta/log?limit=2{cursor}")
        pages.append([each["id"] for each in page["items"]])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert [len(each) for each in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == everything


def test_one_request_is_told_with_its_body_and_what_it_changed(rest: Rest, admin: Person, okta: Directory) -> None:
    okta.create_user("bob", password="s3cret-of-bob")
    [entry] = logged(rest, admin)

    told = admin.ok("GET", f"/directories/okta/log/{entry['id']}")
    named = admin.ok("GET", f"/directories/okta/log/{entry['request_id']}")

    assert told == named
    assert [each["action"] for each in told["changes"]] == ["user.created"]
    assert '"userName":"bob"' in told["body"]
    assert "s3cret" not in str(told)


def test_a_failed_request_is_repeated_dry_and_then_really(rest: Rest, admin: Person, okta: Directory) -> None:
    bob = okta.create_user("bob")
    okta.post("/Users", {"userName": "bob", "displayName": "Second"})
    [entry] = logged(rest, admin, "?result=failed")
    path = f"/directories/okta/log/{entry['id']}/replay"
    still = admin.ok("POST", path, {})
    okta.delete(f"/Users/{bob}")

    dry = admin.ok("POST", path, {})
    there = okta.names("/Users")
    real = admin.ok("POST", path, {"real": True})

    assert (still["status"], still["changes"]) == (409, [])
    assert (dry["status"], dry["real"], there) == (201, False, [])
    assert (real["status"], okta.names("/Users")) == (201, ["bob"])
    assert all(each["actor"].startswith(f"{admin.name} (sbp_") for each in real["changes"])


def test_what_was_done_already_is_not_repeated(rest: Rest, admin: Person, okta: Directory) -> None:
    okta.create_user("bob")
    [entry] = logged(rest, admin)

    assert problem(admin.inside("POST", f"/directories/okta/log/{entry['id']}/replay", {})) == (403, "refused")


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("result=bad", "result"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("since=whenever", None),
        ("colour=red", "colour"),
    ],
)
@pytest.mark.usefixtures("okta")
def test_a_question_that_makes_no_sense_is_refused(admin: Person, query: str, marked: str | None) -> None:
    answer = admin.inside("GET", f"/directories/okta/log?{query}")

    assert problem(answer)[0] == 422
    assert marked is None or fields(answer) == {marked}


@pytest.mark.usefixtures("okta")
def test_a_request_that_is_not_in_the_log_is_not_found(admin: Person) -> None:
    routes: list[tuple[str, str, Any]] = [("GET", "", None), ("POST", "/replay", {})]

    found = {problem(admin.inside(method, f"/directories/okta/log/x{path}", body)) for method, path, body in routes}

    assert found == {(404, "not-found")}
