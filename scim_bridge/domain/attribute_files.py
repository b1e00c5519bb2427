"""Read a mapping file (TOML or JSON, already a plain dict) into a mapping; a mistake is one sentence with its place."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from scim_bridge.domain.attributes import (
    DEFAULTS,
    AttributeMapping,
    AttributePath,
    FieldRule,
    ReadPath,
    Source,
    Transform,
    TransformKind,
)
from scim_bridge.errors import Invalid

VERSION = 1
MOST_FIELDS = 50
MOST_SOURCES = 10
MOST_STEPS = 10
LONGEST_TEXT = 1024
_KEYS = frozenset({"from", "transforms", "default", "required"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# What a person is, and not what they are called: other rules decide it.
_NOT_MAPPED = frozenset({"active", "id", "member_id", "groups", "state"})
_BARE = (TransformKind.TRIM, TransformKind.LOWER, TransformKind.UPPER)
_SEPARATED = (TransformKind.BEFORE, TransformKind.AFTER)


def parse_mapping(document: Mapping[str, object], read_path: ReadPath) -> AttributeMapping:
    """Return the mapping of a document; raises Invalid, whose ``field`` is like ``fields.email.from[1]``."""
    unknown = sorted(str(key) for key in document if key not in ("version", "fields"))
    if unknown:
        raise Invalid(f"A mapping has no key {unknown[0]!r}; it has version and fields.", field=unknown[0])
    version = document.get("version", VERSION)
    if isinstance(version, bool) or version != VERSION:
        raise Invalid(f"This release reads mappings of version {VERSION}.", field="version")
    fields = document.get("fields", {})
    if not isinstance(fields, Mapping) or len(fields) > MOST_FIELDS:
        raise Invalid(f"fields must be a table of at most {MOST_FIELDS} fields.", field="fields")
    for name in fields:
        _check_name(name)
    own = [_parse_field(name, row, read_path) for name, row in sorted(fields.items())]
    # What says no more than the default is not the directory's own: an export of everything stays the default.
    changed = {rule.name: rule for rule in own if rule != _default(rule.name, read_path)}
    usual = [changed.get(name) or rule for name in DEFAULTS if (rule := _default(name, read_path)) is not None]
    return AttributeMapping(
        (*usual, *(rule for name, rule in changed.items() if name not in DEFAULTS)), frozenset(changed)
    )


def canonical(mapping: AttributeMapping) -> str | None:
    """Return what a directory defines itself as canonical JSON; None where that is nothing."""
    if not mapping.own:
        return None
    return json.dumps({"fields": mapping.definition, "version": VERSION}, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=256)
def read_mapping(text: str | None, read_path: ReadPath) -> AttributeMapping:
    """Return the mapping that a canonical text stands for; None is that of a directory which defines nothing."""
    return parse_mapping({} if text is None else json.loads(text), read_path)


@lru_cache(maxsize=64)
def _default(name: str, read_path: ReadPath) -> FieldRule | None:
    return _parse_field(name, DEFAULTS[name], read_path) if name in DEFAULTS else None


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid("A field's name is small letters, digits and _, at most 63.", field="fields")
    if name in _NOT_MAPPED:
        raise Invalid(f"{name} is not for a mapping to say.", field=f"fields.{name}")


def _parse_field(name: str, row: object, read_path: ReadPath) -> FieldRule:
    place = f"fields.{name}"
    if not isinstance(row, Mapping):
        raise Invalid(f"{place} must be a table of keys.", field=place)
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise Invalid(f"{place} has an unknown key {unknown[0]!r}.", field=f"{place}.{unknown[0]}")
    required = row.get("required", False)
    if not isinstance(required, bool):
        raise Invalid(f"{place}.required must be true or false.", field=f"{place}.required")
    default = row.get("default")
    if default is not None:
        default = _text(default, f"{place}.default")
    sources = _list(row.get("from", []), f"{place}.from", MOST_SOURCES)
    steps = _list(row.get("transforms", []), f"{place}.transforms", MOST_STEPS)
    return FieldRule(
        name,
        tuple(_parse_source(each, f"{place}.from[{at}]", read_path) for at, each in enumerate(sources)),
        tuple(_parse_transform(each, f"{place}.transforms[{at}]") for at, each in enumerate(steps)),
        default,
        required,
    )


def _list(value: object, place: str, most: int) -> list[object]:
    # One path needs no brackets.
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or len(found) > most:
        raise Invalid(f"{place} must be a list of at most {most}.", field=place)
    return found


def _parse_source(row: object, place: str, read_path: ReadPath) -> Source:
    if isinstance(row, str):
        return Source((_path(row, place, read_path),))
    if not isinstance(row, Mapping) or "join" not in row or not set(row) <= {"join", "with"}:
        raise Invalid(f"{place} must be a path, or a table of join and with.", field=place)
    paths = _list(row["join"], f"{place}.join", MOST_SOURCES)
    if not paths:
        raise Invalid(f"{place}.join needs a path.", field=f"{place}.join")
    read = tuple(_path(each, f"{place}.join[{at}]", read_path) for at, each in enumerate(paths))
    return Source(read, _text(row.get("with", " "), f"{place}.with", blank=True))


def _path(value: object, place: str, read_path: ReadPath) -> AttributePath:
    text = _text(value, place)
    try:
        return read_path(text)
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None


def _parse_transform(row: object, place: str) -> Transform:
    if isinstance(row, str) and row in _BARE:
        return Transform(TransformKind(row))
    if isinstance(row, Mapping) and len(row) == 1:
        ((kind, argument),) = row.items()
        if kind in _SEPARATED:
            return Transform(TransformKind(kind), _text(argument, f"{place}.{kind}", blank=True))
        if kind == TransformKind.REPLACE_PREFIX and isinstance(argument, list) and len(argument) == 2:
            prefix = _text(argument[0], f"{place}.{kind}[0]")
            # Replacing by nothing takes the prefix away.
            to = "" if argument[1] == "" else _text(argument[1], f"{place}.{kind}[1]")
            return Transform(TransformKind.REPLACE_PREFIX, prefix, to)
    raise Invalid(
        f'{place} must be trim, lower, upper, {{ before = "@" }}, {{ after = "@" }} or '
        '{ replace_prefix = ["old", "new"] }.',
        field=place,
    )


def _text(value: object, place: str, *, blank: bool = False) -> str:
    is_text = isinstance(value, str) and value and value.isprintable() and (blank or value == value.strip())
    if not is_text or len(str(value).encode()) > LONGEST_TEXT:
        raise Invalid(f"{place} must be a text of at most {LONGEST_TEXT} bytes.", field=place)
    return str(value)
