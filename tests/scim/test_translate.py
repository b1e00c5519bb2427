"""Records out of documents, resources out of rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.errors import Invalid
from scim_bridge.identity.provisioned import ADDRESS, NESTED, NamedGroup, StoredGroup, StoredUser
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.projection import WHOLE, read_projection
from scim_bridge.scim.translate import (
    Addresses,
    group_record,
    group_resource,
    groups_text,
    named_groups_text,
    user_record,
    user_resource,
)

AT = datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
WHERE = Addresses("https://x/scim/v2")
STORED = {"userName": "ada", "urn:example:badge": {"no": 1}, "emails": [{"value": "a"}]}


def _user(document: dict[str, Any]) -> StoredUser:
    text = orjson.dumps(document).decode()
    return StoredUser(ScimUserId("u1"), DirectoryId("d"), MemberId("m"), "ada", None, True, text, 3, AT, AT, None)


def _group() -> StoredGroup:
    return StoredGroup(GroupId("g1"), DirectoryId("d"), "Engineers", None, '{"displayName":"Engineers"}', 2, AT, AT)


@pytest.mark.parametrize(
    ("emails", "known_by"),
    [
        ([{"value": "h", "type": "home"}, {"value": "w", "type": "Work"}], "w"),
        ([{"value": "w", "type": "work"}, {"value": "p", "primary": True}], "p"),
        ([{"value": "first"}, {"value": "second"}], "first"),
        ([{"type": "work"}, {"value": "", "primary": True}, {"value": "x"}], "x"),
        ([{"value": None}, "text"], None),
        ("text", None),
        (None, None),
    ],
)
def test_a_person_is_known_by_their_primary_address_else_by_the_one_for_work(emails: Any, known_by: str | None) -> None:
    assert user_record({"userName": "ada", "emails": emails}, active=True).email == known_by


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"displayName": "D", "name": {"formatted": "F"}}, "D"),
        ({"displayName": "", "name": {"formatted": "F", "givenName": "G"}}, "F"),
        ({"name": {"givenName": "G", "familyName": "H"}}, "G H"),
        ({"name": {"familyName": "H"}}, "H"),
        ({"name": "text"}, None),
        ({}, None),
    ],
)
def test_a_person_has_the_best_name_that_was_sent(document: dict[str, Any], name: str | None) -> None:
    assert user_record({"userName": "ada", **document}, active=True).display_name == name


@pytest.mark.parametrize(
    ("said", "before", "active"), [({}, True, True), ({}, False, False), ({"active": False}, True, False)]
)
def test_who_is_active_is_what_was_said_else_what_was(said: dict[str, Any], before: bool, active: bool) -> None:
    assert user_record({"userName": "ada", **said}, active=before).active is active


def test_an_empty_external_id_is_none() -> None:
    assert user_record({"userName": "ada", "externalId": ""}, active=True).external_id is None
    assert group_record({"displayName": "x", "externalId": ""}).external_id is None
    assert group_record({"displayName": "x", "externalId": "7"}).external_id == "7"


@pytest.mark.parametrize("document", [{}, {"displayName": ""}, {"displayName": 7}])
def test_a_group_needs_a_name(document: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        group_record(document)


def test_a_user_is_answered_with_what_the_server_knows_around_what_was_sent() -> None:
    groups = named_groups_text([NamedGroup(GroupId("g1"), "Engineers")], WHERE)

    found = user_resource(_user(STORED), groups, WHERE, WHOLE)

    assert orjson.loads(orjson.dumps(found)) == {
        "schemas": [USER.urn, "urn:example:badge"],
        "id": "u1",
        **STORED,
        "groups": [
            {"value": "g1", "$ref": "https://x/scim/v2/Groups/g1", "display": "Engineers", "type": "direct"},
        ],
        "meta": {
            "resourceType": "User",
            "created": "2020-01-02T03:04:05.678000Z",
            "lastModified": "2020-01-02T03:04:05.678000Z",
            "location": "https://x/scim/v2/Users/u1",
            "version": 'W/"3"',
        },
    }


def test_who_is_in_no_group_has_no_groups() -> None:
    found = user_resource(_user({"userName": "ada"}), "", WHERE, WHOLE)

    assert "groups" not in orjson.loads(orjson.dumps(found))


@pytest.mark.parametrize("document", [STORED, {"userName": "ada"}, {"userName": 'a "quoted\\ name', "URN:x": {"y": 1}}])
@pytest.mark.parametrize("kept", [True, False])
def test_what_is_answered_whole_is_what_is_answered_in_parts(document: dict[str, Any], kept: bool) -> None:
    names = orjson.dumps([name for name in document if ":" in name]).decode() if kept else None
    user = _user(document)._replace(extensions=names, updated_at=AT + timedelta(seconds=1))
    groups = named_groups_text([NamedGroup(GroupId("g1"), 'The "A" team', is_direct=False)], WHERE)

    whole = user_resource(user, groups, WHERE, WHOLE)
    parts = user_resource(user, groups, WHERE, read_projection([], ["nickName"], USER))

    assert orjson.loads(orjson.dumps(whole)) == parts


def test_groups_are_answered_at_the_address_of_the_server() -> None:
    user = _user({"userName": "ada"})._replace(groups=f'{{"$ref":"{ADDRESS}g1"}}')

    assert groups_text(user, WHERE) == '{"$ref":"https://x/scim/v2/Groups/g1"}'
    assert groups_text(user._replace(groups=""), WHERE) == ""


@pytest.mark.parametrize("read", [None, f'{NESTED}{{"value":"g1"}}'])
def test_groups_that_were_not_read_or_are_in_others_have_to_be_looked_up(read: str | None) -> None:
    assert groups_text(_user({"userName": "ada"})._replace(groups=read), WHERE) is None


def test_a_member_list_goes_out_as_the_text_it_came_as() -> None:
    members = '[{"value":"u1"},{"value":"u2"}]'

    whole = group_resource(_group(), members, WHERE, WHOLE)
    without = group_resource(_group(), members, WHERE, read_projection([], ["members"], GROUP))
    empty = group_resource(_group(), "[]", WHERE, WHOLE)

    assert isinstance(whole["members"], orjson.Fragment)
    assert members in orjson.dumps(whole).decode()
    assert "members" not in without
    assert b'"members":[]' in orjson.dumps(empty)
