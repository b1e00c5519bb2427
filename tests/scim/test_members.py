"""Changes of members, read without a list of those that are there."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_bridge.domain.provisioning import MemberChange
from scim_bridge.errors import Invalid
from scim_bridge.scim.members import listed_members, part_members
from scim_bridge.scim.patching import read_operations


def _change(*operations: dict[str, Any]) -> MemberChange:
    change, rest = part_members(read_operations({"Operations": list(operations)}, 100), 100)
    assert rest == ()
    return change


def add(*ids: str) -> dict[str, Any]:
    """Return an addition."""
    return {"op": "add", "path": "members", "value": [{"value": each} for each in ids]}


def remove(*ids: str) -> dict[str, Any]:
    """Return a removal by name."""
    return {"op": "remove", "path": "members", "value": [{"value": each} for each in ids]}


def replace(*ids: str) -> dict[str, Any]:
    """Return a new list."""
    return {"op": "replace", "path": "members", "value": [{"value": each} for each in ids]}


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"members": [{"value": "a"}, {"value": "b"}, {"value": "a"}]}, ["a", "b"]),
        ({"MEMBERS": []}, []),
        ({"urn:ietf:params:scim:schemas:core:2.0:Group:members": ["a"]}, ["a"]),
        ({"members": None}, None),
        ({}, None),
    ],
)
def test_no_list_is_not_an_empty_list(body: dict[str, Any], ids: list[str] | None) -> None:
    found = listed_members(body, 10)

    assert (None if found is None else list(found)) == ids


def test_a_named_removal_stays_asked_for_behind_a_new_list() -> None:
    change = _change(remove("a", "b"), replace("b", "c"))

    assert (list(change.remove), list(change.add), change.replace) == (["a"], ["b", "c"], True)


def test_what_is_no_matter_of_members_is_left_to_others() -> None:
    operations = [add("a"), {"op": "replace", "path": "displayName", "value": "x"}, remove("b")]

    change, rest = part_members(read_operations({"Operations": operations}, 10), 10)

    assert (list(change.add), list(change.remove)) == (["a"], ["b"])
    assert [operation.path for operation in rest] == ["displayName"]


@pytest.mark.parametrize(
    "path",
    [
        'members[value eq "a"].display',
        "members.display",
        'members[type eq "Group"]',
        'members[value eq "a" and value eq "b"]',
        'members[value co "a"]',
        'members[$ref eq "a"]',
    ],
)
def test_members_are_named_and_never_described(path: str) -> None:
    with pytest.raises(Invalid):
        _change({"op": "remove", "path": path})


IDS = st.lists(st.sampled_from("abcd"), max_size=3, unique=True)
OPERATIONS = st.lists(
    st.one_of(
        IDS.map(lambda ids: add(*ids)),
        IDS.map(lambda ids: remove(*ids)),
        IDS.map(lambda ids: replace(*ids)),
        st.just({"op": "remove", "path": "members"}),
        st.sampled_from("abcd").map(lambda each: {"op": "remove", "path": f'members[value eq "{each}"]'}),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50)
@given(OPERATIONS, st.sets(st.sampled_from("abcd")))
def test_a_change_means_what_its_operations_mean_one_by_one(operations: list[dict[str, Any]], start: set[str]) -> None:
    members = set(start)
    for operation in operations:
        named = {each["value"] for each in operation.get("value", [])}
        if operation["op"] == "add":
            members |= named
        elif operation["op"] == "replace" or ("value" not in operation and operation["path"] == "members"):
            members = named
        else:
            members -= named or {operation["path"][-3:-2]} if "value" not in operation else named

    change = _change(*operations)

    left = set() if change.replace else start - set(change.remove)
    assert left | set(change.add) == members
