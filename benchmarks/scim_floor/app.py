"""
The floor: what nobody who stores this in this database and serves it with gunicorn can save.

A raw WSGI application with hand-written SQL and no rules: no token, no audit, no log, no validation. It answers the
requests that the bridge answers, from documents of the same size. `FLOOR_DATABASE` is a libpq URL or a SQLite file.
"""

import os
import re
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote
from uuid import uuid4

import orjson

from benchmarks.scim_floor import databases

QUOTED = re.compile(r'"(.*)"')


class StartResponse(Protocol):
    """What WSGI calls start_response, as far as it is called here."""

    def __call__(self, status: str, headers: list[tuple[str, str]]) -> object: ...


store = databases.open_floor(os.environ["FLOOR_DATABASE"])


def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    status, body = _answer(environ["REQUEST_METHOD"], environ["PATH_INFO"].split("/")[3:], environ)
    headers = [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
    start_response(status, headers if body else [])
    return [body] if body else []


def _answer(method: str, path: list[str], environ: dict[str, Any]) -> tuple[str, bytes]:
    match method, path:
        case "GET", ["Users", user_id]:
            return "200 OK", store.user(user_id)
        case "GET", ["Users"]:
            return "200 OK", _listed(environ["QUERY_STRING"])
        case "POST", ["Users"]:
            return _create(environ)
        case "PATCH", ["Users", user_id]:
            active = b"false" not in environ["wsgi.input"].read().lower()
            return "200 OK", store.change_user(user_id, active=active)
        case "PATCH", ["Groups", group_id]:
            operation = orjson.loads(environ["wsgi.input"].read())["Operations"][0]
            member = operation["value"][0]["value"]
            (store.add_member if operation["op"] == "Add" else store.remove_member)(group_id, member)
            return "204 No Content", b""
        case "GET", ["Groups", group_id]:
            return "200 OK", b'{"id":"%b","members":[%b]}' % (group_id.encode(), store.members(group_id))
        case _:
            return "404 Not Found", b"{}"


def _listed(query: str) -> bytes:
    if query.startswith("filter="):
        named = QUOTED.search(unquote(query.replace("+", " ")))
        found = store.by_user_name(named[1] if named else "")
    else:
        asked = parse_qs(query)
        found = store.page(int(asked["startIndex"][0]) - 1, int(asked["count"][0]))
    return b'{"totalResults":%d,"Resources":[%b]}' % (len(found), b",".join(found))


def _create(environ: dict[str, Any]) -> tuple[str, bytes]:
    sent = environ["wsgi.input"].read()
    made = str(uuid4())
    document = b'{"id":"%b",%b' % (made.encode(), sent[1:])
    store.create_user(made, orjson.loads(sent)["userName"], document)
    return "201 Created", document
