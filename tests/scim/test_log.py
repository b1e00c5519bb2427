"""Every request is in the provisioning log, and no secret is in it, wherever a client has put one."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from scim_bridge.web.context import journal_of
from tests.scim.doors import PATCH_URN, Directory, World, document, open_world, refusal, replace

SECRET = "hunter2-and-more"


def _log(world: World) -> list[dict[str, Any]]:
    journal_of(world.app).flush()
    return world.rows("provisioning_log")


def _everything(world: World) -> str:
    return repr(_log(world))


def test_what_is_read_is_logged_without_a_transaction_of_its_own(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada@acme.example")
    before = len(world.rows("provisioning_log"))

    answer = okta.get(f"/Users/{user_id}")
    okta.get('/Users?filter=userName eq "ada@acme.example"')
    at_once = world.rows("provisioning_log")
    read, searched = _log(world)[before:]

    assert len(at_once) == before
    assert (read["method"], read["status"], read["noun"], read["object_id"]) == ("GET", 200, "user", user_id)
    assert read["request_id"] == answer.headers["X-Request-Id"]
    assert read["change_id"] is None
    assert (searched["status"], "filter=" in searched["target"]) == (200, True)
    assert {each["directory_id"] for each in (read, searched)} == {world.rows("directory")[0]["id"]}


def test_a_write_is_logged_once_and_one_that_changes_nothing_too(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada@acme.example")
    okta.patch(f"/Users/{user_id}", replace("title", "Engineer"))
    okta.patch(f"/Users/{user_id}", replace("title", "Engineer"))

    created, changed, unchanged = _log(world)

    assert [each["status"] for each in (created, changed, unchanged)] == [201, 200, 200]
    assert [each["change_id"] is None for each in (created, changed, unchanged)] == [False, False, True]
    assert {each["object_id"] for each in (created, changed, unchanged)} == {user_id}
    assert "Engineer" in unchanged["request_body"]


def test_a_refusal_is_in_the_log_at_once_with_what_it_was_about(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada@acme.example")

    answer = okta.patch(f"/Users/{user_id}", replace("active", "perhaps"))

    entry = world.rows("provisioning_log")[-1]
    assert refusal(answer) == (400, "invalidValue")
    assert (entry["status"], entry["noun"], entry["object_id"]) == (400, "user", user_id)
    assert entry["message"] == document(answer)["detail"]


def test_a_wrong_address_is_the_business_of_the_directory_that_asks(okta: Directory, world: World) -> None:
    okta.get("/v2/Users")

    (entry,) = world.rows("provisioning_log")
    assert (entry["status"], entry["target"]) == (404, "/scim/v2/v2/Users")
    assert entry["directory_id"] == world.rows("directory")[0]["id"]


def test_who_knocks_with_an_unknown_credential_is_kept_without_an_organization(okta: Directory, world: World) -> None:
    okta.request(
        "POST",
        f"/Users?filter=userName eq {SECRET}",
        {"userName": "x", "password": SECRET},
        headers={"Authorization": f"Bearer {SECRET}", "User-Agent": f"probe {SECRET}"},
    )

    (entry,) = _log(world)

    assert (entry["organization_id"], entry["directory_id"], entry["token_id"]) == (None, None, None)
    assert (entry["method"], entry["target"], entry["status"]) == ("POST", "/scim/v2/Users?filter=***", 401)
    assert (entry["request_body"], entry["user_agent"]) == (None, "probe ***")
    assert SECRET not in repr(entry)


def test_knocking_does_not_fill_the_disk_and_says_how_often_it_was(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, log_unknown_per_minute=3) as world:
        okta = world.connect("acme", "okta")

        for number in range(50):
            okta.request("GET", "/Users", headers={"Authorization": f"Bearer guess-{number}"})

        assert len(_log(world)) == 3


def test_a_path_that_is_a_secret_is_not_kept_of_a_stranger(okta: Directory, world: World) -> None:
    okta.request("GET", f"/{okta.token}/Users", headers={"Authorization": ""})
    okta.request("GET", f"/{'Zx9' * 20}/Users", headers={"Authorization": ""})

    assert [each["target"] for each in _log(world)] == ["/scim/v2/***/Users"] * 2


@pytest.mark.parametrize(
    "body",
    [
        {"userName": "ada", "password": SECRET},
        {"userName": "ada", "PassWord": SECRET},
        {"userName": "ada", "urn:example:User:password": SECRET},
        {"userName": "ada", "urn:example:User": {"nested": [{"password": {"value": SECRET}}]}},
        {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "password", "value": SECRET}]},
        {"schemas": [PATCH_URN], "Operations": [{"op": "Replace", "Path": "PASSWORD", "Value": [SECRET]}]},
        {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "value": {"password": SECRET}}]},
        {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "value": f'{{"password": "{SECRET}"}}'}]},
        {"schemas": [PATCH_URN], "Operations": [{"op": "remove", "path": f'x[password eq "{SECRET}"]'}]},
        {"schemas": [PATCH_URN], "Operations": [{"op": "remove", "path": f'password eq "{"x" * 90}{SECRET}"'}]},
        {"userName": "ada", "password": SECRET, "title": f"my password is {SECRET}"},
        {"userName": SECRET, "password": SECRET, "active": "perhaps"},
    ],
)
def test_a_password_in_any_place_of_a_body_is_not_stored(okta: Directory, world: World, body: dict[str, Any]) -> None:
    user_id = okta.create_user("bob@acme.example")

    for target, method in ((f"/Users/{user_id}", "PATCH"), ("/Users", "POST"), (f"/Users/{user_id}", "PUT")):
        okta.request(method, target, body)

    assert SECRET not in _everything(world)
    assert len(_log(world)) == 4


def test_a_token_in_a_header_an_address_or_a_body_is_not_stored(okta: Directory, world: World) -> None:
    token = okta.token

    okta.get(f"/Users?access_token={token}&count=1", User_Agent=f"curl -H {token}")
    okta.get(f"/Users/{token}")
    okta.get(f"/Users?{token}")
    okta.get(f"/Users?filter=userName%20eq%20%22{token.replace('_', '%5F')}%22")
    okta.get(f"/Users?filter=password%20eq%20%22{SECRET}%22")
    okta.post("/Users", {"userName": "ada", "title": token, "password": "x", "nickName": "the rest is kept"})
    okta.post("/Users", {"userName": ""}).close()
    okta.request("GET", "/Users", headers={"Authorization": f"Basic {SECRET}", "User-Agent": SECRET})

    everything = _everything(world)
    assert token not in everything
    assert token.replace("_", "%5F") not in everything
    assert SECRET not in everything
    assert "the rest is kept" in everything
    assert "/scim/v2/Users?access_token=***&count=1" in everything


def test_what_only_speaks_of_passwords_is_kept(okta: Directory, world: World) -> None:
    okta.create_group("Password Reset Team")

    (entry,) = world.rows("provisioning_log")

    assert orjson.loads(entry["request_body"])["displayName"] == "Password Reset Team"


def test_a_body_that_is_larger_than_the_log_takes_is_not_kept(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, log_body_bytes=100) as world:
        okta = world.connect("acme", "okta")

        okta.create_user("ada@acme.example", title="x" * 100)

        assert [each["request_body"] for each in _log(world)] == [None]


def test_what_the_database_does_not_take_at_once_waits(okta: Directory, world: World) -> None:
    okta.get("/Users")
    world.put_values("directory", world.rows("directory")[0]["id"], name="okta-2")
    broken = journal_of(world.app)
    writing, broken._database = broken._database, _Away()  # type: ignore[assignment]

    broken.flush()
    broken._database = writing

    assert [each["status"] for each in _log(world)] == [200]


class _Away:
    def write(self) -> None:
        from scim_bridge.errors import StoreError

        raise StoreError("The database is away.")
