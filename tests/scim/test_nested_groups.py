"""Groups in groups, and what a person shows of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tests.scim.doors import Directory, World, document, refusal


def shown(directory: Directory, user_id: str) -> dict[str, str]:
    """Return the groups of a user, and how they are in each."""
    return {each["display"]: each["type"] for each in directory.user(user_id).get("groups", [])}


def add(directory: Directory, group_id: str, member_id: str) -> None:
    """Put a member into a group."""
    answer = directory.patch(f"/Groups/{group_id}", {"op": "add", "path": "members", "value": [{"value": member_id}]})
    assert answer.status_code == 204


def test_a_person_shows_the_groups_that_their_groups_are_in(okta: Directory) -> None:
    ada, eve = okta.create_user("ada"), okta.create_user("eve")
    inner = okta.create_group("Inner", ada)
    middle = okta.create_group("Middle", inner)
    okta.create_group("Outer", middle, eve)
    okta.create_group("Elsewhere")

    assert shown(okta, ada) == {"Inner": "direct", "Middle": "indirect", "Outer": "indirect"}
    assert shown(okta, eve) == {"Outer": "direct"}
    listed = {each["userName"]: each["groups"] for each in document(okta.get("/Users"))["Resources"]}
    assert listed["ada"] == okta.user(ada)["groups"]
    assert [len(groups) for groups in listed.values()] == [3, 1]


def test_the_answer_of_a_write_shows_them_too(okta: Directory) -> None:
    ada = okta.create_user("ada")
    okta.create_group("Outer", okta.create_group("Inner", ada))

    answer = document(okta.put(f"/Users/{ada}", {"userName": "ada", "title": "x"}))

    assert {each["display"]: each["type"] for each in answer["groups"]} == {"Inner": "direct", "Outer": "indirect"}
    assert answer["groups"][1]["$ref"].endswith(f"/Groups/{answer['groups'][1]['value']}")


def test_who_is_in_a_group_both_ways_is_in_it_directly(okta: Directory) -> None:
    ada = okta.create_user("ada")
    inner = okta.create_group("Inner", ada)
    okta.create_group("Outer", inner, ada)

    assert shown(okta, ada) == {"Inner": "direct", "Outer": "direct"}


def test_two_ways_to_a_group_show_it_once(okta: Directory) -> None:
    ada = okta.create_user("ada")
    left, right = okta.create_group("Left", ada), okta.create_group("Right", ada)
    okta.create_group("Top", left, right)

    assert [each["display"] for each in okta.user(ada)["groups"]].count("Top") == 1


def test_groups_that_contain_one_another_hang_nothing(okta: Directory) -> None:
    ada = okta.create_user("ada")
    one = okta.create_group("One", ada)
    two = okta.create_group("Two", one)
    add(okta, one, two)
    add(okta, one, one)

    assert shown(okta, ada) == {"One": "direct", "Two": "indirect"}


def test_a_link_that_is_cut_is_shown_no_more(okta: Directory) -> None:
    ada = okta.create_user("ada")
    inner = okta.create_group("Inner", ada)
    middle = okta.create_group("Middle", inner)
    outer = okta.create_group("Outer", middle)

    okta.patch(f"/Groups/{middle}", {"op": "remove", "path": f'members[value eq "{inner}"]'})
    assert shown(okta, ada) == {"Inner": "direct"}

    add(okta, outer, inner)
    assert shown(okta, ada) == {"Inner": "direct", "Outer": "indirect"}

    okta.delete(f"/Groups/{outer}")
    assert shown(okta, ada) == {"Inner": "direct"}


def test_groups_of_a_user_are_not_a_client_s_to_write(okta: Directory) -> None:
    ada = okta.create_user("ada")
    outer = okta.create_group("Outer", okta.create_group("Inner", ada))

    okta.put(f"/Users/{ada}", {"userName": "ada", "groups": [{"value": outer}]})
    refused = okta.patch(f"/Users/{ada}", {"op": "remove", "path": "groups"})

    assert refusal(refused) == (400, "mutability")
    assert shown(okta, ada) == {"Inner": "direct", "Outer": "indirect"}


def test_a_deep_nest_costs_two_statements_more_however_deep_it_is(okta: Directory, world: World) -> None:
    flat, nested = okta.create_user("flat"), okta.create_user("nested")
    okta.create_group("alone", flat)
    below = okta.create_group("g0", nested)
    for number in range(1, 12):
        below = okta.create_group(f"g{number}", below)
    for name in (flat, nested):
        okta.user(name)

    costs = []
    for name in (flat, nested):
        with counted(world) as statements:
            costs.append((len(shown(okta, name)), statements))

    assert [number for number, _ in costs] == [1, 12]
    assert len(costs[1][1]) == len(costs[0][1]) + 2


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """Collect the statements that the database is asked."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    sa.event.listen(world.database.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(world.database.engine, "before_cursor_execute", note)


def test_a_nested_group_reads_as_a_member_of_its_kind(okta: Directory) -> None:
    ada = okta.create_user("ada")
    inner = okta.create_group("Inner")
    outer = okta.create_group("Outer", inner, ada)

    members = document(okta.get(f"/Groups/{outer}"))["members"]

    assert {each["value"]: each["type"] for each in members} == {inner: "Group", ada: "User"}
    assert okta.names(f'/Groups?filter=members.value eq "{inner}"') == ["Outer"]
