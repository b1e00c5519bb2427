"""What was sent becomes what is stored: nothing lost, nothing of the server's taken over."""

from typing import Any

import pytest

from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import ENTERPRISE_URN, GROUP, USER
from scim_bridge.scim.documents import is_empty, read_document, with_one_primary

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"USERNAME": "ada", "Name": {"FamilyName": "King"}}, {"userName": "ada", "name": {"familyName": "King"}}),
        ({"id": "1", "meta": {}, "schemas": [], "groups": [{}], "password": "p", "Password": "p"}, {}),
        ({"title": None, "roles": [], "name": {}, "emails": [{}], "addresses": None}, {}),
        ({"title": "", "nickName": " x "}, {"title": "", "nickName": " x "}),
        ({"active": "True"}, {"active": True}),
        ({"emails": {"value": "a"}}, {"emails": [{"value": "a"}]}),
        ({"emails": ["a", None]}, {"emails": [{"value": "a"}]}),
        ({"unknown": {"Any": [1, None, {}]}}, {"unknown": {"Any": [1, None, {}]}}),
        ({f"{CORE}:userName": "ada"}, {"userName": "ada"}),
        ({f"{CORE}:password": "p", f"{CORE}:groups": []}, {}),
        ({"urn:scim:schemas:core:2.0:userName": "ada"}, {"userName": "ada"}),
        ({"urn:example:badge": {"no": 1}}, {"urn:example:badge": {"no": 1}}),
        ({"urn:example:badge": {}}, {}),
        ({ENTERPRISE_URN: {}}, {}),
        ({ENTERPRISE_URN: None}, {}),
        ({ENTERPRISE_URN.lower(): {"Department": "x"}}, {ENTERPRISE_URN: {"department": "x"}}),
        ({f"{ENTERPRISE_URN}:department": "x"}, {ENTERPRISE_URN: {"department": "x"}}),
        (
            {f"{ENTERPRISE_URN}:department": "x", ENTERPRISE_URN: {"division": "y"}},
            {ENTERPRISE_URN: {"department": "x", "division": "y"}},
        ),
        ({"urn:scim:schemas:extension:enterprise:1.0": {"department": "x"}}, {ENTERPRISE_URN: {"department": "x"}}),
        ({ENTERPRISE_URN: {"manager": "boss"}}, {ENTERPRISE_URN: {"manager": {"value": "boss"}}}),
        ({ENTERPRISE_URN: {"manager": ""}}, {}),
    ],
)
def test_a_user_is_stored_as_meant(sent: dict[str, Any], stored: dict[str, Any]) -> None:
    assert read_document(sent, USER) == stored


def test_the_members_of_a_group_are_not_part_of_its_document() -> None:
    sent = {"displayName": "Engineers", "Members": [{"value": "1"}], "id": "x", "description": "kept"}

    assert read_document(sent, GROUP) == {"displayName": "Engineers", "description": "kept"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"userName": 7}, "userName"),
        ({"active": "maybe"}, "active"),
        ({"active": 1}, "active"),
        ({"name": 7}, "name"),
        ({"emails": [7]}, "emails"),
        ({"emails": [[]]}, "emails"),
        ({ENTERPRISE_URN: "x"}, ENTERPRISE_URN),
        ({"userName": "a", "username": "b"}, "userName"),
        ({"name": {"givenName": "a", "GIVENNAME": "b"}}, "name"),
        ({f"{CORE}:userName": "a", "userName": "b"}, "userName"),
    ],
)
def test_what_cannot_be_meant_names_its_place(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_document(sent, USER)

    assert refused.value.field == field


def test_only_the_first_primary_entry_stays_primary() -> None:
    entries = [{"value": 1}, {"value": 2, "primary": True}, {"value": 3, "primary": True}, "text"]

    assert with_one_primary(entries) == [
        {"value": 1},
        {"value": 2, "primary": True},
        {"value": 3, "primary": False},
        "text",
    ]


@pytest.mark.parametrize(
    ("value", "empty"), [(None, True), ([], True), ({}, True), ("", False), (False, False), (0, False)]
)
def test_nothing_is_not_an_empty_text(value: object, empty: bool) -> None:
    assert is_empty(value) is empty
