"""The wire files say what they show, can be filled in, and leave out nothing that idp-behaviour.md calls a request."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from scim_bridge.errors import Invalid, NotFound
from scim_bridge.simulator import wire
from scim_bridge.simulator.wire import DIALECTS, Dialect, Values, WireFile

# Every row of idp-behaviour.md §1 that is M for somebody and tells what a request looks like.
REQUEST_ROWS = (
    *(1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28),
    *(36, 40, 41, 42, 43),
)
# The other M rows are about answers (8, 32), transport and addresses (29, 33, 34, 35) and rates (30, 31).
SECTIONS = ("2.1", "2.2", "2.3", "2.4", "2.5", "2.6")

EVERYTHING: Values = {
    "id": "0190-id",
    "user_name": "zoë.o'neill@acme.example",
    "email": "zoe@acme.example",
    "other_email": "zoe.private@acme.example",
    "given_name": 'Zoë "Zo"',
    "family_name": "O'Neill\\",
    "display_name": 'Zoë "Zo" O\'Neill\\',
    "external_id": "00u123",
    "password": "p&ss/w?rd",
    "title": "Engineer",
    "phone": "493000000",
    "department": "R&D",
    "employee_number": "E00001",
    "group_name": "Platform & Admins",
    "user_id": "0190-user",
    "manager_id": "0190-manager",
    "postal_code": "10115",
    "country": "DE",
    "role": "Admin",
    "role_id": "06b0",
    "random_id": "5f1ab44e",
    "start_index": 101,
    "added": [{"value": "a1", "display": "a1@acme.example"}, {"value": "a2", "display": "a2@acme.example"}],
    "removed": [{"value": "r1"}, {"value": "r2"}],
    "members": [{"value": "m1", "display": "m1@acme.example"}, {"value": "m2", "display": "m2@acme.example"}],
    "roles": [{"role_id": "06b0", "role": "Admin"}, {"role_id": "07c1", "role": "Viewer"}],
}
FILES = [(dialect, name) for dialect in DIALECTS for name in wire.names(dialect)]
each_file = pytest.mark.parametrize(("dialect", "name"), FILES, ids=[f"{d}/{n}" for d, n in FILES])


def _document(dialect: Dialect, name: str) -> Any:
    return orjson.loads(wire.render(dialect, name, EVERYTHING).body)


def _operations(dialect: Dialect, name: str) -> Any:
    return _document(dialect, name)["Operations"]


@each_file
def test_a_wire_file_becomes_a_request_whose_body_is_json(dialect: Dialect, name: str) -> None:
    file = wire.load(dialect, name)

    request = file.render(EVERYTHING)

    assert "{{" not in request.target
    assert b"{{" not in request.body
    assert re.fullmatch(r"/(Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig)[^\s\"{}]*", request.target)
    assert (request.body == b"") == (request.method in ("GET", "DELETE"))
    if request.body:
        assert isinstance(orjson.loads(request.body), dict)


@each_file
def test_a_wire_file_sends_the_headers_of_its_identity_provider(dialect: Dialect, name: str) -> None:
    request = wire.render(dialect, name, EVERYTHING)

    headers = dict(request.headers)

    assert headers["Accept"] == "application/scim+json"
    assert ("Content-Type" in headers) == bool(request.body)
    assert headers.get("User-Agent") == ("Okta SCIM Client 1.0.0" if dialect.startswith("okta") else None)


@each_file
def test_a_wire_file_asks_for_nothing_that_is_not_known(dialect: Dialect, name: str) -> None:
    assert wire.load(dialect, name).placeholders <= EVERYTHING.keys()


@each_file
def test_a_patch_names_its_schema_and_has_operations(dialect: Dialect, name: str) -> None:
    request = wire.render(dialect, name, EVERYTHING)

    if request.method == "PATCH":
        document = orjson.loads(request.body)
        assert document["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        assert {operation["op"].lower() for operation in document["Operations"]} <= {"add", "replace", "remove"}


@pytest.mark.parametrize("row", [f"1.{number}" for number in REQUEST_ROWS] + list(SECTIONS))
def test_every_row_about_a_request_is_shown_by_a_wire_file(row: str) -> None:
    showing = [f"{dialect}/{name}" for dialect, name in FILES if row in wire.load(dialect, name).rows]

    assert showing != []


@pytest.mark.parametrize(
    ("row", "dialects"),
    [
        *((f"1.{number}", ("okta", "entra")) for number in (1, 2, 5, 6, 7, 12, 17, 20, 23, 24, 36)),
        *((f"1.{number}", ("entra",)) for number in (3, 4, 11, 13, 14, 15, 16, 18, 19, 21, 22, 40, 43)),
        *((f"1.{number}", ("okta",)) for number in (9, 10, 25, 26, 28, 41, 42)),
    ],
)
def test_a_row_that_binds_an_identity_provider_is_shown_by_it(row: str, dialects: tuple[str, ...]) -> None:
    showing = {dialect.partition("-")[0] for dialect, name in FILES if row in wire.load(dialect, name).rows}

    assert showing >= set(dialects)


@pytest.mark.parametrize("dialect", ["entra", "entra-flag"])
def test_entra_never_sends_put(dialect: Dialect) -> None:
    assert [name for name in wire.names(dialect) if wire.load(dialect, name).method == "PUT"] == []


@pytest.mark.parametrize("dialect", ["okta", "okta-aiw"])
def test_okta_never_deletes_a_person(dialect: Dialect) -> None:
    deleted = [wire.load(dialect, name).target for name in wire.names(dialect)]

    assert [
        t for t, n in zip(deleted, wire.names(dialect), strict=True) if _deletes_people(wire.load(dialect, n))
    ] == []


def test_the_wizards_apps_never_patch() -> None:
    assert {wire.load("okta-aiw", name).method for name in wire.names("okta-aiw")} == {"PUT"}


def test_a_leaver_is_disabled_in_each_dialects_own_form() -> None:
    assert _operations("entra", "user-disable") == [{"op": "Replace", "path": "active", "value": "False"}]
    assert _operations("entra-flag", "user-disable") == [{"op": "replace", "path": "active", "value": False}]
    assert _operations("okta", "user-deactivate") == [{"op": "replace", "value": {"active": False}}]
    assert _document("okta-aiw", "user-deactivate")["active"] is False


def test_a_member_goes_in_each_dialects_own_form() -> None:
    legacy = [{"$ref": None, "value": "r1"}, {"$ref": None, "value": "r2"}]
    filtered = [f'members[value eq "{value}"]' for value in ("r1", "r2")]

    assert _operations("entra", "group-members-remove") == [{"op": "Remove", "path": "members", "value": legacy}]
    assert _operations("entra-flag", "group-members-remove") == [{"op": "remove", "path": path} for path in filtered]
    assert _operations("okta", "group-members-remove") == [{"op": "remove", "path": path} for path in filtered]
    assert [member["value"] for member in _document("okta-aiw", "group-replace")["members"]] == ["m1", "m2"]


@pytest.mark.parametrize("dialect", ["okta", "entra", "entra-flag"])
def test_one_request_takes_people_out_before_it_puts_others_in(dialect: Dialect) -> None:
    operations = _operations(dialect, "group-members-change")

    assert operations[0]["op"].lower() == "remove"
    assert operations[-1]["op"].lower() == "add"
    assert [member["value"] for member in operations[-1]["value"]] == ["a1", "a2"]


def test_okta_renames_a_group_without_a_path_and_with_its_id() -> None:
    assert _operations("okta", "group-rename") == [
        {"op": "replace", "value": {"id": "0190-id", "displayName": "Platform & Admins"}}
    ]


def test_entra_creates_a_group_with_a_schema_of_its_own_and_without_members() -> None:
    document = _document("entra", "group-create")

    assert "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group" in document["schemas"]
    assert "members" not in document


def test_entra_hides_a_role_as_json_in_a_string_unless_the_flag_is_set() -> None:
    legacy = _operations("entra", "user-roles-add")[0]["value"][0]
    flagged = _operations("entra-flag", "user-roles-add")[0]["value"][0]

    assert orjson.loads(legacy["value"]) == flagged == {"id": "06b0", "value": "Admin", "displayName": "Admin"}


def test_the_managers_of_entra_come_in_every_form_but_the_right_one() -> None:
    forms = [_operations("entra", f"user-manager-{form}")[0] for form in ("add", "array", "empty", "remove")]

    assert forms[0]["value"] == "0190-manager"
    assert forms[1]["value"][0]["value"] == "0190-manager"
    assert forms[2]["value"] == ""
    assert "value" not in forms[3]


def test_okta_sends_a_password_with_everybody() -> None:
    assert _document("okta", "user-create")["password"] == "p&ss/w?rd"


def test_values_are_escaped_for_the_place_where_they_stand() -> None:
    lookup = wire.render("entra", "user-lookup", EVERYTHING)
    created = _document("entra", "user-create")

    assert parse_qs(urlsplit(lookup.target).query)["filter"] == ['userName eq "zoë.o\'neill@acme.example"']
    assert created["name"]["givenName"] == 'Zoë "Zo"'
    assert created["name"]["familyName"] == "O'Neill\\"


def test_what_a_value_holds_is_not_read_as_a_placeholder() -> None:
    request = wire.render("okta", "group-rename", {"id": "1", "group_name": "{{id}}{{#each a}}{{/each}}"})

    assert orjson.loads(request.body)["Operations"][0]["value"]["displayName"] == "{{id}}{{#each a}}{{/each}}"


def test_an_empty_list_of_members_stays_a_list() -> None:
    request = wire.render("okta", "group-members-replace", {"id": "1", "members": []})

    assert orjson.loads(request.body)["Operations"][0]["value"] == []


def test_a_missing_value_is_named() -> None:
    with pytest.raises(Invalid, match=r"okta/user-get: no value for id\."):
        wire.render("okta", "user-get")


def test_a_list_that_is_no_list_is_named() -> None:
    with pytest.raises(Invalid, match=r"members has to be a list"):
        wire.render("okta", "group-members-replace", {"id": "1", "members": "ada"})


def test_a_dialect_without_a_file_of_its_own_sends_the_one_it_grew_from() -> None:
    assert wire.load("okta-aiw", "user-create") == wire.load("okta", "user-create")
    assert wire.load("entra-flag", "user-create") == wire.load("entra", "user-create")


def test_a_request_that_nobody_sends_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"entra has no wire file user-replace\."):
        wire.load("entra-flag", "user-replace")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("GET /Users HTTP/1.1\n", "the first line has to be"),
        ("# idp-behaviour 1.1: why\nFETCH /Users HTTP/1.1\n", "the second line has to be"),
        ("# idp-behaviour 1.1: why\n", "the second line has to be"),
        ("# idp-behaviour 1.1: why\nGET /Users HTTP/1.1\nAccept\n", "this is no header: Accept"),
    ],
)
def test_a_broken_wire_file_is_named_with_its_fault(text: str, fault: str) -> None:
    with pytest.raises(Invalid, match=f"wire file mine: {fault}"):
        wire.parse("mine", text)


def _deletes_people(file: WireFile) -> bool:
    return file.method == "DELETE" and file.target.startswith("/Users")
