"""PATCH on documents (RFC 7644 §3.5.2), with what vendors mean by it."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import PatchOp

from scim_bridge.errors import Invalid, TooLarge
from scim_bridge.scim.attributes import ENTERPRISE_URN, USER
from scim_bridge.scim.models import EnterpriseUser, User
from scim_bridge.scim.patching import apply_operations, read_operations

WORK = {"type": "work", "value": "w", "primary": True}
HOME = {"type": "home", "value": "h"}
ADA: dict[str, Any] = {
    "userName": "ada",
    "title": "Analyst",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [WORK, HOME],
    ENTERPRISE_URN: {"department": "Engines", "manager": {"value": "boss"}},
}


def _patched(*operations: dict[str, Any], document: dict[str, Any] | None = None) -> dict[str, Any]:
    read = tuple(read_operations({"Operations": list(operations)}, 100))
    return apply_operations(ADA if document is None else document, read, USER)


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "add", "path": "nickName", "value": "A"}, {"nickName": "A"}),
        ({"op": "replace", "path": "TITLE", "value": ""}, {"title": ""}),
        ({"op": "replace", "path": "title", "value": None}, {"title": None}),
        ({"op": "add", "path": "title", "value": None}, {}),
        ({"op": "remove", "path": "title"}, {"title": None}),
        ({"op": "remove", "path": "nickName"}, {}),
        ({"op": "replace", "path": "name.givenName", "value": "X"}, {"name": {"givenName": "X", "familyName": "King"}}),
        ({"op": "remove", "path": "name.givenName"}, {"name": {"familyName": "King"}}),
        ({"op": "add", "path": "name", "value": {"middleName": "M"}}, {"name": {**ADA["name"], "middleName": "M"}}),
        ({"op": "replace", "path": "name", "value": {}}, {"name": None}),
        ({"op": "add", "path": "emails", "value": [HOME]}, {}),
        ({"op": "add", "path": "emails", "value": {"value": "x"}}, {"emails": [WORK, HOME, {"value": "x"}]}),
        (
            {"op": "add", "path": "emails", "value": [{"value": "x", "primary": True}]},
            {"emails": [{**WORK, "primary": False}, HOME, {"value": "x", "primary": True}]},
        ),
        ({"op": "replace", "path": "emails", "value": [{"value": "x"}]}, {"emails": [{"value": "x"}]}),
        ({"op": "replace", "path": "emails", "value": []}, {"emails": None}),
        ({"op": "remove", "path": 'emails[type eq "WORK"]'}, {"emails": [HOME]}),
        ({"op": "remove", "path": 'emails[type eq "fax"]'}, {}),
        (
            {"op": "remove", "path": 'emails[type eq "work"].value'},
            {"emails": [{"type": "work", "primary": True}, HOME]},
        ),
        ({"op": "remove", "path": "emails", "value": [{"value": "h"}]}, {"emails": [WORK]}),
        (
            {"op": "replace", "path": "emails.type", "value": "x"},
            {"emails": [{**WORK, "type": "x"}, {**HOME, "type": "x"}]},
        ),
        (
            {"op": "replace", "path": 'emails[type eq "home"].primary', "value": "True"},
            {"emails": [{**WORK, "primary": False}, {**HOME, "primary": True}]},
        ),
        (
            {"op": "add", "path": 'emails[type eq "fax" and primary eq false].value', "value": "f"},
            {"emails": [WORK, HOME, {"type": "fax", "primary": False, "value": "f"}]},
        ),
        (
            {"op": "replace", "path": f"{ENTERPRISE_URN}:manager", "value": ""},
            {ENTERPRISE_URN: {"department": "Engines"}},
        ),
        ({"op": "remove", "path": ENTERPRISE_URN}, {ENTERPRISE_URN: None}),
        ({"op": "add", "path": "urn:example:badge:no", "value": 7}, {"urn:example:badge": {"no": 7}}),
        ({"op": "replace", "value": {"title": "x", "nickName": "y"}}, {"title": "x", "nickName": "y"}),
        ({"op": "replace", "path": "password", "value": "secret"}, {}),
        ({"op": "replace", "value": {"id": "x", "schemas": [], "meta": {}, "groups": []}}, {}),
    ],
)
def test_an_operation_does_what_it_means_and_nothing_else(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    expected = {key: value for key, value in {**ADA, **changed}.items() if value is not None}

    assert _patched(operation) == expected


def test_removing_the_last_part_removes_the_whole() -> None:
    document = {"userName": "ada", "name": {"givenName": "Ada"}, ENTERPRISE_URN: {"manager": {"value": "b"}}}

    left = _patched(
        {"op": "remove", "path": "name.givenName"},
        {"op": "remove", "path": f"{ENTERPRISE_URN}:manager.value"},
        document=document,
    )

    assert left == {"userName": "ada"}


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": 'emails[type ne "x" and value pr].value', "value": "y"}, None),
        ({"op": "add", "path": 'roles[type ne "x"].value', "value": "y"}, "noTarget"),
        ({"op": "replace", "path": "title.part", "value": "y"}, "invalidPath"),
        ({"op": "replace", "path": 'userName eq "x"', "value": "y"}, "invalidPath"),
        ({"op": "replace", "path": "x" * 5000, "value": "y"}, "invalidPath"),
        ({"op": "replace", "path": "groups", "value": []}, "mutability"),
    ],
)
def test_an_operation_that_cannot_be_done_changes_nothing(operation: dict[str, Any], scim_type: str | None) -> None:
    before = deepcopy(ADA)

    if scim_type is None:
        assert _patched(operation)["emails"][0]["value"] == "y"
    else:
        with pytest.raises(Invalid) as refused:
            _patched({"op": "replace", "path": "title", "value": "lost"}, operation)
        assert refused.value.scim_type == scim_type

    assert before == ADA


@pytest.mark.parametrize("body", [{}, {"Operations": []}, {"Operations": "x"}, {"Operations": None}, {"Ops": [{}]}])
def test_a_patch_needs_operations(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="list of Operations"):
        read_operations(body, 10)


def test_operations_are_counted_before_they_are_read() -> None:
    assert len(list(read_operations({"operations": {"op": "remove", "path": "title"}}, 1))) == 1
    with pytest.raises(TooLarge):
        read_operations({"Operations": ["not even one"] * 3}, 2)


DEPARTMENT = f"{ENTERPRISE_URN}:department"
VALUES = st.text("abc ", min_size=1, max_size=3)
WRITTEN = st.sampled_from(["title", "name.givenName", "displayName", 'emails[type eq "work"].value', DEPARTMENT])
REMOVED = st.sampled_from(["title", "name.familyName", 'emails[type eq "home"]', "name"])
OPERATIONS = st.one_of(
    st.builds(lambda path, value: {"op": "replace", "path": path, "value": value}, WRITTEN, VALUES),
    st.builds(lambda path: {"op": "remove", "path": path}, REMOVED),
    st.builds(lambda value: {"op": "add", "path": "emails", "value": [{"type": "other", "value": value}]}, VALUES),
)
GENERIC: Any = User
MODEL = GENERIC[EnterpriseUser]
PATCHES: Any = PatchOp
PATCH = PATCHES[MODEL]
MODEST = settings(max_examples=50)


@MODEST
@given(st.lists(OPERATIONS, min_size=1, max_size=4))
def test_plain_documents_are_patched_as_the_librarys_models_are(operations: list[dict[str, Any]]) -> None:
    model = MODEL.model_validate(deepcopy(ADA))
    PATCH.model_validate({"Operations": operations}).patch(model)
    theirs = {key: each for key, each in model.model_dump().items() if key not in ("schemas", "meta", "id")}

    ours = _patched(*operations)

    assert _plain(ours) == _plain(theirs)


@MODEST
@given(st.lists(OPERATIONS.filter(lambda each: each["op"] != "add"), min_size=1, max_size=4))
def test_the_same_patch_twice_is_the_same_patch_once(operations: list[dict[str, Any]]) -> None:
    once = _patched(*operations)

    assert _patched(*operations, document=once) == _patched(*operations, *operations)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each not in (None, [], {}) and key != "$ref"}
    return [_plain(each) for each in value] if isinstance(value, list) else value
