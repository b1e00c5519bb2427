"""
The literal requests of the identity providers: files under ``wire/``, read and filled in.

A file is a comment naming the rows of idp-behaviour.md that it shows, the request line (its target begins after the
SCIM base URL), the headers, an empty line and the body. ``{{name}}`` is a value, escaped for the place where it
stands; ``{{#each name}}…{{/each}}`` repeats what it holds for each entry of a list, joined by commas. A dialect that
has no file of its own for a request sends the one of the dialect it grew from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, get_args
from urllib.parse import quote

import orjson

from scim_bridge.errors import Invalid, NotFound

Dialect = Literal[
    "okta",
    "okta-aiw",
    "entra",
    "entra-flag",
    "authentik",
    "google",
    "jumpcloud",
    "keycloak",
    "onelogin",
    "rauthy",
    "rippling",
]
Value = str | int | bool | None
Values = Mapping[str, Value | Sequence[Mapping[str, Value]]]

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
# The wizard's apps and the flag change some requests, not all of them.
GREW_FROM: Mapping[Dialect, Dialect] = {"okta-aiw": "okta", "entra-flag": "entra"}

ROWS = re.compile(r"^# idp-behaviour (?P<rows>\d+\.\d+(?:, \d+\.\d+)*): (?P<why>.+)$")
REQUEST_LINE = re.compile(r"^(?P<method>GET|POST|PUT|PATCH|DELETE) (?P<target>/\S*) HTTP/1\.1$")
# One pattern for both, so that what a value holds is never read as a placeholder again.
PLACEHOLDER = re.compile(
    r"\{\{#each (?P<list>[a-z_]+)\}\}(?P<inner>.*?)\{\{/each\}\}|\{\{(?P<name>[a-z_]+)\}\}", re.DOTALL
)


@dataclass(frozen=True)
class Request:
    """One request as it goes over the wire; ``target`` follows the SCIM base URL, and who asks is not in it."""

    name: str
    rows: tuple[str, ...]
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class WireFile:
    """A request with its values left open; ``rows`` are those of idp-behaviour.md, as "1.23" or "2.1"."""

    name: str
    rows: tuple[str, ...]
    why: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def placeholders(self) -> frozenset[str]:
        """Return the names of the values that the request needs, those inside repeated parts left out."""
        found = (part for text in (self.target, self.body) for part in PLACEHOLDER.finditer(text))
        return frozenset(part["list"] or part["name"] for part in found)

    def render(self, values: Values) -> Request:
        """Fill the values in; raises Invalid when one is missing. Values that the request does not need are ignored."""
        target = self._fill(self.target, values, _quoted)
        body = self._fill(self.body, values, _escaped)
        return Request(self.name, self.rows, self.method, target, self.headers, body.encode())

    def _fill(self, text: str, values: Values, escape: Callable[[object], str]) -> str:
        def value_of(part: re.Match[str]) -> str:
            name = part["list"] or part["name"]
            if name not in values:
                raise Invalid(f"wire file {self.name}: no value for {name}.", field=name)
            return self._repeat(part, values[name]) if part["list"] else escape(values[name])

        return PLACEHOLDER.sub(value_of, text)

    def _repeat(self, part: re.Match[str], entries: Value | Sequence[Mapping[str, Value]]) -> str:
        if entries is None or isinstance(entries, str | int):
            raise Invalid(f"wire file {self.name}: {part['list']} has to be a list of entries.", field=part["list"])
        return ",".join(self._fill(part["inner"], entry, _escaped) for entry in entries)


@cache
def load(dialect: Dialect, name: str) -> WireFile:
    """Read a wire file by its name without ending, as ``load("entra", "user-disable")``; raises NotFound."""
    source = _folder(dialect) / f"{name}.http"
    if source.is_file():
        return parse(f"{dialect}/{name}", source.read_text(encoding="utf-8"))
    if dialect in GREW_FROM:
        return load(GREW_FROM[dialect], name)
    raise NotFound(f"{dialect} has no wire file {name}.")


def render(dialect: Dialect, name: str, values: Values | None = None) -> Request:
    """Read a wire file and fill its values in."""
    return load(dialect, name).render(values or {})


def names(dialect: Dialect) -> tuple[str, ...]:
    """Return what the dialect's own wire files are called, sorted; those it inherits are left out."""
    found = (entry.name for entry in _folder(dialect).iterdir())
    return tuple(sorted(name.removesuffix(".http") for name in found if name.endswith(".http")))


def parse(name: str, text: str) -> WireFile:
    """Take a wire file's text apart; raises Invalid naming the file and what is wrong with it."""
    head, _, body = text.partition("\n\n")
    comment, *lines = head.rstrip("\n").split("\n")
    rows = ROWS.match(comment)
    if rows is None:
        raise Invalid(f"wire file {name}: the first line has to be '# idp-behaviour ROW, ROW: why'.")
    request = REQUEST_LINE.match(lines[0] if lines else "")
    if request is None:
        raise Invalid(f"wire file {name}: the second line has to be the request line.")
    return WireFile(
        name=name,
        rows=tuple(rows["rows"].split(", ")),
        why=rows["why"],
        method=request["method"],
        target=request["target"],
        headers=tuple(_header(name, line) for line in lines[1:]),
        body=body.rstrip("\n"),
    )


def _folder(dialect: Dialect) -> Traversable:
    return files("scim_bridge.simulator") / "wire" / dialect


def _header(name: str, line: str) -> tuple[str, str]:
    key, separator, value = line.partition(": ")
    if not separator:
        raise Invalid(f"wire file {name}: this is no header: {line}")
    return key, value


def _quoted(value: object) -> str:
    return quote(str(value), safe="")


def _escaped(value: object) -> str:
    # A string stands between the quotation marks of the file; anything else is written as JSON writes it.
    text = orjson.dumps(value).decode()
    return text[1:-1] if isinstance(value, str) else text
