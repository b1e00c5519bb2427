"""
What was sent as the document that is stored: names spelt as the schema spells them, values as they were sent.

What no schema declares is kept as it is. What the server owns, empty values (RFC 7643 §2.5) and passwords are left out.
"""

from collections.abc import Mapping
from typing import Any

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import Invalid
from scim_bridge.scim import dialects
from scim_bridge.scim.attributes import AttributeType, ResourceSchema, Types

SERVER_OWNED = frozenset({"id", "meta", "schemas", "groups", "password", "members"})


def read_document(body: Mapping[str, Any], schema: ResourceSchema) -> Document:
    """Return the document that a whole resource stands for; raises Invalid with the attribute at fault."""
    document: Document = {}
    for name, value in body.items():
        if name.lower() in SERVER_OWNED and (name.lower() not in ("groups", "members") or schema.find(name)):
            continue
        if name.lower().startswith("urn:"):
            _read_qualified(document, name, value, schema)
        else:
            _put(document, name, value, schema.types)
    return document


def read_value(value: object, type_: AttributeType | None, where: str) -> Any:
    """Return a value as it is stored, None for an empty one; raises Invalid where it is not of the attribute's type."""
    if type_ is None:
        return value
    if type_.many:
        return _read_list(value, type_, where)
    if type_.is_complex:
        value = dialects.single_complex(value)
        return None if value is None else _read_object(value, type_.parts, where)
    if value is None:
        return None
    if type_.kind == "boolean":
        value = dialects.truth(value)
        if not isinstance(value, bool):
            raise Invalid(f"{where} must be true or false.", where)
    elif not isinstance(value, str):
        raise Invalid(f"{where} must be a text.", where)
    return value


def is_empty(value: object) -> bool:
    """Say whether a value is none at all (RFC 7643 §2.5); an empty text is one (Okta pushes them)."""
    return value is None or value in ([], {})


def with_one_primary(entries: list[Any]) -> list[Any]:
    """Leave only the first entry primary: at most one may be (RFC 7643 §2.4)."""
    seen = False
    for number, each in enumerate(entries):
        if isinstance(each, dict) and each.get("primary") is True:
            if seen:
                entries[number] = {**each, "primary": False}
            seen = True
    return entries


def _read_qualified(document: Document, name: str, value: object, schema: ResourceSchema) -> None:
    extension = schema.extension(name)
    if extension is not None:
        urn, types = extension
        if value is not None:
            merged = {**document.get(urn, {}), **_read_object(value, types, urn)}
            if merged:
                document[urn] = merged
        return
    urn, _, attribute = name.rpartition(":")
    if schema.is_core(urn):
        if attribute.lower() not in SERVER_OWNED:
            _put(document, attribute, value, schema.types)
        return
    known = schema.extension(urn)
    if known is not None:
        _put(document.setdefault(known[0], {}), attribute, value, known[1])
    elif not is_empty(value) and not schema.is_core(name):
        document[name] = value


def _put(holder: Document, name: str, value: object, types: Types) -> None:
    type_ = types.get(name.lower())
    key = type_.name if type_ else name
    if key in holder:
        raise Invalid(f"The attribute {key} is there twice.", key, scim_type="invalidSyntax")
    read = read_value(value, type_, key)
    if not is_empty(read):
        holder[key] = read


def _read_list(value: object, type_: AttributeType, where: str) -> list[Any] | None:
    if value is None:
        return None
    read = []
    for each in dialects.entries(value):  # type: ignore[attr-defined]
        each = dialects.entry(each)
        if each is not None:
            entry = _read_object(each, type_.parts, where)
            if entry:
                read.append(entry)
    return with_one_primary(read) or None


def _read_object(value: object, types: Types, where: str) -> Document:
    if not isinstance(value, Mapping):
        raise Invalid(f"{where} must be an object.", where)
    read: Document = {}
    for name, each in value.items():
        type_ = types.get(name.lower())
        key = type_.name if type_ else name
        if key in read:
            raise Invalid(f"{where}.{key} is there twice.", where, scim_type="invalidSyntax")
        cleaned = read_value(each, type_, f"{where}.{key}")
        if not is_empty(cleaned):
            read[key] = cleaned
    return read
