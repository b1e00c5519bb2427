"""Who may ask, and what every answer looks like, errors above all."""

from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

from scim_bridge.app import create_app
from scim_bridge.errors import Unavailable
from scim_bridge.identity import directory_tokens, provisioning_groups, provisioning_users
from scim_bridge.identity.directory_tokens import TokenWanted
from scim_bridge.scim.protocol import PREFIX
from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from tests.scim.doors import ACTOR, Directory, World, document, open_world, refusal, replace

EVERY_VERB = [
    ("GET", "/Users"),
    ("POST", "/Users"),
    ("POST", "/Users/.search"),
    ("GET", "/Users/{user}"),
    ("PUT", "/Users/{user}"),
    ("PATCH", "/Users/{user}"),
    ("DELETE", "/Users/{user}"),
    ("GET", "/Groups"),
    ("POST", "/Groups"),
    ("POST", "/Groups/.search"),
    ("GET", "/Groups/{group}"),
    ("PUT", "/Groups/{group}"),
    ("PATCH", "/Groups/{group}"),
    ("DELETE", "/Groups/{group}"),
    ("GET", "/Me"),
    ("POST", "/Bulk"),
    ("POST", "/.search"),
]


@pytest.mark.parametrize(("method", "target"), EVERY_VERB)
def test_no_verb_says_anything_to_a_stranger(okta: Directory, world: World, method: str, target: str) -> None:
    ada = okta.create_user("ada@acme.example")
    group = okta.create_group("Engineers", ada)
    before = [world.rows(table) for table in ("scim_user", "user_group", "membership")]

    for named in ({"user": ada, "group": group}, {"user": "nobody", "group": "nothing"}):
        answer = okta.client.open(PREFIX + target.format(**named), method=method, data=b"{broken")

        assert refusal(answer) == (401, None)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="SCIM"'
        assert document(answer)["detail"] == "The bearer token is missing, unknown, expired or revoked."
    assert [world.rows(table) for table in ("scim_user", "user_group", "membership")] == before


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic {token}",
        "Token {token}",
        "Bearer {token} {token}",
        "Bearer {token}x",
        "Bearer \xe9\xff",
    ],
)
def test_what_is_almost_a_credential_is_none(okta: Directory, header: str) -> None:
    answer = okta.request("GET", "/Users", headers={"Authorization": header.format(token=okta.token)})

    assert refusal(answer) == (401, None)


@pytest.mark.parametrize("header", ["Bearer {token}", "bearer {token}", "{token}", "Bearer Bearer {token}"])
def test_a_token_is_read_in_the_forms_that_administrators_paste(okta: Directory, header: str) -> None:
    answer = okta.request("GET", "/Users", headers={"Authorization": header.format(token=okta.token)})

    assert answer.status_code == 200


def test_two_tokens_work_side_by_side_until_one_is_revoked(okta: Directory, world: World) -> None:
    second = directory_tokens.create(world.database, ACTOR, "acme", "okta", TokenWanted("second"))
    newer = Directory(okta.client, second.text, "okta")
    both = [okta.get("/Users").status_code, newer.get("/Users").status_code]

    directory_tokens.revoke(world.database, ACTOR, "acme", second.prefix)

    assert both == [200, 200]
    assert okta.get("/Users").status_code == 200
    assert refusal(newer.get("/Users")) == (401, None)


def test_a_refused_credential_that_was_ours_once_is_in_the_log(okta: Directory, world: World) -> None:
    token = world.rows("directory_token")[0]
    world.put_values("directory_token", token["id"], expires_at=now() - timedelta(seconds=1))

    answer = okta.get("/Users?count=1")

    (entry,) = world.log()
    assert refusal(answer) == (401, None)
    assert (entry["status"], entry["token_id"], entry["target"]) == (401, token["id"], "/scim/v2/Users?count=1")
    assert entry["directory_id"] == token["directory_id"]


@pytest.mark.parametrize(
    ("module", "use_case", "method", "target", "body", "status"),
    [
        (provisioning_users, "create_user", "POST", "/Users", {"userName": "ada"}, 201),
        (provisioning_users, "change_user", "PUT", "/Users/{user}", {"userName": "grace"}, 200),
        (provisioning_groups, "create_group", "POST", "/Groups", {"displayName": "Engineers"}, 201),
        (provisioning_groups, "change_group", "PUT", "/Groups/{group}", {"displayName": "Engineers"}, 200),
    ],
)
def test_a_write_that_is_stored_is_never_answered_as_refused(
    okta: Directory,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    use_case: str,
    method: str,
    target: str,
    body: dict[str, str],
    status: int,
) -> None:
    named = {"user": okta.create_user("eve"), "group": okta.create_group("Others")}
    done = getattr(module, use_case)

    def then_revoked(*arguments: Any) -> Any:
        made = done(*arguments)
        world.put_values("directory_token", world.rows("directory_token")[0]["id"], revoked_at=now())
        return made

    monkeypatch.setattr(module, use_case, then_revoked)

    answer = okta.request(method, target.format(**named), body)

    assert answer.status_code == status
    assert body.items() <= document(answer).items()
    assert refusal(okta.get("/Users")) == (401, None)


def test_a_credential_that_nobody_ever_gave_out_costs_no_transaction_of_its_own(okta: Directory, world: World) -> None:
    okta.request("GET", "/Users", headers={"Authorization": "Bearer guess"})

    assert world.rows("provisioning_log") == []


@pytest.mark.parametrize(("state", "status"), [("paused", 503), ("detached", 401)])
def test_a_directory_that_is_not_served_changes_nothing(okta: Directory, world: World, state: str, status: int) -> None:
    world.put_values("directory", world.rows("directory")[0]["id"], state=state)

    answer = okta.post("/Users", {"userName": "ada@acme.example"})

    assert refusal(answer) == (status, None)
    assert answer.headers.get("Retry-After") == ("300" if state == "paused" else None)
    assert world.rows("scim_user") == []
    assert [entry["status"] for entry in world.log()] == [status]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/Nothing", 404),
        ("GET", "/Users/a/b", 404),
        ("GET", "", 404),
        ("DELETE", "/Users", 405),
        ("PUT", "/Groups", 405),
        ("POST", "/Schemas", 405),
        ("OPTIONS", "/Users", 405),
        ("BREW", "/Users", 405),
        ("GET", "/Me", 501),
        ("PATCH", "/Me", 501),
        ("DELETE", "/Me", 501),
    ],
)
def test_what_is_not_offered_is_refused_as_scim(okta: Directory, method: str, target: str, status: int) -> None:
    answer = okta.request(method, target)

    assert refusal(answer) == (status, None)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/scim+json", 201),
        ("application/scim+json; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("Application/JSON", 201),
        ("", 201),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=utf-16", 415),
    ],
)
def test_bodies_are_json_and_nothing_else(okta: Directory, content_type: str, status: int) -> None:
    answer = okta.request("POST", "/Users", {"userName": "a"}, headers={"Content-Type": content_type})

    assert answer.status_code == status
    if status == 415:
        assert refusal(answer) == (415, None)


def test_a_compressed_body_is_refused_rather_than_misread(okta: Directory) -> None:
    answer = okta.request("POST", "/Users", {"userName": "a"}, headers={"Content-Encoding": "gzip"})

    assert refusal(answer) == (415, None)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"a": NaN}', b'{"userName": "\\ud800"}', b"[" * 3000]
)
def test_a_body_that_is_no_json_object_is_invalid_syntax(okta: Directory, raw: bytes) -> None:
    answers = [okta.request(method, target, raw=raw) for method, target in (("POST", "/Users"), ("PUT", "/Groups/x"))]

    assert [refusal(answer) for answer in answers] == [(400, "invalidSyntax")] * 2


def test_a_byte_order_mark_is_no_reason_to_refuse(okta: Directory) -> None:
    answer = okta.request("POST", "/Users", raw=b'\xef\xbb\xbf{"userName": "ada"}')

    assert answer.status_code == 201


def test_a_body_over_the_limit_is_not_even_read(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, max_body_bytes=2048) as world:
        okta = world.connect("acme", "okta")

        answer = okta.post("/Users", {"userName": "a", "title": "x" * 4096})
        smaller = okta.post("/Users", {"userName": "a", "title": "x" * 1024})

    assert refusal(answer) == (413, None)
    assert smaller.status_code == 201


def test_a_bug_is_a_scim_error_with_a_number_and_no_more(
    okta: Directory, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret inner workings")

    monkeypatch.setattr(provisioning_users, "create_user", fail)

    answer = okta.post("/Users", {"userName": "ada", "password": "hunter2"})

    assert refusal(answer) == (500, None)
    assert "inner workings" not in answer.text
    assert answer.headers["X-Request-Id"] in document(answer)["detail"]
    (entry,) = world.log()
    assert (entry["status"], entry["request_id"]) == (500, answer.headers["X-Request-Id"])
    assert "hunter2" not in entry["request_body"]


def test_a_busy_database_asks_for_patience_in_whole_seconds(okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise Unavailable("The database is busy; try again in a moment.", retry_after=1)

    monkeypatch.setattr(provisioning_users, "create_user", fail)

    answer = okta.post("/Users", {"userName": "ada"})

    assert refusal(answer) == (503, None)
    assert answer.headers["Retry-After"] == "1"


def test_a_dead_database_is_503_and_says_nothing_about_itself(tmp_path: Path) -> None:
    url = SecretStr("postgresql://bridge:hunter2@127.0.0.1:1/none")
    client = create_app(Settings(home=tmp_path, database_url=url)).test_client()

    answer = client.get("/scim/v2/Users", headers={"Authorization": "Bearer scimb_any"})

    assert refusal(answer) == (503, None)
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in answer.text
    assert "postgresql" not in answer.text


def test_a_refusal_is_kept_with_its_reason_and_without_passwords(okta: Directory, world: World) -> None:
    answer = okta.request(
        "POST", "/Users", {"userName": "", "password": "hunter2"}, headers={"User-Agent": "Okta SCIM Client 1.0.0"}
    )

    (entry,) = world.log()
    assert refusal(answer) == (400, "invalidValue")
    assert (entry["method"], entry["target"], entry["status"]) == ("POST", "/scim/v2/Users", 400)
    assert (entry["scim_type"], entry["message"]) == ("invalidValue", "userName is required.")
    assert entry["request_body"] == '{"userName":"","password":"***"}'
    assert entry["user_agent"] == "Okta SCIM Client 1.0.0"
    assert entry["change_id"] is None


@pytest.mark.parametrize("target", ["/Users/%00", "/Users/%FF%FE", "/Users?filter=%00", "/Users?filter=%FF", "/%00"])
def test_bytes_that_no_database_stores_are_a_refusal_like_any_other(okta: Directory, target: str) -> None:
    answer = okta.get(target)

    assert refusal(answer)[0] in (400, 404)


def test_answers_are_named_and_kept_out_of_caches(okta: Directory) -> None:
    good, bad = okta.get("/Users"), okta.get("/Users/nobody")

    assert good.headers["X-Request-Id"] != bad.headers["X-Request-Id"]
    for answer in (good, bad):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_stranger_cannot_name_requests_or_addresses(okta: Directory, world: World) -> None:
    answer = okta.request("GET", "/Users/x", headers={"X-Request-Id": "mine", "X-Forwarded-For": "192.0.2.9"})

    assert answer.headers["X-Request-Id"] != "mine"
    assert world.log()[0]["address"] == "127.0.0.1"


@pytest.mark.parametrize(("sent", "kept"), [("a-1.b_2", True), ("bad id", False), ("x" * 65, False)])
def test_a_trusted_proxy_names_requests_and_addresses(migrated_url: str, tmp_path: Path, sent: str, kept: bool) -> None:
    with open_world(migrated_url, tmp_path, trusted_proxies=1) as world:
        okta = world.connect("acme", "okta")

        answer = okta.request("GET", "/Users/x", headers={"X-Request-Id": sent, "X-Forwarded-For": "192.0.2.9"})

        (entry,) = world.log()
    assert (answer.headers["X-Request-Id"] == sent) is kept
    assert (entry["request_id"], entry["address"]) == (answer.headers["X-Request-Id"], "192.0.2.9")


@pytest.mark.parametrize("path", ["/scim/v2/Users/", "/scim/v2//Users", "/scim//v2/Users", "/scim/v2/Users//"])
def test_slashes_that_people_type_do_not_matter(okta: Directory, path: str) -> None:
    headers = {"Authorization": f"Bearer {okta.token}"}

    made = okta.client.post(path, json={"userName": "ada"}, headers=headers)
    listed = okta.client.get(path, headers=headers)

    assert (made.status_code, listed.status_code) == (201, 200)
    assert document(listed)["totalResults"] == 1


def test_the_use_of_a_token_is_noted_once_a_minute(okta: Directory, world: World) -> None:
    okta.request("GET", "/Users", headers={"User-Agent": "first"}).close()
    first = world.rows("directory_token")[0]
    okta.request("GET", "/Users", headers={"User-Agent": "second"}).close()
    second = world.rows("directory_token")[0]
    world.put_values("directory_token", first["id"], last_used_at=now() - timedelta(minutes=2))
    okta.request("GET", "/Users", headers={"User-Agent": "third"}).close()
    third = world.rows("directory_token")[0]

    assert [each["last_user_agent"] for each in (first, second, third)] == ["first", "first", "third"]
    assert first["last_address"] == "127.0.0.1"


def test_a_head_is_a_get_without_its_body(okta: Directory) -> None:
    user_id = okta.create_user("ada")

    answer = okta.request("HEAD", f"/Users/{user_id}")
    again = okta.request("HEAD", f"/Users/{user_id}", headers={"If-None-Match": answer.headers["ETag"]})

    assert (answer.status_code, answer.data, again.status_code) == (200, b"", 304)
    assert answer.headers["ETag"] == 'W/"1"'


def test_a_refused_patch_leaves_no_trace_but_in_the_log(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada", title="Analyst")
    before = world.rows("scim_user")

    answer = okta.patch(f"/Users/{user_id}", replace("title", "Countess"), replace("id", "other"))

    assert refusal(answer) == (400, "mutability")
    assert world.rows("scim_user") == before
    assert [entry["status"] for entry in world.log()] == [201, 400]
