"""
Attribute mapping: what a directory's documents make of a person here, field by field, and how it came about.

A field takes the first of its sources that has a value once the transforms are done, else its default. What no mapping
says of a field is what `DEFAULTS` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scim_bridge.domain.filters import Filter, Path, matches, value_at

USER_NAME = "user_name"
NAMES = (USER_NAME, "external_id", "email", "display_name")
"""Fields that a member is called by; a cluster's subjects may be rendered from any but the last."""
SUBJECT_FIELDS = (USER_NAME, "external_id", "email")
PROFILE = ("given_name", "family_name", "title", "department", "employee_number", "locale")
LONGEST_VALUE = 1024
"""Bytes of a value: what the indexes of names can hold."""

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DEFAULTS: Mapping[str, Mapping[str, object]] = {
    USER_NAME: {"from": ["userName"]},
    "external_id": {"from": ["externalId"]},
    "email": {"from": ["emails[primary eq true].value", 'emails[type eq "work"].value', "emails.value"]},
    "display_name": {
        "from": ["displayName", "name.formatted", {"join": ["name.givenName", "name.familyName"], "with": " "}]
    },
    "given_name": {"from": ["name.givenName"]},
    "family_name": {"from": ["name.familyName"]},
    "title": {"from": ["title"]},
    "department": {"from": [f"{ENTERPRISE}:department"]},
    "employee_number": {"from": [f"{ENTERPRISE}:employeeNumber"]},
    "locale": {"from": ["locale", "preferredLanguage"]},
}
"""The same for every kind of directory: what the identity providers send under these names means the same."""


@dataclass(frozen=True, slots=True)
class AttributePath:
    """A place in a document, bound to its keys: ``text`` as RFC 7644 §3.10 writes it, ``part`` within each entry."""

    text: str
    path: Path
    selector: Filter | None = None
    part: Path = ()

    def texts(self, document: object) -> tuple[str, ...]:
        """Return the values there as texts, empty ones left out."""
        found = value_at(document, self.path)
        entries = found if isinstance(found, list) else [found]
        if self.selector is not None:
            entries = [each for each in entries if matches(self.selector, each)]
        return tuple(text for each in entries for text in _texts(value_at(each, self.part)))


ReadPath = Callable[[str], AttributePath]
"""Reads the text of a path; raises Invalid. The grammar is the SCIM door's."""


class TransformKind(StrEnum):
    """What may be done to a value; the set is closed, so that a mapping can be read and never runs wild."""

    TRIM = "trim"
    LOWER = "lower"
    UPPER = "upper"
    BEFORE = "before"
    AFTER = "after"
    REPLACE_PREFIX = "replace_prefix"


@dataclass(frozen=True, slots=True)
class Transform:
    """One step from a value to the next; ``argument`` is a separator or a prefix."""

    kind: TransformKind
    argument: str = ""
    replacement: str = ""

    @property
    def definition(self) -> object:
        """Return the transform as it stands in a mapping file."""
        match self.kind:
            case TransformKind.BEFORE | TransformKind.AFTER:
                return {self.kind.value: self.argument}
            case TransformKind.REPLACE_PREFIX:
                return {self.kind.value: [self.argument, self.replacement]}
            case _:
                return self.kind.value

    def apply(self, text: str) -> str:
        """Return the text after this step; one that lacks the separator or the prefix stays as it is."""
        match self.kind:
            case TransformKind.TRIM:
                return text.strip()
            case TransformKind.LOWER:
                return text.lower()
            case TransformKind.UPPER:
                return text.upper()
            case TransformKind.BEFORE:
                return text.partition(self.argument)[0]
            case TransformKind.AFTER:
                before, found, after = text.partition(self.argument)
                return after if found else before
            case TransformKind.REPLACE_PREFIX:
                known = text.startswith(self.argument)
                return self.replacement + text.removeprefix(self.argument) if known else text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the first one at a path, or with a ``separator`` all of all paths, joined."""

    paths: tuple[AttributePath, ...]
    separator: str | None = None

    @property
    def definition(self) -> object:
        """Return the source as it stands in a mapping file."""
        texts = [each.text for each in self.paths]
        return texts[0] if self.separator is None else {"join": texts, "with": self.separator}

    @property
    def text(self) -> str:
        """Return what a person reads of it."""
        texts = [each.text for each in self.paths]
        return texts[0] if self.separator is None else f"{' + '.join(texts)} with {self.separator!r}"

    def raw(self, document: object) -> str | None:
        """Return the value of a document, None where there is none."""
        found = [text for path in self.paths for text in path.texts(document)]
        if self.separator is None:
            return found[0] if found else None
        return self.separator.join(found) or None


@dataclass(frozen=True, slots=True)
class FieldRule:
    """
    How one field is filled.

    ``required`` refuses nothing: whoever lacks the field keeps the value from before, and the directory says so.
    """

    name: str
    sources: tuple[Source, ...] = ()
    transforms: tuple[Transform, ...] = ()
    default: str | None = None
    required: bool = False

    @property
    def definition(self) -> dict[str, object]:
        """Return the field as it stands in a mapping file, what is usual left out."""
        found: dict[str, object] = {"from": [each.definition for each in self.sources]}
        if self.transforms:
            found["transforms"] = [each.definition for each in self.transforms]
        if self.default is not None:
            found["default"] = self.default
        if self.required:
            found["required"] = True
        return found


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """All fields of a directory's people; ``own`` names those that the directory itself defines."""

    fields: tuple[FieldRule, ...]
    own: frozenset[str] = frozenset()

    def rule_of(self, name: str) -> FieldRule:
        """Return how a field of `DEFAULTS`, or one that the directory defines, is filled."""
        return next(each for each in self.fields if each.name == name)

    @property
    def definition(self) -> dict[str, dict[str, object]]:
        """Return what the directory itself defines, as it stands in a mapping file."""
        return {each.name: each.definition for each in self.fields if each.name in self.own}


class Origin(StrEnum):
    """Where a field's value came from."""

    SOURCE = "source"
    DEFAULT = "default"
    USER_NAME = "userName"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Tried:
    """One source that was looked at: what was there, what each transform made of it, and why it was passed over."""

    source: str
    raw: str | None
    steps: tuple[tuple[str, str], ...] = ()
    passed_over: str | None = None


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """How one field came to its value; ``error`` is what a person should mend."""

    name: str
    value: str | None
    origin: Origin
    tried: tuple[Tried, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """What a mapping makes of a document: only fields with a value; ``lacks`` are required ones without."""

    values: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()

    def keeping(self, before: Mapping[str, str]) -> "Derived":
        """Return this with what is required and lacking as it was before."""
        kept = {name: before[name] for name in self.lacks if name in before}
        return Derived({**self.values, **kept}, self.lacks)


def derive(mapping: AttributeMapping, document: Mapping[str, object]) -> Derived:
    """Return what a mapping makes of a document; nothing in a document is an error."""
    traced = [(rule, trace_field(rule, document)) for rule in mapping.fields]
    return Derived(
        {rule.name: found.value for rule, found in traced if found.value is not None},
        tuple(rule.name for rule, found in traced if rule.required and found.origin in _WITHOUT_A_VALUE),
    )


def trace(mapping: AttributeMapping, document: Mapping[str, object]) -> tuple[FieldTrace, ...]:
    """Return how each field comes to its value."""
    return tuple(trace_field(rule, document) for rule in mapping.fields)


def trace_field(rule: FieldRule, document: Mapping[str, object]) -> FieldTrace:
    """Return how one field comes to its value."""
    tried = []
    for source in rule.sources:
        found = _try(source, rule.transforms, document)
        tried.append(found)
        if found.passed_over is None:
            return FieldTrace(rule.name, found.steps[-1][1] if found.steps else found.raw, Origin.SOURCE, tuple(tried))
    error = "It is required, and nothing has a value." if rule.required and rule.default is None else None
    if rule.default is not None:
        return FieldTrace(rule.name, rule.default, Origin.DEFAULT, tuple(tried), error)
    if rule.name == USER_NAME:
        # Nobody is without a name: what the identity provider calls them is better than none.
        return FieldTrace(rule.name, _user_name(document), Origin.USER_NAME, tuple(tried), error)
    return FieldTrace(rule.name, None, Origin.NOTHING, tuple(tried), error)


_WITHOUT_A_VALUE = frozenset({Origin.NOTHING, Origin.USER_NAME})


def _try(source: Source, transforms: tuple[Transform, ...], document: object) -> Tried:
    raw = source.raw(document)
    if raw is None:
        return Tried(source.text, None, passed_over="there is no value")
    steps, text = [], raw
    for transform in transforms:
        text = transform.apply(text)
        steps.append((_shown(transform), text))
    if not text:
        return Tried(source.text, raw, tuple(steps), "nothing is left of it")
    if len(text.encode()) > LONGEST_VALUE:
        return Tried(source.text, raw, tuple(steps), f"it is longer than {LONGEST_VALUE} bytes")
    return Tried(source.text, raw, tuple(steps))


def _shown(transform: Transform) -> str:
    match transform.kind:
        case TransformKind.BEFORE | TransformKind.AFTER:
            return f"{transform.kind.value} {transform.argument!r}"
        case TransformKind.REPLACE_PREFIX:
            return f"prefix {transform.argument!r} to {transform.replacement!r}"
        case _:
            return transform.kind.value


def _user_name(document: Mapping[str, object]) -> str | None:
    found = document.get("userName")
    return found if isinstance(found, str) else None


def _texts(value: object) -> list[str]:
    match value:
        case bool():
            return ["true" if value else "false"]
        case str():
            return [value] if value else []
        case int() | float():
            return [str(value)]
        case Mapping():
            # A complex value stands for its `value` (RFC 7643 §2.4).
            inner = value.get("value")
            return [] if isinstance(inner, Mapping | list) else _texts(inner)
        case _:
            return []
