"""
Bodies as they come in: JSON within limits, and what of them may be kept in a log.

Whatever passes here can be walked without care: an object, nested no deeper than `DEEPEST`, without the character NUL
(PostgreSQL cannot store it).
"""

from collections.abc import Iterator
from typing import Any

import orjson
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import Invalid
from scim_bridge.log import MASK

CONTENT_TYPES = ("application/scim+json", "application/json")
ENCODINGS = ("utf-8", "utf8", "us-ascii")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST = 32
SECRET = "password"


def read_body() -> Document:
    """Return the body of the request at hand; raises Invalid (invalidSyntax), or an HTTP error for 413 and 415."""
    _check_type()
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


def loggable(body: Document) -> str:
    """Return a body as JSON in which no password can be read, wherever a client has put one."""
    return orjson.dumps(_masked(body)).decode()


def _check_type() -> None:
    kind = request.mimetype
    # A client that names no type means JSON: there is nothing else to mean here.
    if kind and kind not in CONTENT_TYPES:
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


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        # `{"path": "password", "value": …}` names what it holds beside it.
        named = any(isinstance(each, str) and SECRET in each.lower() for key, each in value.items() if key != "value")
        return {
            key: MASK if SECRET in key.lower() or (named and key.lower() == "value") else _masked(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each) for each in value]
    # JSON inside a string (scim-for-keycloak) is not searched: if it speaks of a password, none of it is kept.
    return MASK if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and SECRET in value.lower() else value


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, scim_type="invalidSyntax")
