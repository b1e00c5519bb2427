"""Lists page by page with cursors (RFC 9865)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask

from scim_bridge.errors import Invalid
from scim_bridge.identity.provisioned import now
from scim_bridge.scim.cursors import LONGEST, list_name, open_cursor, seal_cursor
from scim_bridge.web.context import EXTENSION
from tests.scim.doors import Directory, World, document, open_world, refusal


def walk(directory: Directory, target: str, **asked: Any) -> list[str]:
    """Follow the cursors of a list to its end and return what it names."""
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = document(directory.post(target, {**asked, "cursor": cursor}))
        assert "startIndex" not in page
        names += [each.get("userName") or each["displayName"] for each in page["Resources"]]
        cursor = page.get("nextCursor")
    return names


@pytest.fixture
def people(okta: Directory) -> Directory:
    """Fill a directory with five people."""
    for number, title in enumerate(["b", "a", None, "b", "A"]):
        okta.create_user(f"p{number}", **({"title": title} if title else {}))
    return okta


@pytest.mark.parametrize("direction", ["ascending", "descending"])
@pytest.mark.parametrize(
    "sort_by", [None, "id", "userName", "title", "active", "meta.lastModified", "emails", "nobodyKnowsIt"]
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_cursors_show_the_same_list_as_one_page(
    people: Directory, sort_by: str | None, direction: str, count: int
) -> None:
    order: dict[str, Any] = {"sortBy": sort_by, "sortOrder": direction}
    whole = document(people.post("/Users/.search", order))

    found = walk(people, "/Users/.search", count=count, **order)

    assert found == [each["userName"] for each in whole["Resources"]]
    assert len(found) == whole["totalResults"] == 5


def test_every_page_tells_the_exact_total(people: Directory) -> None:
    first = document(people.get('/Users?cursor=&count=2&filter=title eq "b" or title pr'))
    second = document(
        people.get(f'/Users?count=2&filter=title eq "b" or title pr&cursor={first["nextCursor"]}'),
    )

    assert (first["totalResults"], first["itemsPerPage"]) == (4, 2)
    assert (second["totalResults"], second["itemsPerPage"]) == (4, 2)
    assert "nextCursor" not in second


def test_nothing_is_shown_twice_or_left_out_while_others_come_and_go(people: Directory) -> None:
    first = document(people.get("/Users?sortBy=userName&count=2&cursor="))
    people.delete(f"/Users/{first['Resources'][0]['id']}")
    people.create_user("a-newcomer-at-the-front")
    people.create_user("p11-behind-the-cursor")

    second = document(people.get(f"/Users?sortBy=userName&count=9&cursor={first['nextCursor']}"))

    assert [each["userName"] for each in second["Resources"]] == ["p11-behind-the-cursor", "p2", "p3", "p4"]


def test_a_cursor_whose_row_is_gone_still_leads_on(people: Directory) -> None:
    first = document(people.get("/Users?count=2&cursor="))
    people.delete(f"/Users/{first['Resources'][1]['id']}")

    second = document(people.get(f"/Users?count=9&cursor={first['nextCursor']}"))

    assert [each["userName"] for each in second["Resources"]] == ["p2", "p3", "p4"]


def test_a_cursor_says_nothing_about_people(people: Directory) -> None:
    okta = people.create_user("zz-secret", title="b")
    cursor = document(people.get("/Users?sortBy=userName&sortOrder=descending&count=1&cursor="))["nextCursor"]

    assert "secret" not in cursor
    assert okta not in cursor


def test_an_empty_list_has_no_next_page(okta: Directory) -> None:
    found = document(okta.get("/Groups?cursor="))

    assert (found["totalResults"], found["Resources"], found.get("nextCursor")) == (0, [], None)


def test_a_count_of_zero_asks_for_the_total_alone(people: Directory) -> None:
    found = document(people.get("/Users?cursor=&count=0"))

    assert (found["totalResults"], found["Resources"], found.get("nextCursor")) == (5, [], None)


@pytest.mark.parametrize(
    "target",
    [
        "/Users?count=1&sortBy=title&cursor={}",
        "/Users?count=1&sortOrder=descending&sortBy=id&cursor={}",
        "/Users?count=1&filter=title pr&cursor={}",
        "/Groups?count=1&cursor={}",
        "/Users?cursor=A{}",
        "/Users?cursor=gAAAAA",
        "/Users?cursor=ä",
        "/Users?cursor=" + "x" * (LONGEST + 1),
    ],
)
def test_a_cursor_is_good_for_its_own_list_alone(people: Directory, target: str) -> None:
    cursor = document(people.get("/Users?count=1&cursor="))["nextCursor"]

    assert refusal(people.get(target.format(cursor))) == (400, "invalidCursor")


def test_a_cursor_of_another_directory_is_worth_nothing(world: World, people: Directory) -> None:
    other = world.connect("rivals", "entra")
    other.create_user("spy")
    cursor = document(people.get("/Users?count=1&cursor="))["nextCursor"]

    assert refusal(other.get(f"/Users?count=1&cursor={cursor}")) == (400, "invalidCursor")


@pytest.mark.parametrize("count", ["1001", "many", "1.5"])
def test_a_count_beyond_the_limit_is_refused_with_a_cursor(okta: Directory, count: str) -> None:
    assert refusal(okta.get(f"/Users?cursor=&count={count}")) == (400, "invalidCount")


def test_a_cursor_in_a_body_is_a_text(okta: Directory) -> None:
    assert refusal(okta.post("/Users/.search", {"cursor": 7})) == (400, "invalidCursor")


def test_a_cursor_expires(world: World, people: Directory) -> None:
    page = document(people.get("/Users?count=1&cursor="))
    keyring = _keyring(world.app)
    name, at, position = _opened(keyring, page["nextCursor"])
    old = seal_cursor(keyring, name, tuple(position), at - timedelta(seconds=world.settings.cursor_seconds + 1))

    assert refusal(people.get(f"/Users?count=1&cursor={old}")) == (400, "expiredCursor")


def test_a_stored_secret_is_no_cursor(world: World) -> None:
    keyring = _keyring(world.app)

    for sealed in (keyring.seal("apiVersion: v1"), keyring.seal('["other", 1, []]'), keyring.seal("{}")):
        with pytest.raises(Invalid) as refused:
            open_cursor(keyring, list_name("a"), sealed, now())
        assert refused.value.scim_type == "invalidCursor"


def test_the_configuration_tells_of_cursors_if_it_is_to(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, advertise_cursors=True, max_page_size=50) as told:
        okta = told.connect("acme", "okta")

        assert document(okta.get("/ServiceProviderConfig"))["pagination"] == {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": 50,
            "maxPageSize": 50,
            "cursorTimeout": 3600,
        }


def _keyring(app: Flask) -> Any:
    return app.extensions[EXTENSION].keyring


def _opened(keyring: Any, cursor: str) -> tuple[str, Any, list[Any]]:
    name, _, position = orjson.loads(keyring.open(cursor))
    return name, now(), position
