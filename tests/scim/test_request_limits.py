"""What one request may ask at most; the sentence says how much that is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scim_bridge.scim.filters import DEEPEST
from tests.scim.doors import Directory, World, document, open_world, refusal


@pytest.fixture
def small(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Open an application with narrow limits."""
    with open_world(migrated_url, tmp_path, max_members=3, max_patch_operations=2, max_body_bytes=2048) as opened:
        yield opened


@pytest.fixture
def narrow(small: World) -> Directory:
    """Connect a directory to it."""
    return small.connect("acme", "okta")


def named(count: int) -> list[dict[str, str]]:
    """Return so many members."""
    return [{"value": f"nobody-{number}"} for number in range(count)]


def test_members_beyond_the_limit_are_refused_in_every_verb_and_none_is_taken(small: World, narrow: Directory) -> None:
    group = narrow.create_group("Team")
    add: dict[str, Any] = {"op": "add", "path": "members"}

    answers = [
        narrow.post("/Groups", {"displayName": "Large", "members": named(4)}),
        narrow.put(f"/Groups/{group}", {"displayName": "Team", "members": named(4)}),
        narrow.patch(f"/Groups/{group}", {**add, "value": named(4)}),
        narrow.patch(f"/Groups/{group}", {**add, "value": named(2)}, {**add, "value": named(4)[2:]}),
        narrow.patch(f"/Groups/{group}", {"op": "remove", "path": "members", "value": named(4)}),
    ]

    assert [refusal(answer) for answer in answers] == [(413, None)] * 5
    assert "at most 3 members; this one names 4" in document(answers[0])["detail"]
    assert small.rows("parked_member") == []
    assert [row["display_name"] for row in small.rows("user_group")] == ["Team"]


def test_a_group_may_have_more_members_than_one_request_names(narrow: Directory) -> None:
    ids = [narrow.create_user(f"u{number}") for number in range(5)]
    group = narrow.create_group("Team", *ids[:3])

    rest = [{"value": user_id} for user_id in ids[3:]]
    narrow.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": rest})

    assert narrow.members(group) == set(ids)


def test_more_operations_or_bytes_than_the_limit_are_refused(narrow: Directory) -> None:
    user_id = narrow.create_user("ada")
    operation = {"op": "replace", "path": "title", "value": "x"}

    many = narrow.patch(f"/Users/{user_id}", operation, operation, operation)
    large = narrow.put(f"/Users/{user_id}", {"userName": "ada", "title": "x" * 2048})

    assert (refusal(many), refusal(large)) == ((413, None), (413, None))
    assert "at most 2 operations" in document(many)["detail"]
    assert "title" not in narrow.user(user_id)


@pytest.mark.parametrize("opening", ["(", "not (", "emails["])
def test_a_filter_deeper_than_the_limit_is_refused(okta: Directory, opening: str) -> None:
    closing = "]" if "[" in opening else ")"
    deep = opening * (DEEPEST + 1) + 'value eq "x"' + closing * (DEEPEST + 1)

    answer = okta.post("/Users/.search", {"filter": deep})

    assert refusal(answer) == (400, "invalidFilter")
    assert f"{DEEPEST} deep" in document(answer)["detail"]


def test_a_filter_as_deep_as_the_limit_is_answered(okta: Directory) -> None:
    okta.create_user("ada", title="((((" * 20 + '"')
    deep = "(" * DEEPEST + f'title sw "{"((((" * 20}\\""' + ")" * DEEPEST

    answer = document(okta.post("/Users/.search", {"filter": deep}))

    assert answer["totalResults"] == 1
