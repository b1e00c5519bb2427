"""Users at the door, beyond what one vendor's conversation shows."""

from pathlib import Path
from typing import Any

import pytest

from tests.scim.doors import ENTERPRISE_URN, Directory, World, document, open_world, refusal, replace

WORK = {"type": "work", "value": "ada@acme.example", "primary": True}


@pytest.fixture
def ada(okta: Directory) -> str:
    """Create a person with some of everything."""
    enterprise = {ENTERPRISE_URN: {"department": "Engines", "manager": {"value": "boss"}}}
    return okta.create_user(
        "ada@acme.example",
        name={"givenName": "Ada", "familyName": "King"},
        displayName="Ada King",
        emails=[WORK, {"type": "home", "value": "ada@home.example"}],
        **enterprise,
    )


def test_who_is_not_said_to_be_inactive_is_active(okta: Directory) -> None:
    answer = okta.post("/Users", {"userName": "ada"})

    assert document(answer)["active"] is True
    assert okta.names("/Users?filter=active eq true") == ["ada"]


def test_a_put_without_active_does_not_bring_a_leaver_back(okta: Directory, ada: str, world: World) -> None:
    okta.patch(f"/Users/{ada}", replace("active", False))

    answer = okta.put(f"/Users/{ada}", {"userName": "ada@acme.example", "title": "Countess"})

    assert (answer.status_code, document(answer)["active"]) == (200, False)
    assert world.rows("member")[0]["state"] == "deactivated"


def test_removing_active_brings_nobody_back(okta: Directory, ada: str, world: World) -> None:
    okta.patch(f"/Users/{ada}", replace("active", False))

    answer = okta.patch(f"/Users/{ada}", {"op": "remove", "path": "active"})

    assert answer.status_code == 200
    assert world.rows("scim_user")[0]["active"] is False
    assert world.rows("member")[0]["state"] == "deactivated"


def test_a_put_replaces_everything_that_the_client_owns(okta: Directory, ada: str) -> None:
    answer = okta.put(f"/Users/{ada}", {"userName": "ada@acme.example", "id": "mine", "meta": {"version": "x"}})

    found = document(answer)
    assert found.keys() == {"schemas", "id", "userName", "active", "meta"}
    assert (found["id"], found["meta"]["version"]) == (ada, 'W/"2"')


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "userName is required."),
        ({"userName": ""}, "userName is required."),
        ({"userName": "  "}, "userName is required."),
        ({"userName": None}, "userName is required."),
        ({"userName": 7}, "userName must be a text."),
        ({"userName": "x" * 1025}, "userName is longer than 1024 characters."),
        ({"userName": "a", "externalId": "x" * 1025}, "externalId is longer than 1024 characters."),
        ({"userName": "a", "displayName": "x" * 1025}, "displayName is longer than 1024 characters."),
        ({"userName": "a", "emails": [{"value": "x" * 1025}]}, "emails is longer than 1024 characters."),
        ({"userName": "a", "active": "perhaps"}, "active must be true or false."),
        ({"userName": "a", "name": "Ada", "title": []}, "title must be a text."),
        ({"userName": "a", "emails": [7]}, "emails must be an object."),
        ({"userName": "a", "title": "\x00"}, "A text holds the character NUL, which cannot be stored."),
    ],
)
def test_a_wrong_value_is_named_in_a_sentence(okta: Directory, body: dict[str, Any], sentence: str) -> None:
    answer = okta.post("/Users", body)

    assert refusal(answer) == (400, "invalidValue")
    assert document(answer)["detail"] == sentence


def test_a_name_that_stands_twice_is_refused_rather_than_guessed(okta: Directory) -> None:
    answer = okta.post("/Users", {"userName": "ada", "USERNAME": "eve"})

    assert refusal(answer) == (400, "invalidSyntax")


def test_what_no_schema_declares_is_kept_and_returned(okta: Directory) -> None:
    unknown = {"costCode": "7", "urn:example:badge": {"Number": 12, "colours": ["red"]}}

    user_id = okta.create_user("ada", **unknown)

    found = okta.user(user_id)
    assert {key: found[key] for key in unknown} == unknown
    assert "urn:example:badge" in found["schemas"]


def test_names_are_answered_as_the_schema_spells_them(okta: Directory) -> None:
    answer = okta.post("/Users", {"USERNAME": "ada", "Name": {"GIVENNAME": "Ada"}, "ExternalID": "7"})

    found = document(answer)
    assert (found["userName"], found["name"], found["externalId"]) == ("ada", {"givenName": "Ada"}, "7")


def test_the_groups_of_a_person_are_the_servers_to_say(okta: Directory, ada: str) -> None:
    group = okta.create_group("Engineers", ada)

    written = okta.put(f"/Users/{ada}", {"userName": "ada@acme.example", "groups": []})
    refused = okta.patch(f"/Users/{ada}", replace("groups", []))
    passed_over = okta.patch(f"/Users/{ada}", {"op": "replace", "value": {"groups": [], "title": "Countess"}})

    assert [each["value"] for each in document(written)["groups"]] == [group]
    assert refusal(refused) == (400, "mutability")
    assert (passed_over.status_code, document(passed_over)["title"]) == (200, "Countess")
    assert [each["display"] for each in okta.user(ada)["groups"]] == ["Engineers"]


def test_a_change_that_changes_nothing_counts_no_version(okta: Directory, ada: str, world: World) -> None:
    before = world.rows("scim_user")

    answer = okta.patch(f"/Users/{ada}", replace("displayName", "Ada King"))

    assert answer.status_code == 200
    assert world.rows("scim_user") == before


def test_operations_apply_in_their_order(okta: Directory, ada: str) -> None:
    answer = okta.patch(
        f"/Users/{ada}",
        replace("title", "first"),
        {"op": "remove", "path": "title"},
        {"op": "add", "path": "title", "value": "last"},
    )

    assert document(answer)["title"] == "last"


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "move", "path": "title"}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "add", "path": "title"}, "invalidValue"),
        ({"op": "replace", "path": "title[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 7, "value": "x"}, "invalidPath"),
        ({"op": "replace", "value": "x"}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "meta.version", "value": "x"}, "mutability"),
        ({"op": "remove", "path": "userName"}, "invalidValue"),
        ({"op": "replace", "path": "userName", "value": ""}, "invalidValue"),
    ],
)
def test_a_wrong_operation_says_what_is_wrong(
    okta: Directory, ada: str, operation: dict[str, Any], scim_type: str
) -> None:
    before = okta.user(ada)

    answer = okta.patch(f"/Users/{ada}", replace("title", "lost"), operation)

    assert refusal(answer) == (400, scim_type)
    assert okta.user(ada) == before


def test_more_operations_than_the_limit_are_refused_at_once(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, max_patch_operations=3) as world:
        okta = world.connect("acme", "okta")
        user_id = okta.create_user("ada")

        accepted = okta.patch(f"/Users/{user_id}", *[replace("title", "x")] * 3)
        refused = okta.patch(f"/Users/{user_id}", *[replace("title", "y")] * 4)

    assert accepted.status_code == 200
    assert refusal(refused) == (413, None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("if_match", "passes"),
    [
        ('W/"2"', True),
        ('"2"', True),
        ('W/"1", W/"2"', True),
        ("*", True),
        ('W/"1"', False),
        ('"nonsense"', False),
        ("", False),
        ('W/"-2"', False),
    ],
)
def test_a_version_that_has_changed_is_not_overwritten(
    okta: Directory, ada: str, method: str, if_match: str, passes: bool
) -> None:
    okta.patch(f"/Users/{ada}", replace("title", "Analyst"))
    patch = {"Operations": [replace("title", "Countess")]}
    bodies = {"PUT": {"userName": "ada@acme.example"}, "PATCH": patch, "DELETE": None}

    answer = okta.request(method, f"/Users/{ada}", bodies[method], headers={"If-Match": if_match})

    if passes:
        assert answer.status_code == (204 if method == "DELETE" else 200)
    else:
        assert refusal(answer) == (412, None)
        assert okta.user(ada)["title"] == "Analyst"


def test_a_version_that_the_client_has_is_not_sent_again(okta: Directory, ada: str) -> None:
    fresh = okta.get(f"/Users/{ada}")

    same = okta.get(f"/Users/{ada}", If_None_Match=fresh.headers["ETag"])
    okta.patch(f"/Users/{ada}", replace("title", "Countess"))
    changed = okta.get(f"/Users/{ada}", If_None_Match=fresh.headers["ETag"])

    assert fresh.headers["ETag"] == document(fresh)["meta"]["version"]
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", fresh.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("attributes=userName", {"userName"}),
        ("attributes=USERNAME, displayName", {"userName", "displayName"}),
        ("attributes=nothing", set()),
        ("attributes=groups", set()),
        ("attributes=meta.version", {"meta"}),
        (f"attributes={ENTERPRISE_URN}:department", {ENTERPRISE_URN}),
        (f"attributes={ENTERPRISE_URN}", {ENTERPRISE_URN}),
        ("attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName", {"userName"}),
        ("attributes=name.givenName,emails.value", {"name", "emails"}),
        ("attributes=userName,name&excludedAttributes=name", {"userName"}),
        ("excludedAttributes=name,emails,meta,active", {"userName", "displayName", ENTERPRISE_URN}),
        ("excludedAttributes=id,schemas,name,emails,meta,active,displayName", {"userName", ENTERPRISE_URN}),
    ],
)
def test_only_the_attributes_asked_for_are_answered(okta: Directory, ada: str, query: str, keys: set[str]) -> None:
    one = document(okta.get(f"/Users/{ada}?{query}"))
    listed = document(okta.get(f"/Users?{query}"))["Resources"][0]
    written = document(okta.put(f"/Users/{ada}?{query}", {**okta.user(ada)}))

    assert one.keys() - {"schemas", "id"} == keys
    assert one["id"] == ada
    assert one == listed
    assert written == one


def test_parts_of_attributes_are_answered_alone(okta: Directory, ada: str) -> None:
    shown = document(okta.get(f"/Users/{ada}?attributes=name.givenName,emails.value,{ENTERPRISE_URN}:manager"))
    hidden = document(okta.get(f"/Users/{ada}?excludedAttributes=name.givenName,emails.type,{ENTERPRISE_URN}:manager"))

    assert shown["name"] == {"givenName": "Ada"}
    assert shown["emails"] == [{"value": "ada@acme.example"}, {"value": "ada@home.example"}]
    assert shown[ENTERPRISE_URN] == {"manager": {"value": "boss"}}
    assert hidden["name"] == {"familyName": "King"}
    assert hidden["emails"] == [{"value": "ada@acme.example", "primary": True}, {"value": "ada@home.example"}]
    assert hidden[ENTERPRISE_URN] == {"department": "Engines"}


@pytest.mark.parametrize(
    ("query", "names", "start"),
    [
        ("", ["p0", "p1", "p2", "p3", "p4"], 1),
        ("startIndex=2&count=2", ["p1", "p2"], 2),
        ("startIndex=5&count=2", ["p4"], 5),
        ("startIndex=6", [], 6),
        ("startIndex=0", ["p0", "p1", "p2", "p3", "p4"], 1),
        ("startIndex=-3&count=1", ["p0"], 1),
        ("count=0", [], 1),
        ("count=-1", [], 1),
        ("startIndex=99999999999999999999", [], 2**31),
        ("STARTINDEX=5", ["p4"], 5),
        ("count=", ["p0", "p1", "p2", "p3", "p4"], 1),
        ("aadOptscim062020&unknown=1", ["p0", "p1", "p2", "p3", "p4"], 1),
    ],
)
def test_pages_are_where_they_are_asked_for(okta: Directory, query: str, names: list[str], start: int) -> None:
    for number in range(5):
        okta.create_user(f"p{number}")

    found = document(okta.get(f"/Users?{query}"))

    assert [each["userName"] for each in found["Resources"]] == names
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (5, start, len(names))


@pytest.mark.parametrize("query", ["startIndex=one", "count=1.5", f"count={'9' * 21}", "startIndex=0x10"])
def test_a_page_that_is_no_number_is_refused(okta: Directory, query: str) -> None:
    assert refusal(okta.get(f"/Users?{query}")) == (400, "invalidValue")


def test_no_page_is_larger_than_the_limit(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, max_page_size=2, default_page_size=1) as world:
        okta = world.connect("acme", "okta")
        for number in range(4):
            okta.create_user(f"p{number}")

        usual, most = document(okta.get("/Users")), document(okta.get("/Users?count=1000"))

    assert (usual["itemsPerPage"], most["itemsPerPage"]) == (1, 2)
    assert (usual["totalResults"], most["totalResults"]) == (4, 4)


def test_a_search_finds_what_a_list_finds(okta: Directory, ada: str) -> None:
    okta.create_user("bob")
    wanted = {"filter": 'userName sw "ada"', "attributes": ["userName"], "startIndex": 1, "count": 5}

    answer = okta.post("/Users/.search", wanted)

    found = document(answer)
    assert answer.status_code == 200
    assert [each["userName"] for each in found["Resources"]] == ["ada@acme.example"]
    assert found["Resources"][0].keys() == {"schemas", "id", "userName"}


@pytest.mark.parametrize(
    ("wanted", "scim_type"),
    [
        ({"filter": 7}, "invalidFilter"),
        ({"filter": "(("}, "invalidFilter"),
        ({"filter": "x" * 5000}, "invalidFilter"),
        ({"filter": 'meta.created gt "yesterday"'}, "invalidFilter"),
        ({"filter": 'meta.created gt "0001-01-01T00:00:00+14:00"'}, "invalidFilter"),
        ({"filter": 'meta.location sw "https"'}, "invalidFilter"),
        ({"count": True}, "invalidValue"),
        ({"startIndex": [1]}, "invalidValue"),
        ({"attributes": [1]}, "invalidValue"),
        ({"attributes": {"a": 1}}, "invalidValue"),
        ({"attributes": ["a[b"]}, "invalidPath"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(okta: Directory, wanted: dict[str, Any], scim_type: str) -> None:
    answer = okta.post("/Users/.search", wanted)

    assert refusal(answer) == (400, scim_type)


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('emails[type eq "home"].value eq "ADA@home.example"', ["ada@acme.example"]),
        ('emails[type eq "home" and primary eq true]', []),
        ('not (emails[type eq "home"])', ["bob"]),
        ("emails pr", ["ada@acme.example"]),
        ('name.familyName co "in"', ["ada@acme.example"]),
        (f'{ENTERPRISE_URN}:department eq "engines"', ["ada@acme.example"]),
        ('manager eq "boss"', ["ada@acme.example"]),
        ('userName ge "b"', ["bob"]),
        ('meta.lastModified gt "2001-01-01T00:00:00Z" and active eq true', ["ada@acme.example", "bob"]),
        ('userName eq "bo\\u0062"', ["bob"]),
        ("cost gt 99999999999999999999999 or cost lt -1e308", []),
        ("title eq null", ["ada@acme.example", "bob"]),
    ],
)
def test_filters_find_people_without_the_attribute_as_well(
    okta: Directory, ada: str, filter_: str, found: list[str]
) -> None:
    okta.create_user("bob")

    assert okta.names(f"/Users?filter={filter_}") == found


def test_who_is_revived_is_answered_with_the_groups_they_kept(okta: Directory, ada: str) -> None:
    group = okta.create_group("Engineers", ada)
    okta.patch(f"/Users/{ada}", replace("active", False))

    answer = okta.post("/Users", {"userName": "ada@acme.example"})

    assert (answer.status_code, document(answer)["id"]) == (201, ada)
    assert [each["value"] for each in document(answer)["groups"]] == [group]
    assert answer.headers["ETag"] == 'W/"3"'


def test_a_wrong_question_about_the_answer_is_refused_before_anything_changes(okta: Directory, world: World) -> None:
    answer = okta.post("/Users?attributes=a[b", {"userName": "ada"})

    assert refusal(answer) == (400, "invalidPath")
    assert world.rows("scim_user") == []
