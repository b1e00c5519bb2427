"""What of a body may be kept: everything but what is secret."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_bridge.scim.masking import mask_body

SECRET = "hunter2"


@pytest.mark.parametrize(
    "body",
    [
        {"password": SECRET},
        {"PassWord": SECRET},
        {"urn:ietf:params:scim:schemas:core:2.0:User:password": SECRET},
        {"passwords": [SECRET, {"deep": SECRET}]},
        {"Operations": [{"op": "replace", "path": "password", "value": SECRET}]},
        {"Operations": [{"op": "replace", "Path": "urn:x:User:Password", "Value": SECRET}]},
        {"Operations": [{"op": "replace", "value": {"password": SECRET}}]},
        {"Operations": [{"op": "replace", "value": '{"password": "hunter2"}'}]},
        {"roles": [{"value": ' {"newPassword":"hunter2"}'}]},
        {"a": {"b": {"password": {"value": SECRET}}}},
    ],
)
def test_a_password_is_kept_nowhere_in_a_body(body: dict[str, Any]) -> None:
    assert SECRET not in mask_body(body).text


def test_everything_else_is_kept_as_it_was_sent() -> None:
    body = {"userName": "ada", "Operations": [{"op": "add", "path": "title", "value": {"x": [1, None, "y"]}}]}

    assert orjson.loads(mask_body(body).text) == body


@settings(max_examples=50)
@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner)))
def test_masking_never_changes_the_shape(value: Any) -> None:
    kept = orjson.loads(mask_body({"x": value, "password": "not to be guessed"}).text)

    assert kept == {"x": value, "password": "***"}
