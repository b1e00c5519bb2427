"""What a bulk request asks for, and in which order it can be done."""

from typing import Any

import pytest

from scim_bridge.errors import Invalid, TooLarge
from scim_bridge.scim.bulk_requests import BulkOperation, in_order, read_bulk


def post(name: str, *members: str) -> BulkOperation:
    """Make a group of that bulkId, with what these bulkIds stand for in it."""
    data = {"displayName": name, "members": [{"value": f"bulkId:{member}"} for member in members]}
    return BulkOperation("POST", "Groups", None, data, name)


def test_what_nobody_waits_for_stays_in_its_order() -> None:
    assert in_order([post("a"), post("b"), post("c")]) == ([0, 1, 2], set())


def test_what_is_referred_to_comes_first() -> None:
    assert in_order([post("a", "c"), post("b"), post("c")]) == ([2, 0, 1], set())


def test_changes_of_one_thing_are_never_swapped() -> None:
    first = BulkOperation("PATCH", "Groups", "g", {"Operations": [{"op": "add", "value": "bulkId:late"}]})
    second = BulkOperation("PATCH", "Groups", "g", {"Operations": [{"op": "remove", "path": "members"}]})

    order, circular = in_order([first, second, post("late")])

    assert order.index(0) < order.index(1)
    assert (order.index(2), circular) == (0, set())


@pytest.mark.parametrize(
    ("operations", "circular"),
    [
        ([post("a", "a")], {0}),
        ([post("a", "b"), post("b", "a")], {0, 1}),
        ([post("a", "b"), post("b", "c"), post("c", "b")], {1, 2}),
        ([post("a", "b", "c"), post("b"), post("c", "a"), post("d")], {0, 2}),
    ],
)
def test_circles_are_found(operations: list[BulkOperation], circular: set[int]) -> None:
    order, found = in_order(operations)

    assert sorted(order) == list(range(len(operations)))
    assert found == circular


def test_a_long_chain_exhausts_nothing() -> None:
    chain = [post(f"g{number}", f"g{number + 1}") for number in range(1500)]

    order, circular = in_order([*chain, post("g1500")])

    assert (order, circular) == (list(range(1500, -1, -1)), set())


def test_references_are_found_wherever_they_stand_and_nowhere_else() -> None:
    data = {"a": ["bulkId:x", {"b": "bulkId:y"}], "bulkId:name": 1, "c": "see bulkId:z"}

    operation = BulkOperation("PUT", "Users", "bulkId:w", data)

    assert operation.references == {"w", "x", "y"}
    made = {"w": "1", "x": "2", "y": "3"}
    assert operation.path(made) == "/Users/1"
    assert operation.body(made) == {"a": ["2", {"b": "3"}], "bulkId:name": 1, "c": "see bulkId:z"}


def one(**changed: Any) -> dict[str, Any]:
    """Return a body with one operation that makes sense but for what is changed."""
    operation = {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "ada"}}
    return {"Operations": [{name: value for name, value in {**operation, **changed}.items() if value is not None}]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Operations": {}},
        {"Operations": []},
        {"Operations": ["POST"]},
        one(method="GET"),
        one(method=None),
        one(path="/Users/1"),
        one(path="/Users/.search"),
        one(path="/Bulk"),
        one(path="/Me"),
        one(path="https://elsewhere.example/Users"),
        one(path="/Users?count=1"),
        one(path=7),
        one(method="DELETE", path="/Users"),
        one(method="PUT", path="/Users/1/2"),
        one(data=None),
        one(data=[]),
        one(bulkId=None),
        one(bulkId=["a"]),
        one(bulkId="x" * 256),
        one(version="a\nb"),
        {"Operations": [*one()["Operations"], *one()["Operations"]]},
        {**one(), "failOnErrors": 0},
        {**one(), "failOnErrors": "1"},
        {**one(), "failOnErrors": True},
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_bulk(body, 10)


def test_methods_and_names_are_read_without_regard_to_case() -> None:
    found = read_bulk({"operations": [{"METHOD": "delete", "Path": "Users/1/"}], "FAILONERRORS": 2}, 1)

    assert found.fail_on_errors == 2
    assert (found.operations[0].method, found.operations[0].path({})) == ("DELETE", "/Users/1")


def test_too_many_operations_are_refused_with_the_number() -> None:
    with pytest.raises(TooLarge, match="at most 1 operations; this one has 2"):
        read_bulk({"Operations": [one(), one()]}, 1)
