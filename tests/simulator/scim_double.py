"""A SCIM server as small as it can be: it keeps what it is sent, and understands the forms that IdPs send."""

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

FILTER = re.compile(r'^(userName|displayName) eq "(.*)"$')
MEMBER = re.compile(r'^members\[value eq "(.*)"\]$')


@dataclass
class Planned:
    """An answer that is given instead of the real one, to the next requests that fit."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    document: dict[str, Any]
    times: int


@dataclass
class ScimDouble:
    """The world behind the double: what is stored, what was asked, and what shall go wrong."""

    token: str = "right"
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    base_url: str = ""

    def answer_once(
        self,
        method: str,
        path: str,
        status: int,
        *,
        headers: dict[str, str] | None = None,
        document: dict[str, Any] | None = None,
        times: int = 1,
    ) -> None:
        self.planned.append(Planned(method, path, status, headers or {}, document or {}, times))

    def user(self, user_name: str) -> dict[str, Any]:
        return next(user for user in self.users.values() if user["userName"] == user_name)

    def group(self, name: str) -> dict[str, Any]:
        return next(group for group in self.groups.values() if group["displayName"] == name)

    def members(self, name: str) -> list[str]:
        return sorted(self.users[value]["userName"] for value in self.group(name)["members"])

    def requests(self, *methods: str) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _, _ in self.seen if not methods or method in methods]

    def documents(self, method: str) -> list[dict[str, Any]]:
        return [orjson.loads(body) for seen, _, _, body in self.seen if seen == method]

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(target)
        kind, _, key = parts.path.removeprefix("/scim/v2/").partition("/")
        kept = self.users if kind == "Users" else self.groups
        document = orjson.loads(body) if body else {}
        if key and key not in kept:
            return 404, {"detail": f"{key} is not here."}
        if method == "POST":
            return self._create(kept, document)
        if method == "DELETE":
            del kept[key]
            return 204, {}
        if method == "PUT":
            kept[key] |= document | _ids(document)
        if method == "PATCH":
            for operation in document["Operations"]:
                _apply(kept[key], operation)
        return (200, kept[key]) if key else (200, _listed(kept, parse_qs(parts.query)))

    def _create(self, kept: dict[str, dict[str, Any]], document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = "userName" if "userName" in document else "displayName"
        if any(other[name] == document[name] for other in kept.values()):
            return 409, {"detail": f"{document[name]} is taken."}
        key = f"{name[0]}{len(kept) + 1}"
        kept[key] = document | {"id": key} | ({"members": {}} if name == "displayName" else {})
        return 201, kept[key]


def serve(double: ScimDouble) -> ThreadingHTTPServer:
    """Serve the double on a free port, in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            double.seen.append((self.command, self.path, dict(self.headers), body))
            status, headers, document = self._decide(body)
            self._write(status, headers, b"" if status == 204 else orjson.dumps(document))

        def _decide(self, body: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
            for planned in double.planned:
                if planned.times and planned.method == self.command and planned.path in self.path:
                    planned.times -= 1
                    return planned.status, planned.headers, planned.document
            if self.headers.get("Authorization") != f"Bearer {double.token}":
                return 401, {}, {"detail": "This token is not one of ours."}
            status, document = double.answer(self.command, self.path, body)
            return status, {}, document

        def _write(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names are the library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.base_url = f"http://127.0.0.1:{server.server_address[1]}/scim/v2"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def _listed(kept: dict[str, dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    found = list(kept.values())
    if "filter" in query:
        matched = FILTER.match(query["filter"][0])
        assert matched is not None, query["filter"]
        found = [one for one in found if one[matched[1]].lower() == matched[2].lower()]
    start, count = int(query.get("startIndex", ["1"])[0]), int(query.get("count", ["100"])[0])
    return {"totalResults": len(found), "Resources": found[start - 1 :][:count]}


def _ids(document: dict[str, Any]) -> dict[str, Any]:
    return {"members": _by_id(document["members"])} if "members" in document else {}


def _by_id(members: list[dict[str, Any]]) -> dict[str, None]:
    return {member["value"]: None for member in members}


def _apply(kept: dict[str, Any], operation: dict[str, Any]) -> None:
    op, path = operation["op"].lower(), operation.get("path")
    value: Any = operation.get("value")
    if path is None:
        kept |= value
    elif path == "members" and op == "replace":
        kept["members"] = _by_id(value)
    elif path == "members" and op == "add":
        kept["members"] |= _by_id(value)
    elif path == "members":
        for member in _by_id(value):
            kept["members"].pop(member, None)
    elif found := MEMBER.match(path):
        kept["members"].pop(found[1], None)
    elif path == "active":
        kept["active"] = value if isinstance(value, bool) else value.lower() == "true"
    else:
        kept[path] = value
