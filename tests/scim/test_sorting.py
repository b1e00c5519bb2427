"""Lists in an order (RFC 7644 §3.4.2.3), the same on both databases."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.keys import fold
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.sorting import read_order
from tests.scim.doors import ENTERPRISE_URN, Directory, document, refusal

BADGES = "urn:example:badges"
EXTERNAL_IDS = {"anna": "b", "Bert": "B", "carl": "a", "dora": None}


@pytest.fixture
def people(okta: Directory) -> Directory:
    """Fill a directory with people of whom one or the other lacks something."""
    okta.create_user("carl", externalId="a", title="zebra", name={"familyName": "Ärmel"}, active=False)
    okta.create_user("Bert", externalId="B", title="Zebra", name={"familyName": "zorn"}, **{BADGES: {"level": 9}})
    okta.create_user("anna", externalId="b", title="apple", name={"familyName": "Adam"}, **{BADGES: {"level": 10}})
    okta.create_user("dora", **{ENTERPRISE_URN: {"department": "Sales"}, BADGES: {"level": "high"}})
    return okta


@pytest.mark.parametrize(
    ("sort_by", "expected"),
    [
        ("userName", ["anna", "Bert", "carl", "dora"]),
        ("USERNAME", ["anna", "Bert", "carl", "dora"]),
        # Case counts: B stands before a.
        ("externalId", ["Bert", "carl", "anna", "dora"]),
        # Case does not: the two zebras stand in the order of their ids.
        ("title", ["anna", "carl", "Bert", "dora"]),
        ("name.familyName", ["anna", "Bert", "carl", "dora"]),
        ("active", ["carl", "Bert", "anna", "dora"]),
        ("meta.created", ["carl", "Bert", "anna", "dora"]),
        ("id", ["carl", "Bert", "anna", "dora"]),
        (f"{ENTERPRISE_URN}:department", ["dora", "carl", "Bert", "anna"]),
        ("department", ["dora", "carl", "Bert", "anna"]),
        # No schema says what it is: numbers as numbers, then texts.
        (f"{BADGES}:level", ["Bert", "anna", "dora", "carl"]),
        ("nobodyKnowsIt", ["carl", "Bert", "anna", "dora"]),
    ],
)
def test_a_list_is_sorted_by_whatever_is_stored(people: Directory, sort_by: str, expected: list[str]) -> None:
    assert people.names(f"/Users?sortBy={sort_by}") == expected
    # Who has no value is first then (RFC 7644), and equal ones are turned around too.
    assert people.names(f"/Users?sortBy={sort_by}&sortOrder=descending") == expected[::-1]


def test_a_list_of_values_counts_by_its_primary_or_its_first(okta: Directory) -> None:
    okta.create_user("first", emails=[{"value": "m@x"}, {"value": "a@x"}])
    okta.create_user("primary", emails=[{"value": "a@x"}, {"value": "z@x", "primary": True}])
    okta.create_user("none")
    okta.create_user("only", emails=[{"value": "B@x", "type": "work"}])
    okta.create_user("bare", emails=[{"type": "home"}])

    assert okta.names("/Users?sortBy=emails") == ["only", "first", "primary", "none", "bare"]
    assert okta.names("/Users?sortBy=emails.value") == ["only", "first", "primary", "none", "bare"]
    assert okta.names("/Users?sortBy=emails.type")[:2] == ["bare", "only"]


def test_pages_of_a_sorted_list_follow_one_another_and_the_total_is_exact(people: Directory) -> None:
    pages = [document(people.get(f"/Users?sortBy=title&count=1&startIndex={start}")) for start in (1, 2, 3, 4, 5)]

    assert [page["totalResults"] for page in pages] == [4] * 5
    assert [each["userName"] for page in pages for each in page["Resources"]] == ["anna", "carl", "Bert", "dora"]


def test_a_filter_and_an_order_go_together_in_a_search(people: Directory) -> None:
    asked = {"filter": "title pr", "sortBy": "userName", "sortOrder": "descending"}

    found = document(people.post("/Users/.search", asked))

    assert [each["userName"] for each in found["Resources"]] == ["carl", "Bert", "anna"]
    assert found["totalResults"] == 3


def test_groups_are_sorted_too(okta: Directory) -> None:
    for name in ("beta", "Alpha", "gamma"):
        okta.create_group(name)

    assert okta.names("/Groups?sortBy=displayName") == ["Alpha", "beta", "gamma"]
    assert okta.names("/Groups?sortBy=displayName&sortOrder=Descending") == ["gamma", "beta", "Alpha"]


@pytest.mark.parametrize(
    ("target", "scim_type"),
    [
        ("/Users?sortBy=name", "invalidValue"),
        ("/Users?sortBy=groups", "invalidValue"),
        ("/Users?sortBy=schemas", "invalidValue"),
        ("/Users?sortBy=meta.version", "invalidValue"),
        ("/Users?sortBy=meta", "invalidValue"),
        ("/Groups?sortBy=members.value", "invalidValue"),
        ('/Users?sortBy=emails[type eq "work"].value', "invalidValue"),
        ("/Users?sortBy=a b", "invalidPath"),
        ("/Users?sortBy=userName&sortOrder=up", "invalidValue"),
    ],
)
def test_what_cannot_be_sorted_by_is_refused(okta: Directory, target: str, scim_type: str) -> None:
    assert refusal(okta.get(target)) == (400, scim_type)


@pytest.mark.parametrize(("sort_by", "sort_order"), [(7, None), (["userName"], None), ("userName", 1)])
def test_an_order_is_a_text(sort_by: object, sort_order: object) -> None:
    with pytest.raises(Invalid):
        read_order(sort_by, sort_order, USER)


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_direction_alone_is_no_order(nothing: object) -> None:
    assert read_order(nothing, "descending", GROUP) is None


TITLES = st.one_of(st.none(), st.text(st.characters(blacklist_characters="\x00", codec="utf-8"), max_size=3))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TITLES, min_size=1, max_size=6))
def test_both_databases_sort_as_unicode_does(okta: Directory, titles: list[str | None]) -> None:
    made: list[tuple[Any, ...]] = []
    for title in titles:
        user_id = okta.create_user(f"u{len(okta.names('/Users?count=1000'))}", **({"title": title} if title else {}))
        made.append((not title, fold(title or ""), user_id))

    found = document(okta.get("/Users?sortBy=title&count=1000"))["Resources"]

    mine = {user_id for *_, user_id in made}
    assert [each["id"] for each in found if each["id"] in mine] == [user_id for *_, user_id in sorted(made)]
