"""What of a body may be kept, and what makes it unreadable."""

from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_bridge.errors import Invalid
from scim_bridge.scim.bodies import DEEPEST, loggable, read_body

app = Flask(__name__)
SECRET = "hunter2"


def _read(raw: bytes) -> dict[str, Any]:
    with app.test_request_context("/", method="POST", data=raw, content_type="application/json"):
        return read_body()


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
    assert SECRET not in loggable(body)


def test_everything_else_is_kept_as_it_was_sent() -> None:
    body = {"userName": "ada", "Operations": [{"op": "add", "path": "title", "value": {"x": [1, None, "y"]}}]}

    assert orjson.loads(loggable(body)) == body


@settings(max_examples=50)
@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner)))
def test_masking_never_changes_the_shape(value: Any) -> None:
    kept = orjson.loads(loggable({"x": value, "password": value}))

    assert kept == {"x": value, "password": "***"}


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST + 1, 900])
def test_a_body_is_walked_no_deeper_than_the_limit(depth: int) -> None:
    raw = b'{"a":' * depth + b"1" + b"}" * depth

    if depth < DEEPEST:
        assert _read(raw)
    else:
        with pytest.raises(Invalid, match="nested deeper"):
            _read(raw)


@pytest.mark.parametrize("raw", [b'{"a\\u0000b": 1}', b'{"a": ["x", {"b": "\\u0000"}]}'])
def test_nul_is_refused_in_names_and_values(raw: bytes) -> None:
    with pytest.raises(Invalid, match="NUL"):
        _read(raw)


def test_what_looks_like_nul_is_none() -> None:
    assert _read(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
