"""A short list is answered as if it were believed, and takes away no more than the settings let go within an hour."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scim.doors import Directory, World, document, open_world, replace


def put_empty(okta: Directory, group: str) -> Any:
    return okta.put(f"/Groups/{group}", {"displayName": "Admins", "members": []})


def replace_by_nothing(okta: Directory, group: str) -> Any:
    return okta.patch(f"/Groups/{group}", replace("members", []))


@pytest.mark.parametrize("emptying", [put_empty, replace_by_nothing])
def test_an_emptied_group_reads_back_empty_and_stays_in_force(
    world: World, okta: Directory, emptying: Callable[[Directory, str], Any]
) -> None:
    people = [okta.create_user(f"user{number}") for number in range(10)]
    group = okta.create_group("Admins", *people)

    answer = emptying(okta, group)

    assert answer.status_code in (200, 204)
    shown = document(okta.get(f"/Groups/{group}"))
    assert not shown.get("members")
    assert shown["meta"]["version"] != 'W/"1"'
    assert "groups" not in okta.user(people[0])
    assert okta.names(f'/Groups?filter=members.value eq "{people[0]}"') == []
    assert world.present_members(group) == set(people)
    assert {row["held"] for row in world.rows("membership", group_id=group)} == {True}


def test_the_settings_say_how_many_a_list_may_leave_out(migrated_url: str, tmp_path: Path) -> None:
    with open_world(migrated_url, tmp_path, brake_subjects=1) as world:
        okta = world.connect("acme", "okta")
        people = [okta.create_user(f"user{number}") for number in range(4)]
        group = okta.create_group("Admins", *people)

        answer = okta.patch(f"/Groups/{group}", replace("members", [{"value": people[0]}]))

        assert answer.status_code == 204
        assert okta.members(group) == {people[0]}
        assert len(world.present_members(group)) == 3
