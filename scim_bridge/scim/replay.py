"""A stored request through the same door as the first time; only the token is not asked for."""

from typing import Any

import orjson
from flask import Flask

from scim_bridge.identity.replays import Answer, Asked
from scim_bridge.scim.protocol import CONTENT_TYPE, KNOWN_CALLER
from scim_bridge.web.context import REQUEST_ID_HEADER


def send(app: Flask, asked: Asked) -> Answer:
    """Send a request again and return its answer; that the version still matches (If-Match) is not asked again."""
    by = asked.caller.replayed_by
    answer = app.test_client().open(
        asked.entry.target,
        method=asked.entry.method,
        data=None if asked.entry.body is None else asked.entry.body.encode(),
        content_type=None if asked.entry.body is None else CONTENT_TYPE,
        headers={"User-Agent": f"replay of {asked.entry.id} by {by.name if by else ''}"},
        environ_overrides={KNOWN_CALLER: asked.caller, "REMOTE_ADDR": ""},
    )
    # What is to be noted of it is noted when the answer is closed.
    answer.close()
    return Answer(answer.status_code, _document(answer.data), answer.headers[REQUEST_ID_HEADER])


def _document(data: bytes) -> dict[str, Any]:
    found = orjson.loads(data) if data else {}
    return found if isinstance(found, dict) else {}
