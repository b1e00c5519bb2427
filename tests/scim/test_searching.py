"""Users and groups in one list."""

import pytest

from tests.scim.doors import USER_URN, Directory, World, document, refusal


@pytest.fixture
def company(okta: Directory) -> Directory:
    """Fill a directory with three people and two groups."""
    ids = [okta.create_user("u1", displayName="Delta"), okta.create_user("u2", displayName="bravo")]
    okta.create_user("u3")
    okta.create_group("charlie", ids[0])
    okta.create_group("Alpha")
    return okta


def names(directory: Directory, **asked: object) -> list[str]:
    """Return whom a search at the root finds."""
    found = document(directory.post("/.search", asked))
    return [each.get("userName") or each["displayName"] for each in found["Resources"]]


def test_users_and_groups_are_in_one_list(company: Directory) -> None:
    found = document(company.post("/.search", {}))

    assert found["totalResults"] == 5
    assert [each["meta"]["resourceType"] for each in found["Resources"]] == ["User"] * 3 + ["Group"] * 2
    assert found["Resources"][0]["groups"][0]["display"] == "charlie"
    assert len(found["Resources"][3]["members"]) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pages_go_from_users_to_groups_with_exact_totals(company: Directory, count: int) -> None:
    pages = [document(company.post("/.search", {"count": count, "startIndex": start})) for start in range(1, 7, count)]

    assert {page["totalResults"] for page in pages} == {5}
    found = [each.get("userName") or each["displayName"] for page in pages for each in page["Resources"]]
    assert found == ["u1", "u2", "u3", "charlie", "Alpha"]


@pytest.mark.parametrize(
    ("sort_by", "expected"),
    [
        ("displayName", ["Alpha", "u2", "charlie", "u1", "u3"]),
        ("userName", ["u1", "u2", "u3", "charlie", "Alpha"]),
        ("meta.created", ["u1", "u2", "u3", "charlie", "Alpha"]),
        ("id", ["u1", "u2", "u3", "charlie", "Alpha"]),
        ("externalId", ["u1", "u2", "u3", "charlie", "Alpha"]),
        ("emails", ["u1", "u2", "u3", "charlie", "Alpha"]),
        ("active", ["u1", "u2", "u3", "charlie", "Alpha"]),
    ],
)
def test_one_order_goes_through_both(company: Directory, sort_by: str, expected: list[str]) -> None:
    assert names(company, sortBy=sort_by) == expected
    assert names(company, sortBy=sort_by, sortOrder="descending") == expected[::-1]


@pytest.mark.parametrize("name", ["id", "meta.created", "meta.lastModified"])
def test_an_order_that_only_one_of_both_can_have_is_refused(company: Directory, name: str) -> None:
    assert refusal(company.post("/.search", {"sortBy": f"{USER_URN}:{name}"})) == (400, "invalidValue")
    assert names(company, sortBy=f"{USER_URN}:userName")[:3] == ["u1", "u2", "u3"]


def test_cursors_go_through_both(company: Directory) -> None:
    found, cursor = [], ""
    for _ in range(5):
        page = document(company.post("/.search", {"cursor": cursor, "count": 1, "sortBy": "displayName"}))
        found += [each["id"] for each in page["Resources"]]
        cursor = page.get("nextCursor", "")

    assert len(set(found)) == 5
    assert cursor == ""
    assert page["totalResults"] == 5


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ('displayName sw "a"', ["Alpha"]),
        ('userName eq "u2" or displayName eq "charlie"', ["u2", "charlie"]),
        ('meta.resourceType eq "Group"', ["charlie", "Alpha"]),
        ('not (meta.resourceType eq "Group")', ["u1", "u2", "u3"]),
        ("userName pr", ["u1", "u2", "u3"]),
        ("members pr", ["charlie"]),
        ("groups pr", ["u1"]),
        ("active eq true", ["u1", "u2", "u3"]),
    ],
)
def test_one_filter_is_asked_of_both(company: Directory, filter_: str, expected: list[str]) -> None:
    assert names(company, filter=filter_) == expected
    assert document(company.post("/.search", {"filter": filter_, "count": 0}))["totalResults"] == len(expected)


def test_only_what_is_asked_for_is_answered(company: Directory) -> None:
    found = document(company.post("/.search", {"attributes": ["userName", "displayName"], "count": 4}))

    assert [set(each) for each in found["Resources"]] == [
        {"id", "schemas", "userName", "displayName"},
        {"id", "schemas", "userName", "displayName"},
        {"id", "schemas", "userName"},
        {"id", "schemas", "displayName"},
    ]


def test_nothing_of_another_directory_is_found(world: World, company: Directory) -> None:
    other = world.connect("acme", "entra")

    assert document(other.post("/.search", {}))["totalResults"] == 0
    assert document(company.post("/.search", {}))["totalResults"] == 5


@pytest.mark.parametrize("asked", [{"filter": "userName"}, {"sortBy": "members"}, {"sortBy": "groups"}, {"count": "x"}])
def test_what_makes_no_sense_for_one_is_refused_for_both(okta: Directory, asked: dict[str, object]) -> None:
    assert refusal(okta.post("/.search", asked))[0] == 400


def test_a_search_is_a_post(okta: Directory) -> None:
    assert refusal(okta.get("/.search")) == (405, None)
