"""``attributes`` and ``excludedAttributes`` on plain documents."""

from typing import Any

import pytest

from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.projection import WHOLE, read_projection

ADA: dict[str, Any] = {
    "schemas": ["s"],
    "id": "1",
    "userName": "ada",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [{"value": "a", "type": "work"}, {"type": "home"}],
    "title": "",
}


def test_nothing_asked_for_is_everything() -> None:
    assert WHOLE.apply(ADA) == ADA
    assert read_projection([], [], USER) == WHOLE
    assert WHOLE.wants("members")
    assert WHOLE.wants_whole("members")


@pytest.mark.parametrize(
    ("shown", "hidden", "left"),
    [
        (["userName"], [], {"userName": "ada"}),
        (["USERNAME", "Name.GivenName"], [], {"userName": "ada", "name": {"givenName": "Ada"}}),
        (["name", "name.givenName"], [], {"name": {"givenName": "Ada", "familyName": "King"}}),
        (["name.givenName", "name"], [], {"name": {"givenName": "Ada", "familyName": "King"}}),
        (["name.middleName"], [], {}),
        (["emails.value"], [], {"emails": [{"value": "a"}]}),
        (["title"], [], {"title": ""}),
        (["id"], [], {}),
        ([], ["name.givenName", "emails", "title"], {"userName": "ada", "name": {"familyName": "King"}}),
        ([], ["id", "schemas", "userName", "name", "emails", "title"], {}),
        ([], ["emails.value", "name", "title"], {"userName": "ada", "emails": [{"type": "work"}, {"type": "home"}]}),
        (["name"], ["name.givenName"], {"name": {"familyName": "King"}}),
    ],
)
def test_what_is_left_is_what_was_asked_for(shown: list[str], hidden: list[str], left: dict[str, Any]) -> None:
    found = read_projection(shown, hidden, USER).apply(ADA)

    assert found == {"schemas": ["s"], "id": "1", **left}
    assert ADA["name"] == {"givenName": "Ada", "familyName": "King"}


@pytest.mark.parametrize(
    ("shown", "hidden", "wants", "whole"),
    [
        ([], ["members"], False, False),
        ([], ["members.$ref"], True, False),
        (["members"], [], True, True),
        (["members.value"], [], True, False),
        (["displayName"], [], False, False),
        ([], ["displayName"], True, True),
    ],
)
def test_members_are_read_only_where_they_are_answered(
    shown: list[str], hidden: list[str], wants: bool, whole: bool
) -> None:
    projection = read_projection(shown, hidden, GROUP)

    assert (projection.wants("members"), projection.wants_whole("members")) == (wants, whole)


@pytest.mark.parametrize("name", ["a[b", 'emails[type eq "work"', "x" * 600])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        read_projection([name], [], USER)
