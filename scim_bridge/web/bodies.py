"""
Bodies as they come in: JSON within limits.

Whatever passes here can be walked without care: an object, nested no deeper than `DEEPEST`, without the character NUL
(PostgreSQL cannot store it).
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import orjson
from flask import request
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_options_header

from scim_bridge.errors import Invalid

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ENCODINGS = ("utf-8", "utf8", "us-ascii")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST = 32
NUL_ESCAPED = b"\\u0000"


def read_json(types: Collection[str]) -> dict[str, Any]:
    """
    Return the body of the request at hand, which is of one of these types.

    Raises Invalid (invalidSyntax), or an HTTP error for 413 and 415.
    """
    check_type(request.environ, types)
    return parse_json(request.get_data())


def check_type(environ: "WSGIEnvironment", types: Collection[str]) -> None:
    """Raise UnsupportedMediaType unless a body is of one of these types, and in UTF-8."""
    sent = environ.get("CONTENT_TYPE", "")
    if sent not in types:
        kind, parameters = parse_options_header(sent)
        # A client that names no type means JSON: there is nothing else to mean here.
        if kind and kind.lower() not in types:
            raise UnsupportedMediaType
        if parameters.get("charset", "utf-8").lower() not in ENCODINGS:
            raise UnsupportedMediaType
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType


def parse_json(raw: bytes) -> dict[str, Any]:
    """Return what a body says; raises Invalid (invalidSyntax)."""
    try:
        body = orjson.loads(raw.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError:
        raise _wrong("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise _wrong("The body must be a JSON object.")
    if raw.count(b"{") + raw.count(b"[") < DEEPEST and NUL_ESCAPED not in raw:
        # Nearly every body: what has so few brackets is not deep, and NUL itself is no JSON.
        return body
    for value in _walk(body):
        if isinstance(value, str) and "\x00" in value:
            raise Invalid("A text holds the character NUL, which cannot be stored.", scim_type="invalidValue")
    return body


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
