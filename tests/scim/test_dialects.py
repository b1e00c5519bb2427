"""Each quirk on its own: what was sent, and what was meant."""

from typing import Any

import pytest

from scim_bridge.scim import dialects


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("abc", "abc"),
        ("Bearer Bearer abc", "abc"),
        ("Basic abc", None),
        ("Bearer a b", None),
        ("Bearer", None),
        ("", None),
        (None, None),
    ],
)
def test_a_token_is_found_in_its_header(sent: str | None, meant: str | None) -> None:
    assert dialects.bearer_token(sent) == meant


@pytest.mark.parametrize(
    ("sent", "meant"), [("Add", "add"), (" REPLACE ", "replace"), ("remove", "remove"), (7, 7), (None, None)]
)
def test_operations_are_read_in_any_case(sent: object, meant: object) -> None:
    assert dialects.operation_name(sent) == meant


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("True", True),
        ("false", False),
        (" FALSE ", False),
        (True, True),
        ("yes", "yes"),
        ("", ""),
        (0, 0),
        (None, None),
    ],
)
def test_truth_is_read_and_never_guessed(sent: object, meant: object) -> None:
    assert dialects.truth(sent) is meant or dialects.truth(sent) == meant
    assert type(dialects.truth(sent)) is type(meant)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Admin", {"value": "Admin"}),
        ({"value": "Admin"}, {"value": "Admin"}),
        ('{"id":"1","value":"Admin","displayName":"A"}', {"value": "Admin", "display": "A"}),
        ({"value": '{"value":"Admin"}', "primary": True}, {"primary": True, "value": "Admin", "display": None}),
        ({"value": "{not json"}, {"value": "{not json"}),
        ({"value": "[1]"}, {"value": "[1]"}),
        (7, 7),
    ],
)
def test_an_entry_is_read_out_of_whatever_carries_it(sent: Any, meant: Any) -> None:
    assert dialects.entry(sent) == meant


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("boss", {"value": "boss"}),
        ("", None),
        ([], None),
        ([{"value": "boss"}], {"value": "boss"}),
        ({"value": ""}, None),
        ({"value": "boss", "$ref": "x"}, {"value": "boss", "$ref": "x"}),
        (None, None),
    ],
)
def test_a_manager_is_read_in_all_its_forms(sent: Any, meant: Any) -> None:
    assert dialects.single_complex(sent) == meant


@pytest.mark.parametrize(
    ("sent", "ids"),
    [
        ([{"value": "a"}, {"value": "b", "$ref": None, "display": "B"}], ["a", "b"]),
        ({"value": "a"}, ["a"]),
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([{"$ref": "https://x/scim/v2/Users/a/"}], ["a"]),
        ([], []),
    ],
)
def test_members_are_named_in_all_their_forms(sent: Any, ids: list[str]) -> None:
    assert list(dialects.member_ids(sent)) == ids


@pytest.mark.parametrize(
    "sent", [None, "", "  ", [None], [{}], [{"value": 7}], [{"value": ""}], [{"$ref": None}], [["a"]]]
)
def test_a_member_without_an_id_is_no_member(sent: Any) -> None:
    with pytest.raises(ValueError, match="a member without an id"):
        list(dialects.member_ids(sent))


@pytest.mark.parametrize(("sent", "named"), [(None, False), ([], True), ([{"value": "a"}], True), ("", True)])
def test_an_empty_list_of_members_is_not_no_list(sent: object, named: bool) -> None:
    assert dialects.names_members_to_remove(sent) is named


def test_values_may_be_json_in_a_string_and_single_where_lists_belong() -> None:
    assert dialects.pathless_value('{"a": 1}') == {"a": 1}
    assert dialects.pathless_value("{}") == "{}"
    assert dialects.pathless_value({"a": 1}) == {"a": 1}
    assert dialects.operations_list({"op": "add"}) == [{"op": "add"}]
    assert dialects.entries({"value": 1}) == [{"value": 1}]
    assert dialects.entries([1]) == [1]


@pytest.mark.parametrize(("name", "is_named"), [("ID", True), ("schemas", True), ("groups", True), ("title", False)])
def test_what_names_the_resource_changes_nothing(name: str, is_named: bool) -> None:
    assert dialects.names_the_resource(name) is is_named
