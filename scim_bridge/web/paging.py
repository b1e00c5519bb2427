"""Pages of a list: as long as asked, and a cursor that says where the next one begins."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from scim_bridge.errors import Invalid

Item = TypeVar("Item")
LONGEST_CURSOR = 4096
MOST_KEYS = 8


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list; ``next_cursor`` is None on the last page."""

    items: Sequence[Item]
    next_cursor: str | None = None


def write_cursor(position: Sequence[str]) -> str:
    """Return where a page ended as a text to hand out; it holds nothing that the page did not show."""
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode().rstrip("=")


def read_cursor(text: str | None, keys: int) -> tuple[str, ...] | None:
    """Return the position of so many keys that a cursor names; raises Invalid for what is none of ours."""
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        found = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, list) or len(found) != keys or not all(isinstance(each, str) for each in found):
        raise Invalid("This cursor does not come from this list.", field="cursor")
    return tuple(found)


def cut(
    items: Iterable[Item], key: Callable[[Item], tuple[str, ...]], *, limit: int, cursor: str | None, keys: int = 1
) -> Page[Item]:
    """Return a page of a list that is at hand whole, in the order of its keys."""
    after = read_cursor(cursor, keys)
    ordered = sorted(items, key=key)
    rest = ordered if after is None else [each for each in ordered if key(each) > after]
    page = rest[:limit]
    return Page(page, write_cursor(key(page[-1])) if len(rest) > limit else None)
