r"""
Patterns for group names: regular expressions that cannot run away.

IdP users can often choose a group's name, so a pattern must be cheap for every name. Only a part of the language is
taken: literals, classes, ``.``, repeats of one character, and groups ``(?P<name>…)`` and ``(?:…)`` that are not
nested, not repeated, and either a sequence or a choice between fixed words. With at most three repeats and three
``?`` a match of a 256-character name needs at most some million steps, whatever the name.
"""

import re
from functools import lru_cache
from itertools import pairwise

from scim_bridge.errors import Invalid

LONGEST_PATTERN = 256
LONGEST_NAME = 256
MOST_REPEATS = 3

_TOKEN = re.compile(
    r"""
      (?P<open>\((?:\?P<[a-z_][a-z0-9_]*>|\?:))
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<repeat>(?:[*+]|\{[0-9]{1,3},[0-9]{0,3}\})\??)
    | (?P<exact>\{[0-9]{1,3}\})
    | (?P<optional>\?\??)
    | (?P<set>\[\^?(?:\\[dwsDWS]|\\[^A-Za-z0-9]|[^\]\[\\])+\]|\\[dwsDWS]|\.)
    | (?P<literal>\\[^A-Za-z0-9]|[^\\\[\](){}|^$*+?.])
    """,
    re.VERBOSE | re.DOTALL,
)
_QUANTIFIERS = ("repeat", "exact", "optional")


def match_pattern(pattern: str, name: str) -> dict[str, str] | None:
    """Return the captures when the whole name matches, as written; None when it does not, or is too long."""
    if len(name) > LONGEST_NAME:
        return None
    found = _compiled(pattern).fullmatch(name)
    if found is None:
        return None
    return {capture: value or "" for capture, value in found.groupdict().items()}


def check_pattern(pattern: str, field: str | None = None) -> frozenset[str]:
    """Return the names that a pattern captures; raises Invalid for one that is not of the safe part."""
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        raise Invalid(f"A pattern has 1 to {LONGEST_PATTERN} characters.", field=field)
    try:
        # Only the safe part is taken, so that no name can make a match take for ever.
        _check_tokens(_tokens(_unanchored(pattern)))
        return frozenset(_compiled(pattern).groupindex)
    except Invalid as error:
        raise Invalid(
            f"The pattern {pattern!r} is not of the kind that can never take for ever: {error}.", field
        ) from None
    except (re.error, OverflowError) as error:
        raise Invalid(f"The pattern {pattern!r} is not a regular expression: {error}.", field) from None


def _check_tokens(tokens: list[tuple[str, str]]) -> None:
    _check_counts(tokens)
    _check_order(tokens)
    _check_groups(tokens)
    # Python keeps [a--b], [a&&b], [a||b] and [a~~b] for set operations of a later version.
    if any(kind == "set" and re.search(r"--|&&|~~|\|\|", text) for kind, text in tokens):
        raise Invalid("a sign stands twice in a class")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_unanchored(pattern))


def _unanchored(pattern: str) -> str:
    """Drop ``^`` and ``$`` at the ends: a match is always of the whole name."""
    start = 1 if pattern.startswith("^") else 0
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    return pattern[start : len(pattern) - 1 if ends else len(pattern)]


def _tokens(pattern: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None or token.lastgroup is None:
            raise Invalid(f"{pattern[place : place + 4]!r} is not among what a pattern may use")
        found.append((token.lastgroup, token.group()))
        place = token.end()
    return found


def _check_counts(tokens: list[tuple[str, str]]) -> None:
    kinds = [kind for kind, _ in tokens]
    if kinds.count("repeat") > MOST_REPEATS or kinds.count("optional") > MOST_REPEATS:
        raise Invalid(f"it may repeat at most {MOST_REPEATS} times (*, +, {{m,n}}) and use at most {MOST_REPEATS} ?")


def _check_order(tokens: list[tuple[str, str]]) -> None:
    """Only one character can be repeated; a group can only be optional."""
    if tokens and tokens[0][0] in _QUANTIFIERS:
        raise Invalid("a repeat has nothing to repeat")
    for (before, _), (kind, text) in pairwise(tokens):
        if kind not in _QUANTIFIERS or before in ("literal", "set"):
            continue
        if before != "close" or kind != "optional":
            raise Invalid(f"{text!r} may only follow one character or a class: repeats are not nested")


def _check_groups(tokens: list[tuple[str, str]]) -> None:
    inside: list[tuple[str, str]] | None = None
    for kind, text in tokens:
        if kind == "open":
            if inside is not None:
                raise Invalid("groups are not nested")
            inside = []
        elif kind == "close":
            if inside is None:
                raise Invalid("a group is closed that was not opened")
            _check_choice(inside)
            inside = None
        elif inside is not None:
            inside.append((kind, text))
        elif kind == "bar":
            raise Invalid("a choice needs a group around it: (?:a|b)")
    if inside is not None:
        raise Invalid("a group is not closed")


def _check_choice(inside: list[tuple[str, str]]) -> None:
    if all(kind != "bar" for kind, _ in inside):
        return
    if any(kind not in ("bar", "literal") for kind, _ in inside):
        raise Invalid("a choice is between fixed words")
    words = sorted("".join("\0" if kind == "bar" else text for kind, text in inside).split("\0"))
    # Words that begin one another would give two ways through the same name.
    if any(later.startswith(word) for word, later in pairwise(words)):
        raise Invalid("no word of a choice may begin another: write edit(?:or)? for edit|editor")
