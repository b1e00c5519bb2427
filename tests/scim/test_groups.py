"""Groups at the door, beyond what one vendor's conversation shows."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.store.database import Database
from tests.scim.doors import Directory, World, document, refusal, replace


@pytest.fixture
def people(okta: Directory) -> list[str]:
    """Create three people."""
    return [okta.create_user(name) for name in ("ada", "bob", "cyd")]


@pytest.fixture
def engineers(okta: Directory, people: list[str]) -> str:
    """Create a group with two of them."""
    return okta.create_group("Engineers", *people[:2])


def remove(*ids: str) -> dict[str, Any]:
    """Return the removal of members by name."""
    return {"op": "remove", "path": "members[" + " or ".join(f'value eq "{each}"' for each in ids) + "]"}


def add(*ids: str) -> dict[str, Any]:
    """Return the addition of members."""
    return {"op": "add", "path": "members", "value": [{"value": each} for each in ids]}


def test_a_group_is_answered_with_its_members_and_where_they_are(
    okta: Directory, people: list[str], engineers: str
) -> None:
    nested = okta.create_group("Everybody", people[2], engineers)

    answer = okta.get(f"/Groups/{nested}")

    found = document(answer)
    root = "https://scim.example/scim/v2"
    assert found["members"] == [
        {"value": people[2], "$ref": f"{root}/Users/{people[2]}", "type": "User"},
        {"value": engineers, "$ref": f"{root}/Groups/{engineers}", "type": "Group"},
    ]
    assert answer.headers["ETag"] == found["meta"]["version"]
    assert found["meta"]["location"] == f"{root}/Groups/{nested}"


def test_a_group_may_hold_itself_and_still_be_read(okta: Directory, engineers: str, people: list[str]) -> None:
    answer = okta.patch(f"/Groups/{engineers}", add(engineers))

    assert answer.status_code == 204
    assert okta.get(f"/Groups/{engineers}").status_code == 200
    assert okta.patch(f"/Groups/{engineers}", remove(people[0])).status_code == 204


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([{"op": "remove", "path": "members"}], ""),
        ([{"op": "replace", "path": "members", "value": []}], ""),
        ([{"op": "remove", "path": "members", "value": []}], "ab"),
        ([{"op": "add", "path": "members", "value": []}], "ab"),
        ([{"op": "remove", "path": "members", "value": [{"value": "{a}"}, {"value": "{b}"}]}], ""),
        ([{"op": "remove", "path": "members", "value": {"value": "{a}"}}], "b"),
        ([{"op": "remove", "path": "members", "value": ["{a}"]}], "b"),
        ([{"op": "remove", "path": "members", "value": [{"$ref": "https://x/Users/{a}"}]}], "b"),
        ([{"op": "remove", "path": 'members[value eq "{a}" or value eq "{c}"]'}], "b"),
        ([{"op": "remove", "path": 'members[value eq "nobody"]'}], "ab"),
        ([{"op": "add", "path": "members", "value": {"value": "{c}"}}], "abc"),
        ([{"op": "add", "path": 'members[value eq "{c}"]', "value": {"value": "{c}"}}], "abc"),
        ([{"op": "add", "path": "Members", "value": [{"value": "{c}"}, {"value": "{c}"}]}], "abc"),
        ([{"op": "add", "value": {"members": [{"value": "{c}"}]}}], "abc"),
        ([{"op": "replace", "value": {"members": [{"value": "{c}"}], "displayName": "X"}}], "c"),
        ([{"op": "replace", "value": '{"members": [{"value": "{c}"}]}'}], "c"),
        ([{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": ["{c}"]}], "abc"),
        ([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": ["{b}"]}], "b"),
        ([{"op": "add", "path": "members", "value": ["{c}"]}, {"op": "remove", "path": "members"}], ""),
        (
            [
                {"op": "remove", "path": "members", "value": ["{a}"]},
                {"op": "add", "path": "members", "value": ["{a}"]},
            ],
            "ab",
        ),
    ],
)
def test_members_become_what_the_operations_say(
    okta: Directory, people: list[str], engineers: str, operations: list[dict[str, Any]], left: str
) -> None:
    names = dict(zip("abc", people, strict=True))

    answer = okta.patch(f"/Groups/{engineers}", *(_filled(each, names) for each in operations))

    assert (answer.status_code, answer.text) == (204, "")
    assert okta.members(engineers) == {names[letter] for letter in left}


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": "members", "value": None}, "invalidValue"),
        ({"op": "replace", "path": "members"}, "invalidValue"),
        ({"op": "replace", "path": "members", "value": ""}, "invalidValue"),
        ({"op": "replace", "path": "members", "value": "  "}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"display": "ada"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [7]}, "invalidValue"),
        ({"op": "remove", "path": 'members[display eq "ada"]'}, "invalidFilter"),
        ({"op": "remove", "path": 'members[not (value eq "x")]'}, "invalidFilter"),
        ({"op": "remove", "path": 'members[value ne "x"]'}, "invalidFilter"),
        ({"op": "remove", "path": "members[value pr]"}, "invalidFilter"),
        ({"op": "replace", "path": 'members[value eq "x"]', "value": {"value": "y"}}, "mutability"),
        ({"op": "replace", "path": "members.value", "value": "y"}, "mutability"),
        ({"op": "remove", "path": "displayName"}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": ""}, "invalidValue"),
    ],
)
def test_a_slip_empties_no_group(
    okta: Directory, people: list[str], engineers: str, operation: dict[str, Any], scim_type: str
) -> None:
    answer = okta.patch(f"/Groups/{engineers}", add(people[2]), operation)

    assert refusal(answer) == (400, scim_type)
    assert okta.members(engineers) == set(people[:2])


def test_a_patch_is_all_or_nothing_over_names_and_members(
    okta: Directory, people: list[str], engineers: str, world: World
) -> None:
    okta.create_group("Taken")
    before = [world.rows(table) for table in ("user_group", "membership", "change_row")]

    answer = okta.patch(f"/Groups/{engineers}", remove(*people), add(people[2]), replace("displayName", "taken"))

    assert refusal(answer) == (409, "uniqueness")
    assert [world.rows(table) for table in ("user_group", "membership", "change_row")] == before


def test_a_patch_of_members_reads_no_member_list(
    okta: Directory, people: list[str], engineers: str, world: World
) -> None:
    statements = list[str]()
    with _watched(world.database, statements):
        okta.patch(f"/Groups/{engineers}", add(people[2]))
        okta.patch(f"/Groups/{engineers}", remove(people[2]))

    reads = [text for text in statements if text.startswith("SELECT") and "membership" in text.partition("WHERE")[0]]
    assert statements != []
    # Only rows of the members that were named are looked at.
    assert [text for text in reads if "member_id IN" not in text and "scim_user_id IN" not in text] == []


def test_a_put_without_members_is_a_rename_and_an_empty_list_is_not(
    okta: Directory, people: list[str], engineers: str
) -> None:
    renamed = okta.put(f"/Groups/{engineers}", {"displayName": "Makers"})
    kept = okta.members(engineers)
    emptied = okta.put(f"/Groups/{engineers}", {"displayName": "Makers", "members": []})

    assert (renamed.status_code, document(renamed)["displayName"]) == (200, "Makers")
    assert kept == set(people[:2])
    assert (emptied.status_code, document(emptied)["members"]) == (200, [])
    assert okta.members(engineers) == set()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_group_that_has_changed_is_not_overwritten(
    okta: Directory, people: list[str], engineers: str, method: str
) -> None:
    okta.patch(f"/Groups/{engineers}", add(people[2]))
    bodies = {"PUT": {"displayName": "X", "members": []}, "PATCH": {"Operations": [remove(*people)]}, "DELETE": None}

    stale = okta.request(method, f"/Groups/{engineers}", bodies[method], headers={"If-Match": 'W/"1"'})
    members = okta.members(engineers)
    fresh = okta.request(method, f"/Groups/{engineers}", bodies[method], headers={"If-Match": 'W/"2"'})

    assert refusal(stale) == (412, None)
    assert members == set(people)
    assert fresh.status_code in (200, 204)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("attributes=displayName", {"displayName"}),
        ("attributes=members", {"members"}),
        ("excludedAttributes=members", {"displayName", "meta"}),
        ("excludedAttributes=members,meta", {"displayName"}),
        ("attributes=members&excludedAttributes=members", set()),
        ("attributes=urn:ietf:params:scim:schemas:core:2.0:Group:members", {"members"}),
    ],
)
def test_members_are_answered_only_where_they_are_wanted(
    okta: Directory, engineers: str, query: str, keys: set[str]
) -> None:
    one = document(okta.get(f"/Groups/{engineers}?{query}"))
    listed = document(okta.get(f"/Groups?{query}"))["Resources"][0]
    searched = document(okta.post("/Groups/.search", dict(part.split("=") for part in query.split("&"))))
    replaced = document(okta.put(f"/Groups/{engineers}?{query}", {"displayName": "Engineers"}))

    assert one.keys() - {"schemas", "id"} == keys
    assert one == listed == searched["Resources"][0] == replaced


def test_parts_of_members_are_answered_alone(okta: Directory, people: list[str], engineers: str) -> None:
    shown = document(okta.get(f"/Groups/{engineers}?attributes=members.value"))
    hidden = document(okta.get(f"/Groups/{engineers}?excludedAttributes=members.$ref"))

    assert {each["value"] for each in shown["members"]} == set(people[:2])
    assert {key for each in shown["members"] for key in each} == {"value"}
    assert {key for each in hidden["members"] for key in each} == {"value", "type"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "displayName is required."),
        ({"displayName": " "}, "displayName is required."),
        ({"displayName": ["x"]}, "displayName must be a text."),
        ({"displayName": "x" * 1025}, "displayName is longer than 1024 characters."),
        ({"displayName": "x", "members": [{"value": None}]}, "The list of members holds a member without an id."),
    ],
)
def test_a_wrong_group_is_refused_in_a_sentence(okta: Directory, body: dict[str, Any], sentence: str) -> None:
    answer = okta.post("/Groups", body)

    assert refusal(answer) == (400, "invalidValue")
    assert document(answer)["detail"] == sentence
    assert okta.names("/Groups") == []


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('displayName eq "ENGINEERS"', ["Engineers"]),
        ('displayName sw "m" or displayName ew "ers"', ["Engineers", "Makers"]),
        ('members eq "{a}"', ["Engineers"]),
        ('members.value eq "{a}" and displayName ne "Makers"', ["Engineers"]),
        ('not (members[value eq "{a}"])', ["Makers"]),
        ('id eq "{group}"', ["Engineers"]),
        ('externalId eq "ext"', []),
    ],
)
def test_groups_are_found_by_name_and_by_member(
    okta: Directory, people: list[str], engineers: str, filter_: str, found: list[str]
) -> None:
    okta.create_group("Makers", people[2])

    text = filter_.replace("{a}", people[0]).replace("{group}", engineers)

    assert okta.names(f"/Groups?filter={text}") == found


def test_a_group_of_thousands_is_read_and_changed(okta: Directory, world: World) -> None:
    unknown = [f"unknown-{number}" for number in range(3000)]
    ada = okta.create_user("ada")

    group = okta.create_group("Everybody", ada, *unknown)
    answer = okta.patch(f"/Groups/{group}", remove(*unknown[:50]), {"op": "replace", "path": "members", "value": [ada]})

    assert answer.status_code == 204
    assert okta.members(group) == {ada}
    assert [row for row in world.rows("parked_member", group_id=group) if row["valid_to"] is None] == []


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    for letter, name in names.items():
        value = value.replace(f"{{{letter}}}", name) if isinstance(value, str) else value
    return value


class _watched:  # noqa: N801 - it reads as a verb
    """Collects the statements that a database is sent while the block runs."""

    def __init__(self, database: Database, statements: list[str]) -> None:
        self._engine, self._statements = database.engine, statements

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._statements.append(statement)

    def __enter__(self) -> None:
        sa.event.listen(self._engine, "before_cursor_execute", self._note)

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self._engine, "before_cursor_execute", self._note)
