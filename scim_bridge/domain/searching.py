"""The words by which people are found: the beginnings of their names, letter case and accents' encoding left out."""

import re
from collections.abc import Iterable

from scim_bridge.domain.keys import fold

LONGEST_WORD = 100
MOST_WORDS = 24
MOST_TERMS = 8
AFTER_EVERY_LETTER = "\U0010ffff"

_PART = re.compile(r"[^\W_]+")


def words_of(names: Iterable[str | None]) -> tuple[str, ...]:
    """Return what somebody with these names is found by: each name's words, and what stands between spaces whole."""
    found: dict[str, None] = {}
    for name in names:
        for text in fold((name or "").replace("\x00", "")).split():
            found |= dict.fromkeys(each[:LONGEST_WORD] for each in (text, *_PART.findall(text)))
    return tuple(found)[:MOST_WORDS]


def search_terms(text: str) -> tuple[str, ...]:
    """Return the beginnings of words that a search asks for, the longest first: everybody found has all of them."""
    terms = dict.fromkeys(term[:LONGEST_WORD] for term in fold(text.replace("\x00", "")).split())
    return tuple(sorted(terms, key=lambda term: (-len(term), term)))[:MOST_TERMS]
