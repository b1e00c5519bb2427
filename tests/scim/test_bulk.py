"""Many operations in one request."""

from pathlib import Path
from typing import Any

import pytest

from scim_bridge.log import MASK
from tests.scim.doors import PATCH_URN, Directory, World, document, open_world, refusal

BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def bulk(directory: Directory, *operations: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Send operations and return what became of them."""
    answer = directory.post("/Bulk", {"schemas": [BULK_URN], "Operations": list(operations), **more})
    assert answer.status_code == 200, answer.text
    found = document(answer)
    assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]
    results: list[dict[str, Any]] = found["Operations"]
    return results


def user(name: str, bulk_id: str | None = None, **attributes: Any) -> dict[str, Any]:
    """Return the operation that adds a user."""
    data = {"userName": name, **attributes}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id or name, "data": data}


def group(name: str, *members: str) -> dict[str, Any]:
    """Return the operation that adds a group."""
    data = {"displayName": name, "members": [{"value": member} for member in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": name, "data": data}


def id_of(result: dict[str, Any]) -> str:
    """Return the id of what an operation made or changed."""
    return str(result["location"]).rpartition("/")[2]


def test_all_four_verbs_go_in_one_request(okta: Directory) -> None:
    ada, eve, old = (okta.create_user(name) for name in ("ada", "eve", "old"))

    results = bulk(
        okta,
        user("new"),
        {"method": "PUT", "path": f"/Users/{ada}", "data": {"userName": "ada", "title": "Countess"}},
        {
            "method": "PATCH",
            "path": f"/Users/{eve}",
            "data": {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "active", "value": False}]},
        },
        {"method": "DELETE", "path": f"/Users/{old}"},
    )

    assert [each["status"] for each in results] == ["201", "200", "200", "204"]
    assert results[0] == {
        "method": "POST",
        "bulkId": "new",
        "status": "201",
        "version": 'W/"1"',
        "location": f"https://scim.example/scim/v2/Users/{id_of(results[0])}",
    }
    assert results[1]["version"] == 'W/"2"'
    assert id_of(results[3]) == old
    assert okta.user(ada)["title"] == "Countess"
    assert okta.user(eve)["active"] is False
    assert okta.names("/Users?sortBy=userName") == ["ada", "eve", "new"]


def test_a_group_may_name_members_that_come_after_it(okta: Directory) -> None:
    results = bulk(
        okta, group("Outer", "bulkId:Inner", "bulkId:ada"), group("Inner", "bulkId:eve"), user("ada"), user("eve")
    )

    outer, inner, ada, eve = (id_of(each) for each in results)
    assert [each["bulkId"] for each in results] == ["Outer", "Inner", "ada", "eve"]
    assert okta.members(outer) == {inner, ada}
    assert okta.members(inner) == {eve}


def test_what_is_made_can_be_changed_in_the_same_request(okta: Directory) -> None:
    team = okta.create_group("Team")

    results = bulk(
        okta,
        {
            "method": "PATCH",
            "path": f"/Groups/{team}",
            "data": {"Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:ada"}]}]},
        },
        user("ada"),
        {"method": "PUT", "path": "/Users/bulkId:ada", "data": {"userName": "ada.lovelace"}},
    )

    assert [each["status"] for each in results] == ["204", "201", "200"]
    assert okta.members(team) == {id_of(results[1])}
    assert okta.user(id_of(results[1]))["userName"] == "ada.lovelace"


def test_a_circle_is_refused_and_everything_beside_it_done(okta: Directory, world: World) -> None:
    results = bulk(okta, group("A", "bulkId:B"), group("B", "bulkId:A"), group("C", "bulkId:A"), user("ada"))

    assert [each["status"] for each in results] == ["409", "409", "409", "201"]
    assert results[0]["response"]["detail"].endswith("break the circle of bulkIds.")
    assert "location" not in results[0]
    assert world.rows("user_group") == []


def test_what_refers_to_nothing_is_refused_and_not_parked(okta: Directory, world: World) -> None:
    okta.create_user("taken")

    results = bulk(okta, group("A", "bulkId:nobody"), user("taken", "twice"), group("B", "bulkId:twice"))

    assert [each["status"] for each in results] == ["400", "409", "409"]
    assert "'nobody'" in results[0]["response"]["detail"]
    assert results[1]["response"]["scimType"] == "uniqueness"
    assert "'twice'" in results[2]["response"]["detail"]
    assert world.rows("parked_member") == world.rows("user_group") == []


def test_a_failed_operation_takes_nothing_back_and_stops_nothing(okta: Directory) -> None:
    results = bulk(okta, user("ada"), user("ada", "again"), {"method": "DELETE", "path": "/Users/none"}, user("eve"))

    assert [each["status"] for each in results] == ["201", "409", "404", "201"]
    assert results[2]["response"]["status"] == "404"
    assert okta.names("/Users?sortBy=userName") == ["ada", "eve"]


def test_a_request_ends_after_as_many_errors_as_it_allows(okta: Directory) -> None:
    gone = [{"method": "DELETE", "path": f"/Users/{number}"} for number in range(3)]

    results = bulk(okta, user("ada"), *gone, user("eve"), failOnErrors=2)

    assert [each["status"] for each in results] == ["201", "404", "404"]
    assert okta.names("/Users") == ["ada"]


def test_a_version_that_has_gone_by_is_not_overwritten(okta: Directory) -> None:
    ada = okta.create_user("ada")
    change = {"method": "PUT", "path": f"/Users/{ada}", "data": {"userName": "ada", "title": "x"}}

    results = bulk(okta, {**change, "version": 'W/"7"'}, {**change, "version": 'W/"1"'})

    assert [each["status"] for each in results] == ["412", "200"]


def test_if_match_of_the_whole_request_means_none_of_its_operations(okta: Directory) -> None:
    ada = okta.create_user("ada")
    change = {"method": "PUT", "path": f"/Users/{ada}", "data": {"userName": "ada", "title": "x"}}

    answer = okta.request("POST", "/Bulk", {"Operations": [change]}, headers={"If-Match": 'W/"7"'})

    assert [each["status"] for each in document(answer)["Operations"]] == ["200"]


def test_every_operation_has_its_own_entry_in_the_log(okta: Directory, world: World) -> None:
    answer = okta.post("/Bulk", {"Operations": [user("ada", password="hunter22"), user("ada", "again")]})

    name = answer.headers["X-Request-Id"]
    entries = {entry["request_id"]: entry for entry in world.log()}
    assert entries.keys() == {name, f"{name}.1", f"{name}.2"}
    made, refused, whole = entries[f"{name}.1"], entries[f"{name}.2"], entries[name]
    assert (made["method"], made["target"], made["status"]) == ("POST", "/scim/v2/Users", 201)
    assert made["change_id"] is not None
    assert MASK in made["request_body"]
    assert (refused["status"], refused["scim_type"]) == (409, "uniqueness")
    assert (whole["target"], whole["status"], whole["request_body"]) == ("/scim/v2/Bulk", 200, None)
    assert "hunter22" not in str(entries)


def test_nothing_of_another_directory_can_be_reached(okta: Directory, world: World) -> None:
    other = world.connect("rivals", "entra")
    theirs = other.create_user("spy")

    results = bulk(okta, {"method": "DELETE", "path": f"/Users/{theirs}"})

    assert results[0]["status"] == "404"
    assert other.user(theirs)["userName"] == "spy"


def test_no_id_that_is_given_out_looks_like_a_reference(okta: Directory) -> None:
    results = bulk(okta, user("bulkId:z", "x"), user("ada", "bulkId:y"))

    assert [each["status"] for each in results] == ["400", "201"]
    assert "bulkId" not in id_of(results[1])


@pytest.mark.parametrize("body", [{}, {"Operations": [{"method": "GET", "path": "/Users"}]}, {"Operations": 1}])
def test_a_request_that_makes_no_sense_does_nothing(okta: Directory, world: World, body: dict[str, Any]) -> None:
    answer = okta.post("/Bulk", body)

    assert refusal(answer) == (400, "invalidSyntax")
    assert [entry["status"] for entry in world.log()] == [400]


def test_more_than_the_limits_is_refused_with_the_number_and_nothing_is_done(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, max_bulk_operations=2, max_bulk_bytes=2048) as small:
        okta = small.connect("acme", "okta")
        stated = document(okta.get("/ServiceProviderConfig"))["bulk"]

        many = okta.post("/Bulk", {"Operations": [user("a"), user("b"), user("c")]})
        large = okta.post("/Bulk", {"Operations": [user("a", title="x" * 2048)]})

        assert stated == {"supported": True, "maxOperations": 2, "maxPayloadSize": 2048}
        assert (refusal(many), refusal(large)) == ((413, None), (413, None))
        assert "at most 2 operations" in document(many)["detail"]
        assert "at most 2048 bytes" in document(large)["detail"]
        assert small.rows("scim_user") == []


def test_an_operation_that_breaks_has_a_500_of_its_own(okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scim_bridge.identity.provisioning_groups.create_group", break_down)

    results = bulk(okta, group("A"), user("ada"))

    assert [each["status"] for each in results] == ["500", "201"]
    assert "request id" in results[0]["response"]["detail"]
