"""
Bodies as they come in: JSON within limits.

Whatever passes here can be walked without care: an object, nested no deeper than `DEEPEST`, without the character NUL
(PostgreSQL cannot store it).
"""

from collections.abc import Collection, Iterator
from typing import Any

import orjson
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from scim_bridge.errors import Invalid

ENCODINGS = ("utf-8", "utf8", "us-ascii")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST = 32


def read_json(types: Collection[str]) -> dict[str, Any]:
    """
    Return the body of the request at hand, which is of one of these types.

    Raises Invalid (invalidSyntax), or an HTTP error for 413 and 415.
    """
    _check_type(types)
    raw = request.get_data().removeprefix(BYTE_ORDER_MARK)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _wrong("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise _wrong("The body must be a JSON object.")
    for value in _walk(body):
        if isinstance(value, str) and "\x00" in value:
            raise Invalid("A text holds the character NUL, which cannot be stored.", scim_type="invalidValue")
    return body


def _check_type(types: Collection[str]) -> None:
    kind = request.mimetype
    # A client that names no type means JSON: there is nothing else to mean here.
    if kind and kind not in types:
        raise UnsupportedMediaType
    if request.mimetype_params.get("charset", "utf-8").lower() not in ENCODINGS:
        raise UnsupportedMediaType
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType


def _walk(body: object) -> Iterator[object]:
    """Yield every name and value, layer by layer: no recursion that a body could exhaust."""
    layer: list[object] = [body]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for value in layer:
            if isinstance(value, dict):
                yield from value
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            else:
                yield value
        if not inner:
            return
        layer = inner
    raise _wrong(f"The body is nested deeper than {DEEPEST} levels.")


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, scim_type="invalidSyntax")
