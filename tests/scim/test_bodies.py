"""What makes a body unreadable."""

from typing import Any

import pytest
from werkzeug.test import create_environ

from scim_bridge.errors import Invalid
from scim_bridge.scim.bodies import DEEPEST, read_body


def _read(raw: bytes) -> dict[str, Any]:
    return read_body(create_environ(method="POST", data=raw, content_type="application/json"), len(raw))


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
