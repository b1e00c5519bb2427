"""
Filter and path texts (RFC 7644 §3.4.2.2, §3.5.2) as trees bound to our attributes.

The grammar is scim2-models'; what an attribute is called in a stored document, and whether case counts, is ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scim2_models import SCIMException
from scim2_models.path import AttrPath, Comparison, FilterNode, LogicalExpr, ScimFilter, ValuePath
from scim2_models.path import Not as NotNode
from scim2_models.path import Path as PathText
from scim2_models.path import Present as PresentNode

from scim_bridge.domain.attributes import AttributePath
from scim_bridge.domain.filters import (
    ORDERING,
    SUBSTRING,
    Attribute,
    Compare,
    Either,
    Every,
    Filter,
    Not,
    Operator,
    Path,
    Present,
    Some,
)
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import USER, AttributeType, ResourceSchema, Types

# All else that is in meta is made when it is answered.
FILTERED_OF_META = ("created", "lastModified", "resourceType")
# Parsers and databases walk down a filter step by step, and both have an end of their own.
DEEPEST = 32
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
LONGEST_PATH = 4096
# What the server makes, and what it never keeps.
NOT_IN_DOCUMENTS = frozenset({"id", "meta", "schemas", "groups", "password"})
# What JSON documents and both databases can hold as a whole number.
LARGEST_NUMBER = 2**63


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attribute is in a document; ``type`` None for one that no schema declares."""

    path: Path
    type: AttributeType | None


@dataclass(frozen=True, slots=True)
class Target:
    """What a PATCH path names: an attribute, some of its entries, or a part of them."""

    place: Place
    selector: Filter | None = None
    part: Place | None = None


@lru_cache(maxsize=1024)
def parse_filter(text: str, schema: ResourceSchema, longest: int) -> Filter:
    """Return the tree of a filter; raises Invalid (invalidFilter) with a sentence."""
    if len(text) > longest:
        raise _invalid(f"The filter is longer than {longest} characters.")
    usual = USUAL.fullmatch(text)
    if usual is not None:
        # Nine in ten: `userName eq "ada@example.com"`. The grammar's parser takes longer than the look-up.
        name, value = usual.groups()
        return _Binder(schema).bind_equal(AttrPath(name, None, None), value)
    if _depth(text) > DEEPEST:
        raise _invalid(f"The filter has parentheses more than {DEEPEST} deep.")
    try:
        node = ScimFilter(text).ast
    except (SCIMException, ValueError, RecursionError):
        raise _invalid(f"The filter {_shown(text)} cannot be understood.") from None
    return _Binder(schema).bind(node)


@lru_cache(maxsize=1024)
def parse_path(text: str, schema: ResourceSchema, longest: int) -> Target:
    """Return what a PATCH path names; raises Invalid (invalidPath) with a sentence."""
    if len(text) > longest:
        raise Invalid(f"The path is longer than {longest} characters.", scim_type="invalidPath")
    extension = schema.extension(text)
    if extension is not None:
        return Target(Place((extension[0],), AttributeType(extension[0], "complex", parts=extension[1])))
    try:
        node = PathText(text).ast
    except (SCIMException, ValueError, RecursionError):
        raise Invalid(f"The path {_shown(text)} cannot be understood.", scim_type="invalidPath") from None
    if isinstance(node, ValuePath):
        place = locate(node.attr_path, schema)
        selector = _Binder(schema).bind_inner(place, node.val_filter)
        return Target(place, selector, _part(place, node.sub_attr))
    if not isinstance(node, AttrPath):
        raise Invalid(f"The path {_shown(text)} is a filter, not a place.", scim_type="invalidPath")
    place = locate(AttrPath(node.attr, None, node.uri), schema)
    return Target(place, None, _part(place, node.sub_attr))


def attribute_path(text: str) -> AttributePath:
    """Return a place in a person's document that a directory's mapping names; raises Invalid with a sentence."""
    target = parse_path(text, USER, LONGEST_PATH)
    if target.place.path[0].lower() in NOT_IN_DOCUMENTS:
        raise Invalid(f"{target.place.path[0]} is not something that an identity provider says of a person.")
    type_ = target.place.type
    if type_ is not None and type_.is_complex and target.part is None and not type_.many and "value" not in type_.parts:
        sign = ":" if text.lower().startswith("urn:") else "."
        raise Invalid(f"{text} has parts: name one, such as {text}{sign}{next(iter(type_.parts.values())).name}.")
    return AttributePath(text, target.place.path, target.selector, target.part.path if target.part else ())


def locate(path: AttrPath, schema: ResourceSchema) -> Place:
    """Return where an attribute is; an unknown one is taken by its name as written."""
    urn, types = None, schema.types
    if path.uri is not None and not schema.is_core(path.uri):
        known = schema.extension(path.uri)
        urn, types = known or (path.uri, {})
    prefix = () if urn is None else (urn,)
    found = types.get(path.attr.lower())
    if found is None and urn is None:
        # `manager eq "m"` (Entra): an attribute of an extension, without its URN.
        for extension_urn, extension_types in schema.extensions.values():
            if path.attr.lower() in extension_types:
                prefix, found = (extension_urn,), extension_types[path.attr.lower()]
    place = Place((*prefix, found.name if found else path.attr), found)
    part = _part(place, path.sub_attr)
    return place if part is None else Place((*place.path, *part.path), part.type)


def _part(place: Place, name: str | None) -> Place | None:
    if name is None:
        return None
    types: Types = place.type.parts if place.type else {}
    found = types.get(name.lower())
    return Place((found.name if found else name,), found)


USUAL = re.compile(r'(userName|externalId|displayName|id)\s+eq\s+"([^"\\\x00-\x1f]*)"', re.IGNORECASE)
_Term = Callable[[Place], Compare | Present]


class _Binder:
    """Binds the library's nodes to places in our documents."""

    def __init__(self, schema: ResourceSchema) -> None:
        self._schema = schema

    def bind(self, node: FilterNode) -> Filter:
        match node:
            case Comparison(attr_path=path, op=op, value=value):
                return self._bind_attribute(path, lambda at: _compare(at, Operator(op.value), value))
            case PresentNode(attr_path=path):
                return self._bind_attribute(path, lambda at: Present(Attribute(at.path)))
            case NotNode(expr=expression):
                return Not(self.bind(expression))
            case LogicalExpr(op=op, terms=terms):
                bound = tuple(self.bind(term) for term in terms)
                return Every(bound) if op.value == "and" else Either(bound)
            case ValuePath(attr_path=path, val_filter=inner):
                place = locate(path, self._schema)
                return Some(place.path, self.bind_inner(place, inner))
            case _:
                raise _invalid("The filter cannot be understood.")

    def bind_equal(self, path: AttrPath, value: str) -> Filter:
        """Bind the comparison of an attribute with a text."""
        return self._bind_attribute(path, lambda place: _compare(place, Operator.EQUAL, value))

    def bind_inner(self, place: Place, node: FilterNode) -> Filter:
        """Bind the filter between brackets, whose paths begin at an entry of the list."""
        inner = ResourceSchema("", "", place.type.parts if place.type else {})
        return _Binder(inner).bind(node)

    def _bind_attribute(self, path: AttrPath, term: _Term) -> Filter:
        whole = locate(AttrPath(path.attr, None, path.uri), self._schema)
        part = _part(whole, path.sub_attr)
        is_list = whole.type is not None and whole.type.many
        if self._schema.name and is_made_when_answered(whole, part):
            raise _invalid(
                f"{path.attr} cannot be filtered, but for meta.created, meta.lastModified and meta.resourceType."
            )
        if part is None and whole.type is not None and whole.type.is_complex:
            # `emails co "x"` and `manager eq "m"` mean their value (RFC 7644 §3.4.2.2).
            part = None if isinstance(term(whole), Present) else _part(whole, "value")
        if part is None:
            return term(whole)
        if is_list:
            return Some(whole.path, term(part))
        return term(Place((*whole.path, *part.path), part.type))


def is_made_when_answered(whole: Place, part: Place | None) -> bool:
    """Say whether an attribute is stored nowhere: a filter on it would find nobody, and look as if there were none."""
    if whole.path == ("meta",):
        return part is None or part.path[0] not in FILTERED_OF_META
    return whole.path == ("schemas",)


def _compare(place: Place, operator: Operator, value: object) -> Compare:
    kind = place.type.kind if place.type else None
    if kind == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            # Entra: roles[primary eq "True"].value
            value = value.lower() == "true"
        if operator in ORDERING or operator in SUBSTRING:
            raise _invalid(f"The boolean {place.path[-1]} cannot be compared with {operator.value}.")
    if operator in SUBSTRING and (kind == "dateTime" or not isinstance(value, str)):
        raise _invalid(f"{operator.value} compares texts with a text.")
    if operator in ORDERING and (isinstance(value, bool) or value is None):
        raise _invalid(f"{operator.value} needs a text, a time or a number to compare with.")
    if not (value is None or isinstance(value, str | bool | int | float)):
        raise _invalid("A filter compares with a text, a number, true, false or null.")
    if isinstance(value, str) and "\x00" in value:
        raise _invalid("A filter cannot hold the character NUL.")
    if isinstance(value, int) and abs(value) >= LARGEST_NUMBER:
        value = _rounded(value)
    return Compare(Attribute(place.path, bool(place.type and place.type.exact)), operator, value)


def _rounded(number: int) -> float:
    """Return a whole number that no document and no database can hold as JSON would read it."""
    try:
        return float(number)
    except OverflowError:
        raise _invalid("A number of the filter is too large.") from None


def _depth(text: str) -> int:
    """Return how deep the parentheses and brackets of a filter are, those in texts aside."""
    depth = deepest = 0
    for sign in QUOTED.sub("", text):
        if sign in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in ")]":
            depth -= 1
    return deepest


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, field="filter", scim_type="invalidFilter")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:97]}...")
