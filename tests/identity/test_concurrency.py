"""Requests that meet: nothing is lost, nothing is made twice, and nobody waits for ever."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import BridgeError, Conflict, NotFound, NotUnique
from scim_bridge.identity import holds
from scim_bridge.identity.attribute_changes import apply, preview
from scim_bridge.scim.filters import attribute_path
from scim_bridge.store.database import Database
from tests.identity.provider import HANDS, Provider, rows
from tests.identity.rows import count


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def at_once(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run every task in a thread of its own, all starting together; an error is its result."""
    waiting = list(tasks)
    barrier = Barrier(len(waiting))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return task()
        except BridgeError as error:
            return error

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(run, waiting, timeout=60))


def failures(results: list[Any]) -> list[BridgeError]:
    return [each for each in results if isinstance(each, BridgeError)]


def test_ten_patches_of_one_group_at_once_lose_nothing(okta: Provider) -> None:
    staying, coming = ([okta.post(f"{word}{index}").id for index in range(10)] for word in ("out", "in"))
    group = okta.post_group("Admins", *staying)

    def patch(index: int) -> Callable[[], Any]:
        return lambda: (okta.add(group.id, coming[index]), okta.remove(group.id, staying[index]))

    results = at_once(patch(index) for index in range(10))

    assert failures(results) == []
    assert okta.members(group.id) == set(coming)
    assert rows(okta.database, "user_group", id=group.id)[0]["version"] == group.version + 20


def test_one_member_added_ten_times_at_once_is_in_once(okta: Provider) -> None:
    ann = okta.post("ann")
    group = okta.post_group("Admins")

    results = at_once([lambda: okta.add(group.id, ann.id)] * 10)

    assert failures(results) == []
    assert len(rows(okta.database, "membership", group_id=group.id)) == 1


def test_of_posts_of_one_user_name_at_once_one_is_answered_and_the_rest_are_told_so(okta: Provider) -> None:
    results = at_once([lambda: okta.post("ann")] * 6)

    assert [type(each) for each in failures(results)] == [NotUnique] * 5
    assert (count(okta.database, "scim_user"), count(okta.database, "member")) == (1, 1)


def test_a_person_who_comes_back_many_times_at_once_comes_back_once(okta: Provider) -> None:
    ann = okta.post("ann", externalId="e1")
    okta.delete(ann.id)

    results = at_once([lambda: okta.post("ann", externalId="e1")] * 6)

    assert [type(each) for each in failures(results)] == [NotUnique] * 5
    assert {row["member_id"] for row in rows(okta.database, "scim_user")} == {ann.member_id}


def test_an_inactive_user_is_revived_once(okta: Provider) -> None:
    ann = okta.post("ann", active=False)

    results = at_once([lambda: okta.post("ann")] * 6)

    assert [type(each) for each in failures(results)] == [NotUnique] * 5
    assert okta.user(ann.id).version == ann.version + 1


def test_groups_of_one_name_at_once_are_one(okta: Provider) -> None:
    results = at_once([lambda: okta.post_group("Admins")] * 6)

    assert [type(each) for each in failures(results)] == [NotUnique] * 5


def test_renames_onto_one_name_at_once_are_refused_in_words(okta: Provider) -> None:
    users = [okta.post(f"user{index}") for index in range(5)]

    results = at_once([partial(okta.patch, user.id, userName="wanted") for user in users])

    assert [type(each) for each in failures(results)] == [NotUnique] * 4


@pytest.mark.parametrize("turn", range(3))
def test_a_group_patch_and_the_deletion_of_its_users_never_block_one_another(okta: Provider, turn: int) -> None:
    users = [okta.post(f"user{index}").id for index in range(6)]
    groups = [okta.post_group(f"Group{index}", *users[: turn * 2]).id for index in range(4)]

    def patch(index: int) -> Callable[[], Any]:
        order = users if index % 2 else users[::-1]
        return lambda: [okta.add(group, *order) for group in (groups if index % 2 else groups[::-1])]

    deleting: list[Callable[[], Any]] = [partial(okta.delete, user) for user in users[:4]]
    results = at_once([*map(patch, range(4)), *deleting])

    assert failures(results) == []
    for group in groups:
        assert okta.members(group) == set(users[4:])
    in_force = [row for row in rows(okta.database, "membership") if row["valid_to"] is None]
    assert len(in_force) == 8


def test_a_user_deleted_twice_at_once_is_deleted_once(okta: Provider) -> None:
    ann = okta.post("ann")

    results = at_once([lambda: okta.delete(ann.id)] * 4)

    assert [type(each) for each in failures(results)] == [NotFound] * 3
    assert len(rows(okta.database, "removal_request", cause="deleted")) == 1


def test_holds_end_once_however_many_end_them(okta: Provider, actor: Actor) -> None:
    users = [okta.post(f"user{index}") for index in range(20)]
    groups = [okta.post_group(name, *(user.id for user in part)) for name, part in (("A", users[:10]), ("B", users))]
    for group in groups:
        okta.replace(group.id, [])

    leavers: list[Callable[[], Any]] = [partial(okta.patch, user.id, active=False) for user in users[:4]]
    back: list[Callable[[], Any]] = [partial(okta.add, groups[1].id, user.id) for user in users[4:6]]
    approvals: list[Callable[[], Any]] = [lambda: holds.approve(okta.database, actor, "acme")] * 2
    results = at_once([*leavers, *back, *approvals])

    assert failures(results) == []
    assert holds.list_held(okta.database, "acme") == []
    assert okta.members(groups[1].id) == {user.id for user in users[4:6]}


def test_whoever_is_written_while_a_mapping_changes_is_called_as_the_new_one_says(okta: Provider) -> None:
    mapping: dict[str, Any] = {"fields": {"user_name": {"from": "userName", "transforms": [{"before": "@"}]}}}
    there = [okta.post(f"there{number}@acme.example") for number in range(4)]
    changing = (okta.database, HANDS, "acme", "okta", attribute_path, mapping)

    def change() -> Any:
        # Others come in between the look and the deed; then the look is taken again.
        for _ in range(20):
            with suppress(Conflict):
                return apply(*changing, preview(*changing).hash)
        raise AssertionError("the mapping never came into force")

    results = at_once(
        [
            change,
            *(partial(okta.post, f"come{number}@acme.example") for number in range(4)),
            *(partial(okta.patch, each.id, userName=f"moved-{each.user_name}") for each in there),
        ]
    )

    assert failures(results) == []
    expected = {f"come{number}" for number in range(4)} | {f"moved-there{number}" for number in range(4)}
    assert {row["user_name"] for row in rows(okta.database, "member")} == expected
