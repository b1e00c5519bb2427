"""
What a bulk request asks for (RFC 7644 §3.7): its operations, and the order in which they can be done.

An operation that names what another one makes (``bulkId:…``) comes after it; all else stays in the order it was sent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import Invalid, TooLarge

PREFIX = "bulkId:"
METHODS = ("POST", "PUT", "PATCH", "DELETE")
PLACE = re.compile(r"/?(Users|Groups)(?:/([^/?#]+))?/?")
LONGEST_BULK_ID = 255


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation as it was sent; ``bulk_id`` is what others may call what it makes."""

    method: str
    resource: str
    named: str | None
    data: Document | None
    bulk_id: str | None = None
    version: str | None = None

    @property
    def references(self) -> frozenset[str]:
        """Return the bulkIds that it names."""
        texts = [*_texts(self.data), *([self.named] if self.named else [])]
        return frozenset(text.removeprefix(PREFIX) for text in texts if text.startswith(PREFIX))

    def path(self, made: Mapping[str, str]) -> str:
        """Return where it goes, by the ids of what was made."""
        return f"/{self.resource}" + (f"/{_resolved(self.named, made)}" if self.named else "")

    def body(self, made: Mapping[str, str]) -> Document | None:
        """Return its data, by the ids of what was made."""
        body: Document | None = _resolved(self.data, made)
        return body


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """The operations of a request, and after how many errors it ends; None: after the last one."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None = None


def read_bulk(body: Mapping[str, Any], most: int) -> BulkRequest:
    """Return what a body asks for; raises Invalid, and TooLarge for more than ``most`` operations."""
    fields = {name.lower(): value for name, value in body.items()}
    sent = fields.get("operations")
    if not isinstance(sent, list) or not sent:
        raise _wrong("A bulk request needs a list of Operations.")
    if len(sent) > most:
        raise TooLarge(f"A bulk request may have at most {most} operations; this one has {len(sent)}.", "Operations")
    operations = tuple(_read_operation(number, each) for number, each in enumerate(sent, 1))
    named = [each.bulk_id for each in operations if each.method == "POST"]
    if len(set(named)) < len(named):
        raise _wrong("A bulkId is there twice: each names one thing that is made.")
    return BulkRequest(operations, _read_limit(fields.get("failonerrors")))


def in_order(operations: Sequence[BulkOperation]) -> tuple[list[int], set[int]]:
    """Return the numbers of the operations in the order they can be done in, and those that wait for one another."""
    makers = {each.bulk_id: number for number, each in enumerate(operations) if each.method == "POST"}
    waits_for = [sorted(makers[name] for name in each.references if name in makers) for each in operations]
    done: dict[int, None] = {}
    circular: set[int] = set()
    for first in range(len(operations)):
        # A stack of our own: a chain of operations may be longer than Python lets functions call one another.
        waiting = [first]
        while waiting:
            number = waiting[-1]
            open_ones = [each for each in waits_for[number] if each not in done]
            if number in done or not open_ones:
                done[waiting.pop()] = None
            elif open_ones[0] in waiting:
                circular.update(waiting[waiting.index(open_ones[0]) :])
                done[waiting.pop()] = None
            else:
                waiting.append(open_ones[0])
    return list(done), circular


def _read_operation(number: int, sent: object) -> BulkOperation:
    if not isinstance(sent, Mapping):
        raise _wrong(f"Operation {number} must be an object.")
    fields = {name.lower(): value for name, value in sent.items()}
    method, path, data = fields.get("method"), fields.get("path"), fields.get("data")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise _wrong(f"The method of operation {number} must be POST, PUT, PATCH or DELETE.")
    method = method.upper()
    place = PLACE.fullmatch(path) if isinstance(path, str) else None
    if place is None or (method == "POST") is (place[2] is not None):
        raise _wrong(f"The path of operation {number} must be /Users or /Groups, with an id unless it is a POST.")
    if method != "DELETE" and not isinstance(data, Mapping):
        raise _wrong(f"Operation {number} needs data.")
    bulk_id, version = (_short(fields.get(name), name, number) for name in ("bulkid", "version"))
    if method == "POST" and bulk_id is None:
        raise _wrong(f"Operation {number} is a POST and needs a bulkId.")
    return BulkOperation(method, place[1], place[2], None if method == "DELETE" else data, bulk_id, version)


def _read_limit(sent: object) -> int | None:
    if sent is None:
        return None
    if isinstance(sent, bool) or not isinstance(sent, int) or sent < 1:
        raise Invalid("failOnErrors must be a whole number from 1.", "failOnErrors")
    return sent


def _short(sent: object, name: str, number: int) -> str | None:
    if sent is None or sent == "":
        return None
    if not isinstance(sent, str) or len(sent) > LONGEST_BULK_ID or not sent.isprintable():
        raise _wrong(f"The {name} of operation {number} must be a short text.")
    return sent


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a body; bodies are nested no deeper than `bodies.DEEPEST`."""
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def _resolved(value: Any, made: Mapping[str, str]) -> Any:
    match value:
        case str():
            return made.get(value.removeprefix(PREFIX), value) if value.startswith(PREFIX) else value
        case Mapping():
            return {name: _resolved(each, made) for name, each in value.items()}
        case list():
            return [_resolved(each, made) for each in value]
        case _:
            return value


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, "Operations", scim_type="invalidSyntax")
