"""
A filter as a tree that is already bound to attributes, and its meaning.

`matches` is the meaning; `store.filters` says the same in SQL. Paths are the JSON keys of a stored document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scim_bridge.domain.keys import fold

Path = tuple[str, ...]


class Operator(StrEnum):
    """RFC 7644 §3.4.2.2, table 3."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    CONTAINS = "co"
    STARTS = "sw"
    ENDS = "ew"
    GREATER = "gt"
    GREATER_OR_EQUAL = "ge"
    LESS = "lt"
    LESS_OR_EQUAL = "le"


ORDERING = frozenset({Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL})
SUBSTRING = frozenset({Operator.CONTAINS, Operator.STARTS, Operator.ENDS})


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value of a document; an ``exact`` one is compared with regard to case."""

    path: Path
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare one value; None is JSON's null: not there."""

    attribute: Attribute
    operator: Operator
    value: str | bool | float | None


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value that is not empty."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Some:
    """At least one element of a list satisfies the term, whose paths begin at the element."""

    path: Path
    term: "Filter"


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold."""

    term: "Filter"


@dataclass(frozen=True, slots=True)
class Every:
    """All terms hold."""

    terms: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one term holds."""

    terms: tuple["Filter", ...]


Filter = Compare | Present | Some | Not | Every | Either


def matches(filter_: Filter, document: object) -> bool:
    """Say whether a document, or an element of a list in one, satisfies the filter."""
    match filter_:
        case Compare(attribute, operator, value):
            return _compare(value_at(document, attribute.path), operator, value, attribute.exact)
        case Present(attribute):
            return is_present(value_at(document, attribute.path))
        case Some(path, term):
            elements = value_at(document, path)
            return isinstance(elements, list) and any(matches(term, each) for each in elements)
        case Not(term):
            return not matches(term, document)
        case Every(terms):
            return all(matches(term, document) for term in terms)
        case Either(terms):
            return any(matches(term, document) for term in terms)


def value_at(document: object, path: Path) -> object:
    """Return the value at a path, None where there is none."""
    for key in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def is_present(value: object) -> bool:
    """Say whether a value is one: not null, not empty."""
    return value is not None and value not in ("", [], {})


def _compare(found: object, operator: Operator, wanted: str | bool | float | None, exact: bool) -> bool:
    if wanted is None:
        return is_present(found) == (operator is Operator.NOT_EQUAL)
    if operator is Operator.NOT_EQUAL:
        return not _holds(found, Operator.EQUAL, wanted, exact)
    return _holds(found, operator, wanted, exact)


def _holds(found: Any, operator: Operator, wanted: Any, exact: bool) -> bool:
    if _kind(found) is not _kind(wanted):
        return False
    if isinstance(wanted, str) and not exact:
        found, wanted = fold(found), fold(wanted)
    match operator:
        case Operator.EQUAL:
            return bool(found == wanted)
        case Operator.CONTAINS:
            return wanted in found
        case Operator.STARTS:
            return bool(found.startswith(wanted))
        case Operator.ENDS:
            return bool(found.endswith(wanted))
        case Operator.GREATER:
            return bool(found > wanted)
        case Operator.GREATER_OR_EQUAL:
            return bool(found >= wanted)
        case Operator.LESS:
            return bool(found < wanted)
        case _:
            return bool(found <= wanted)


def _kind(value: object) -> type:
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else type(value)
