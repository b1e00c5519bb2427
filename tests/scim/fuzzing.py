"""
Requests that nobody should send, by the thousand, the same for the same seed.

Half of them are what identity providers really send (the wire files), with something spoilt in the body, the path, the
query or the headers; the other half is grown from the grammar of filters, paths and operations, and is nearly right.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from scim_bridge.simulator import wire
from tests.conversations.talk import PERSON
from tests.scim.doors import ENTERPRISE_URN, PATCH_URN, USER_URN

# Shorter than what gunicorn itself refuses: the door is to be tried, not the server in front of it.
LONGEST_TARGET = 3500
TEXTS = (
    *("", " ", "x", "ada", "ADA@acme.example", "Engineers", "True", "false", "null", "0", "-1", "1e309", "2026-01-01"),
    *("\x00", "a\x00b", "\u202e", "\ufffd", "é", "e\u0301", "İ", "ß", "🐈", "\u2028", "\\", '"', "'", "%", "_", "%00"),
    *("'; DROP TABLE member;--", "{{7*7}}", "${jndi:x}", "../../etc/passwd", "<b>", "=1+1", "a" * 1025, "é" * 600),
    *("{", "[]", '{"value":"x"}', '{"id":"1","value":"Admin","displayName":"A"}', "members", "urn:", USER_URN),
    *("2026-13-45T99:99:99Z", "2026-11-25T10:00:00+25:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
)
NAMES = (
    *("userName", "USERNAME", "displayName", "externalId", "active", "name", "emails", "roles", "members", "groups"),
    *("title", "manager", "addresses", "phoneNumbers", "photos", "x509Certificates", "entitlements", "password"),
    *("id", "meta", "schemas", "value", "type", "primary", "$ref", "display", "givenName", "employeeNumber"),
    *(ENTERPRISE_URN, USER_URN, "urn:scim:schemas:core:1.0", "urn:example:x", "created", "lastModified", "Operations"),
)
PIECES = ("%00", "%ff", "%C3%28", "/", "//", "..", ";", "%2f", "?", "&", "#", "+")
BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "Co", "xx")
HEADERS = {
    "Content-Type": (
        "application/json",
        "text/plain",
        "application/scim+json; charset=latin-1",
        "a/b;c",
        "",
        ";;=",
        "é",
    ),
    "Content-Encoding": ("gzip", "identity", "br, gzip", ""),
    "Accept": ("application/json", "text/html;q=0.1", "*/*", "", "q=x;;"),
    "If-Match": ("*", 'W/"1"', '"1"', 'W/"99999999999999999999"', "W/", '"', 'W/"1", W/"2"', 'W/"-1"', "é"),
    "If-None-Match": ("*", 'W/"1"', "x", '"' * 40),
    "If-Modified-Since": ("yesterday", "Wed, 25 Nov 2026 10:00:00 GMT"),
    "Authorization": ("", "Bearer", "Basic eDp5", "Bearer a b", "bearer scimb_x_y", "Negotiate é"),
    "X-Request-Id": ("x" * 300, "\t", "é", "a b"),
    "X-Forwarded-For": ("1.2.3.4", "::1, x", "é" * 50),
    "X-HTTP-Method-Override": ("DELETE", "PATCH"),
    "User-Agent": ("", "é" * 200, "x" * 2000),
    "Range": ("bytes=0-1", "bytes=-"),
    "Prefer": ("return=minimal",),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
ENDPOINTS = (
    *("/Users", "/Groups", "/Users/.search", "/Groups/.search", "/.search", "/Me", "/Bulk", "/Schemas", "/users"),
    *("/ResourceTypes", "/ResourceTypes/User", "/ServiceProviderConfig", "/Users/", "/Groups//", "/Users/x/y", "/", ""),
)


@dataclass(frozen=True)
class Sent:
    """One request; ``target`` follows the SCIM base URL."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass
class Fuzzer:
    """Grows requests from a seed and from the ids that the server gave out so far."""

    seed: int
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._files = [(dialect, name) for dialect in wire.DIALECTS for name in wire.names(dialect)]

    def requests(self) -> Iterator[Sent]:
        """Yield requests without end."""
        while True:
            made = self._random.choice((self._spoilt, self._spoilt, self._asked, self._written))()
            if self._random.random() < 0.15:
                made = replace(made, headers=(*made.headers, self._header()))
            yield replace(made, target=_sendable(made.target))

    def _spoilt(self) -> Sent:
        """Return what an identity provider sends, with up to two things spoilt."""
        dialect, name = self._random.choice(self._files)
        rendered = wire.render(dialect, name, self._values())
        made = Sent(rendered.method, rendered.target, rendered.headers, rendered.body)
        for _ in range(self._random.randrange(3)):
            made = self._random.choice((self._spoil_body, self._spoil_body, self._spoil_bytes, self._spoil_target))(
                made
            )
        return made

    def _values(self) -> dict[str, Any]:
        values = {name: self._text() if self._often(0.2) else each for name, each in PERSON.items()}
        listed = [{"value": self._id(), "display": self._text()} for _ in range(self._random.randrange(4))]
        roles = [{"role": self._text(), "role_id": "06b0"}]
        named = ("group_name", "user_id", "manager_id", "postal_code", "country", "role", "role_id", "other_email")
        number = str(self._random.randrange(40))
        return {
            **values,
            **{name: self._text() for name in (*named, "random_id")},
            "user_name": f"p{number}@acme.example" if self._often(0.8) else self._text(),
            "group_name": f"group {number}" if self._often(0.8) else self._text(),
            "id": self._id(),
            "start_index": self._random.choice((0, -1, 1, 2**40)),
            "added": listed,
            "removed": listed,
            "members": listed,
            "roles": roles,
        }

    def _spoil_body(self, sent: Sent) -> Sent:
        """Change one place of a JSON body."""
        if not sent.body:
            return sent
        try:
            document = json.loads(sent.body)
        except ValueError:
            return sent
        holders = [each for each in _walk(document) if each]
        if not holders:
            return sent
        self._spoil(self._random.choice(holders))
        return replace(sent, body=json.dumps(document).encode("utf-8", "surrogatepass"))

    def _spoil(self, holder: Any) -> None:
        key = self._random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        way = self._random.randrange(5)
        if way == 0:
            del holder[key]
        elif way == 1:
            holder[key] = self._json(3)
        elif way == 2 and isinstance(holder, dict):
            holder[self._random.choice((key.upper(), *NAMES, self._text()))] = holder[key]
        elif way == 3:
            holder[key] = [holder[key]] * self._random.choice((0, 1, 2, 40))
        else:
            for _ in range(self._random.choice((1, 2, 40))):
                holder[key] = {self._random.choice(NAMES): holder[key]}

    def _spoil_bytes(self, sent: Sent) -> Sent:
        """Change the bytes of a body, whatever they mean."""
        body = bytearray(sent.body or b"{}")
        at = self._random.randrange(len(body))
        way = self._random.randrange(4)
        if way == 0:
            body[at] = self._random.randrange(256)
        elif way == 1:
            del body[at:]
        elif way == 2:
            body[at:at] = self._random.choice((b"\xff\xfe", b"\x00", b"\xef\xbb\xbf", b"[" * 50, b'"\\ud800"', b"NaN"))
        else:
            body[at:at] = body[: self._random.randrange(len(body))]
        return replace(sent, body=bytes(body))

    def _spoil_target(self, sent: Sent) -> Sent:
        """Change the path, or ask for something more."""
        way = self._random.randrange(4)
        if way == 0:
            at = self._random.randrange(len(sent.target))
            piece = self._random.choice(
                ("%00", "%ff", "%C3%28", "/", "//", "..", ";", "%2f", "?", "&", quote(self._text()))
            )
            return replace(sent, target=sent.target[:at] + piece + sent.target[at:])
        if way == 1:
            return replace(sent, method=self._random.choice(METHODS))
        return replace(sent, target=f"{sent.target}{'&' if '?' in sent.target else '?'}{self._query()}")

    def _asked(self) -> Sent:
        """Return a search, by query or by body."""
        endpoint = self._random.choice(ENDPOINTS) if self._often(0.3) else self._random.choice(("/Users", "/Groups"))
        if self._often(0.25):
            asked = {name: self._asked_value(name) for name in self._some(("filter", "attributes", "count", "sortBy"))}
            return self._with_body("POST", f"{endpoint}/.search", asked)
        one = f"/{self._id()}" if self._often(0.2) else ""
        return Sent("GET", f"{endpoint}{one}?{self._query()}")

    def _query(self) -> str:
        names = ("filter", "filter", "attributes", "excludedAttributes", "startIndex", "count", "sortBy", "sortOrder")
        chosen = self._some((*names, "cursor", "aadOptscim062020", self._text()))
        return "&".join(f"{quote(name)}={quote(str(self._asked_value(name)), errors='replace')}" for name in chosen)

    def _asked_value(self, name: str) -> Any:
        if self._often(0.1):
            return self._json(2)
        if name == "filter":
            return self._filter(self._random.randrange(4))
        if name in ("count", "startIndex"):
            return self._random.choice((0, 1, -1, 5, 2**31, 10**30, "x", "1.5", "", " 2 ", "١"))
        return self._random.choice(("", ",", ".", "ascending")) if self._often(0.2) else self._path()

    def _filter(self, depth: int) -> str:
        """Grow a filter; one in ten is cut somewhere."""
        grown = self._grown_filter(depth)
        return grown[: self._random.randrange(len(grown) + 1)] if self._often(0.1) else grown

    def _grown_filter(self, depth: int) -> str:
        if depth == 0:
            if self._often(0.2):
                return f"{self._path()} pr"
            return f"{self._path()} {self._random.choice(OPERATORS)} {self._literal()}"
        inner = self._grown_filter(depth - 1)
        way = self._random.randrange(5)
        if way == 0:
            return f"not ({inner})"
        if way == 1:
            return f"{self._random.choice(NAMES)}[{inner}]"
        if way == 2:
            return f"({inner})"
        return f"{inner} {self._random.choice(('and', 'or', 'AND'))} {self._grown_filter(depth - 1)}"

    def _literal(self) -> str:
        if self._often(0.7):
            return json.dumps(self._id() if self._often(0.2) else self._text(), ensure_ascii=self._often(0.5))
        return self._random.choice(("true", "false", "null", "1", "-0.5", "1e400", "TRUE", "x", '"open', "9" * 400))

    def _path(self) -> str:
        name = self._random.choice(NAMES)
        way = self._random.randrange(8)
        if way == 0:
            return f"{name}.{self._random.choice(NAMES)}"
        if way == 1:
            return f"{name}[{self._filter(self._random.randrange(2))}]"
        if way == 2:
            return f"{name}[{self._filter(0)}].{self._random.choice(NAMES)}"
        if way == 3:
            return f"{self._random.choice((ENTERPRISE_URN, USER_URN, 'urn:x:y'))}:{name}"
        if way == 4:
            return f'members[value eq "{self._id()}"]'
        return self._text() if way == 5 else name

    def _written(self) -> Sent:
        """Return a write whose parts are grown one by one."""
        kind = self._random.choice(("Users", "Groups"))
        way = self._random.randrange(6)
        if way <= 2:
            operations = [self._operation() for _ in range(self._random.choice((0, 1, 1, 2, 5)))]
            body = {"schemas": [PATCH_URN], self._random.choice(("Operations", "operations")): operations}
            return self._with_body("PATCH", f"/{kind}/{self._id()}", body)
        if way == 3:
            return Sent("DELETE", f"/{kind}/{self._id()}")
        if way == 4:
            return self._with_body("POST", f"/{kind}", self._resource()) if self._often(0.6) else self._bulk()
        return self._with_body("PUT", f"/{kind}/{self._id()}", self._resource())

    def _bulk(self) -> Sent:
        """Return many writes in one, which may name each other."""
        operations = []
        for _ in range(self._random.randrange(5)):
            one = self._written()
            data = json.loads(one.body) if one.body else None
            made = {"method": one.method, "path": one.target, "data": data, "bulkId": self._text()}
            if self._often(0.3):
                self._spoil(made)
            operations.append(made)
        body = {"schemas": [BULK_URN], "failOnErrors": self._random.choice((0, 1, -1, "x")), "Operations": operations}
        return self._with_body("POST", "/Bulk", body)

    def _operation(self) -> Any:
        if self._often(0.05):
            return self._json(2)
        made: dict[str, Any] = {"op": self._random.choice(("add", "Add", "replace", "Remove", "REMOVE", "move", None))}
        if self._often(0.75):
            made["path"] = self._path()
        if self._often(0.8):
            made["value"] = self._value()
        return made

    def _value(self) -> Any:
        ways: Sequence[Callable[[], Any]] = (
            lambda: [{"value": self._id(), "display": self._text()} for _ in range(self._random.randrange(5))],
            lambda: {self._path(): self._json(2) for _ in range(self._random.randrange(3))},
            lambda: self._json(3),
            self._text,
            self._resource,
        )
        return self._random.choice(ways)()

    def _resource(self) -> dict[str, Any]:
        name = self._text() if self._often(0.3) else f"p{self._random.randrange(40)}"
        made: dict[str, Any] = {"schemas": [USER_URN], "userName": name, "displayName": name}
        for each in self._some(NAMES):
            made[each] = self._json(3)
        return made

    def _json(self, depth: int) -> Any:
        way = self._random.randrange(9 if depth else 6)
        if way < 3:
            return self._text()
        if way < 6:
            return self._random.choice((None, True, False, 0, -1, 2**63, 10**40, 1.5, 1e308))
        if way == 6:
            return [self._json(depth - 1) for _ in range(self._random.randrange(4))]
        return {self._random.choice((*NAMES, self._text())): self._json(depth - 1) for _ in range(3)}

    def _header(self) -> tuple[str, str]:
        name = self._random.choice(list(HEADERS))
        return name, self._random.choice(HEADERS[name])

    def _id(self) -> str:
        known = self._random.choice((self.users, self.users, self.groups))
        if known and self._often(0.9):
            return self._random.choice(known)
        return quote(self._text()) or "nobody"

    def _text(self) -> str:
        if self._often(0.2):
            return "".join(chr(self._random.choice((self._random.randrange(1, 128), 0xE9, 0x1F408))) for _ in range(9))
        return self._random.choice(TEXTS)

    def _with_body(self, method: str, target: str, document: object) -> Sent:
        body = json.dumps(document, ensure_ascii=self._often(0.5)).encode("utf-8", "surrogatepass")
        return Sent(method, target, (("Content-Type", "application/scim+json"),), body)

    def _some(self, things: Sequence[str]) -> list[str]:
        return self._random.sample(list(things), self._random.randrange(1, 4))

    def _often(self, share: float) -> bool:
        return self._random.random() < share


def _sendable(target: str) -> str:
    """Escape what no HTTP client can send, and keep it within what the server in front takes."""
    escaped = re.sub(r"[^!-~]", lambda found: quote(found[0], errors="replace"), target)
    return "/" + escaped.lstrip("/")[:LONGEST_TARGET] if escaped else "/"


def _walk(value: Any) -> Iterator[Any]:
    """Yield every object and list of a document."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _walk(each)
