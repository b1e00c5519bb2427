"""The short way and Flask's own give the same answers, and what fails on it fails as everywhere."""

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from scim_bridge.scim import lane as lane_module
from scim_bridge.scim.lane import Lane
from scim_bridge.store import asking
from tests.scim.doors import PATCH_URN, USER_URN, Directory, World, document, refusal, replace

CHANGES_EACH_TIME = {"X-Request-Id"}


def lane_of(world: World) -> Lane:
    """Return the lane of an application, which lies behind what forgives slashes."""
    found = world.app.wsgi_app._app  # type: ignore[attr-defined]
    assert isinstance(found, Lane)
    return found


def beside_the_lane(world: World, directory: Directory, target: str) -> TestResponse:
    """Ask Flask itself."""
    client = Client(lane_of(world)._beyond, TestResponse)
    return client.get(f"/scim/v2{target}", headers={"Authorization": f"Bearer {directory.token}"})


def headers(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGES_EACH_TIME}


@pytest.mark.parametrize(
    "target", ["/Users/{user}", "/Users", "/Users?count=1", "/Groups/{group}", "/Groups", "/Users/x"]
)
def test_both_ways_give_the_same_answer(world: World, okta: Directory, target: str) -> None:
    user = okta.create_user("ada", displayName='Ada "the first"')
    group = okta.create_group('The "A" team', user)
    asked = target.format(user=user, group=group)

    on_the_lane, by_flask = okta.get(asked), beside_the_lane(world, okta, asked)

    assert (on_the_lane.status_code, on_the_lane.data) == (by_flask.status_code, by_flask.data)
    assert headers(on_the_lane) == headers(by_flask)


def test_a_look_up_by_name_is_answered_alike_on_both_ways(world: World, okta: Directory) -> None:
    okta.create_group("team", okta.create_user("ada@acme.example"))
    for target in ('/Users?filter=userName eq "ADA@acme.example"', '/Users?filter=userName eq "nobody"'):
        on_the_lane, by_flask = okta.get(target), beside_the_lane(world, okta, target)

        assert document(on_the_lane) == document(by_flask)
    assert okta.names('/Users?filter=userName eq "ada@acme.example"&startIndex=2') == []


def test_an_answer_without_a_body_says_nothing_of_one(okta: Directory) -> None:
    user = okta.create_user("ada")
    tag = okta.get(f"/Users/{user}").headers["ETag"]

    known, gone = okta.get(f"/Users/{user}", If_None_Match=tag), okta.delete(f"/Users/{user}")

    assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)
    assert (gone.status_code, gone.data) == (204, b"")
    for answer in (known, gone):
        assert "Content-Length" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(answer.headers["X-Request-Id"]) == 32


def test_what_nobody_expected_is_a_500_that_names_the_request(
    world: World, okta: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(asking, "user_by_id", fail)

    answer = okta.get("/Users/x")

    assert refusal(answer) == (500, None)
    assert answer.headers["X-Request-Id"] in document(answer)["detail"]
    assert "a bug" not in answer.text


def test_what_is_refused_on_the_lane_is_refused_once_and_logged_once(world: World, okta: Directory) -> None:
    okta.create_user("ada")

    answer = okta.post("/Users", {"schemas": [USER_URN], "userName": "ADA"})

    assert refusal(answer) == (409, "uniqueness")
    refused = [row for row in world.log() if row["status"] == 409]
    assert [row["request_id"] for row in refused] == [answer.headers["X-Request-Id"]]
    assert [row["user_name"] for row in world.rows("scim_user")] == ["ada"]


def test_a_body_that_cannot_be_read_is_answered_as_everywhere(okta: Directory) -> None:
    user = okta.create_user("ada")

    wrong = okta.request("PATCH", f"/Users/{user}", raw=b"{")
    strange = okta.request("PATCH", f"/Users/{user}", raw=b"<x/>", headers={"Content-Type": "text/xml"})

    assert refusal(wrong) == (400, "invalidSyntax")
    assert refusal(strange)[0] == 415


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/scim/v2/Users/x"),
        ("OPTIONS", "/scim/v2/Users"),
        ("POST", "/scim/v2/Users/.search"),
        ("GET", "/scim/v2/Schemas"),
        ("GET", "/scim/v2/Users/a/b"),
        ("GET", "/scim/v2"),
        ("GET", "/scim/v2/Users/\xc3\xa4"),
        ("GET", "/scim/v2/Users/a\x00"),
        ("GET", "/scim/v2/Users//"),
        ("GET", "/healthz"),
        ("GET", "/other/v2/Users"),
    ],
)
def test_what_the_lane_does_not_know_goes_to_flask(method: str, path: str) -> None:
    assert lane_module._known(method, path)[0] is None


@pytest.mark.parametrize(
    ("method", "path", "name", "named"),
    [
        ("GET", "/scim/v2/Users/a", "get_user", "a"),
        ("GET", "/scim/v2/Users", "list_users", None),
        ("PATCH", "/scim/v2/Groups/b", "patch_group", "b"),
        ("DELETE", "/scim/v2/Groups/b", "delete_group", "b"),
    ],
)
def test_the_lane_finds_the_views_that_flask_finds(method: str, path: str, name: str, named: str | None) -> None:
    view, _, found = lane_module._known(method, path)

    assert (getattr(view, "__name__", None), found) == (name, named)


def test_the_use_of_a_token_is_noted_once_the_answer_is_out(world: World, okta: Directory) -> None:
    for _ in range(2):
        okta.get("/Users").close()

    [token] = world.rows("directory_token")
    assert token["last_used_at"] is not None


def test_a_method_that_an_address_does_not_have_is_405_with_what_it_has(okta: Directory) -> None:
    answer = okta.request("POST", "/Users/x", {})

    assert refusal(answer)[0] == 405
    assert "PATCH" in answer.headers["Allow"]


def test_a_patch_on_the_lane_is_all_or_nothing(world: World, okta: Directory) -> None:
    user = okta.create_user("ada")
    body: dict[str, Any] = {
        "schemas": [PATCH_URN],
        "Operations": [replace("title", "Countess"), replace("userName", "")],
    }

    answer = okta.request("PATCH", f"/Users/{user}", body)

    assert answer.status_code == 400
    assert "title" not in okta.user(user)
