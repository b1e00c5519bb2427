"""What a list or a search asks for."""

from typing import Any

import pytest

from scim_bridge.domain.filters import Compare
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.projection import WHOLE
from scim_bridge.scim.queries import FARTHEST, read_query
from scim_bridge.settings import Settings

SETTINGS = Settings(default_page_size=10, max_page_size=50, max_filter_characters=64)


def test_nothing_asked_for_is_the_first_page_of_everything() -> None:
    query = read_query({}, USER, SETTINGS)

    assert (query.filter, query.start, query.offset, query.count, query.projection) == (None, 1, 0, 10, WHOLE)


@pytest.mark.parametrize(
    ("asked", "start", "count"),
    [
        ({"startindex": "3", "count": "7"}, 3, 7),
        ({"startindex": 3, "count": 7}, 3, 7),
        ({"startindex": "0", "count": "-1"}, 1, 0),
        ({"startindex": -5, "count": 1000}, 1, 50),
        ({"startindex": 10**18, "count": 10**18}, FARTHEST, 50),
        ({"startindex": "", "count": None}, 1, 10),
    ],
)
def test_pages_stay_within_their_limits(asked: dict[str, Any], start: int, count: int) -> None:
    query = read_query(asked, USER, SETTINGS)

    assert (query.start, query.count) == (start, count)


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_filter_is_none(text: str) -> None:
    assert read_query({"filter": text}, USER, SETTINGS).filter is None


def test_a_filter_is_bound_to_the_schema() -> None:
    found = read_query({"filter": ' USERNAME EQ "x" '}, USER, SETTINGS).filter

    assert isinstance(found, Compare)
    assert found.attribute.path == ("userName",)


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": "x" * 65},
        {"filter": ["a"]},
        {"filter": "userName"},
        {"count": "many"},
        {"count": 1.5},
        {"count": True},
        {"startindex": {}},
        {"attributes": 7},
        {"attributes": [7]},
        {"excludedattributes": {"a": 1}},
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_query(asked, USER, SETTINGS)


@pytest.mark.parametrize("names", ["userName, title ,", ["userName", "title"]])
def test_attributes_come_as_a_text_or_as_a_list(names: object) -> None:
    query = read_query({"attributes": names}, USER, SETTINGS)

    assert query.projection.shown is not None
    assert query.projection.shown.keys() == {"id", "schemas", "userName", "title"}
