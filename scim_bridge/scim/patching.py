"""
PATCH on a stored document (RFC 7644 §3.5.2), on plain dictionaries, losing nothing.

Operations are applied in order to a copy; an error leaves the stored document as it was. Two Entra habits are part of
the meaning: a filter that matches nothing creates the entry it describes, and ``remove`` with a value removes that.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from scim_bridge.domain.filters import Compare, Every, Filter, Operator, matches
from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import Invalid, TooLarge
from scim_bridge.scim import dialects
from scim_bridge.scim.attributes import AttributeType, ResourceSchema
from scim_bridge.scim.documents import SERVER_OWNED, is_empty, read_value, with_one_primary
from scim_bridge.scim.filters import LONGEST_PATH, Target, parse_path


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation at one path; ``op`` is add, replace or remove."""

    op: str
    path: str
    value: Any = None


def read_operations(body: Mapping[str, Any], most: int) -> Iterator[Operation]:
    """Return the operations of a PATCH body, path-less ones split by attribute; raises Invalid."""
    sent = next((value for name, value in body.items() if name.lower() == "operations"), None)
    operations = dialects.operations_list(sent)
    if not isinstance(operations, list) or not operations:
        raise Invalid("A PATCH body needs a list of Operations.", "Operations", scim_type="invalidSyntax")
    if len(operations) > most:
        raise TooLarge(f"A PATCH body may have at most {most} operations.", "Operations")
    return (one for each in operations for one in _read_operation(each))


def apply_operations(document: Document, operations: Iterable[Operation], schema: ResourceSchema) -> Document:
    """Return the document after these operations."""
    changed = deepcopy(document)
    for operation in operations:
        target = parse_path(operation.path, schema, LONGEST_PATH)
        first = target.place.path[0].lower()
        if first in ("password", "schemas"):
            continue
        if first in SERVER_OWNED and schema.find(first):
            raise Invalid(f"{target.place.path[0]} belongs to the server.", operation.path, scim_type="mutability")
        _apply(changed, operation, target)
    return changed


def _read_operation(sent: object) -> Iterator[Operation]:
    if not isinstance(sent, Mapping):
        raise Invalid("An operation must be an object.", "Operations", scim_type="invalidSyntax")
    fields = {name.lower(): value for name, value in sent.items()}
    op, path, value = dialects.operation_name(fields.get("op")), fields.get("path"), fields.get("value")
    if op not in ("add", "replace", "remove"):
        raise Invalid(f"An operation is add, replace or remove, not {op!r}.", "op", scim_type="invalidSyntax")
    if path is not None and not isinstance(path, str):
        raise Invalid("A path must be a text.", "path", scim_type="invalidPath")
    if op == "add" and value is None and "value" not in fields:
        raise Invalid("add needs a value.", "value", scim_type="invalidValue")
    if path and path.strip():
        yield Operation(str(op), path.strip(), value)
        return
    if op == "remove":
        raise Invalid("remove needs a path.", "path", scim_type="noTarget")
    value = dialects.pathless_value(value)
    if not isinstance(value, Mapping):
        raise Invalid("An operation without a path needs an object of attributes.", "value", scim_type="invalidValue")
    for name, each in value.items():
        if not dialects.names_the_resource(name):
            yield Operation(str(op), name, each)


def _apply(document: Document, operation: Operation, target: Target) -> None:
    *above, key = target.place.path
    type_ = target.place.type
    if operation.op == "remove" and not _exists(document, target.place.path):
        return
    holder = _enter(document, above)
    if target.selector is not None:
        _apply_to_entries(holder, key, operation, target)
    elif target.part is not None:
        _apply_to_part(holder, key, operation, target)
    elif operation.op == "remove":
        _remove(holder, key, operation, type_)
    else:
        _put(holder, key, operation, type_)
    for depth in range(len(above), 0, -1):
        _drop_if_empty(_enter(document, above[: depth - 1]), above[depth - 1])


def _put(holder: Document, key: str, operation: Operation, type_: AttributeType | None) -> None:
    value = read_value(operation.value, type_, key)
    old = holder.get(key)
    if is_empty(value):
        # Replacing by nothing is removing (RFC 7644 §3.5.2.3); adding nothing changes nothing.
        if operation.op == "replace" or (type_ is not None and not type_.many and type_.is_complex):
            holder.pop(key, None)
    elif isinstance(old, list) and operation.op == "add":
        holder[key] = _with_added(old, value if isinstance(value, list) else [value])
    elif isinstance(old, dict) and isinstance(value, dict):
        holder[key] = {**old, **value}
    else:
        holder[key] = value


def _with_added(old: list[Any], new: list[Any]) -> list[Any]:
    added = [each for each in new if each not in old]
    if any(isinstance(each, dict) and each.get("primary") is True for each in added):
        old = [_not_primary(each) for each in old]
    return with_one_primary([*old, *added])


def _not_primary(entry: Any) -> Any:
    return {**entry, "primary": False} if isinstance(entry, dict) and entry.get("primary") is True else entry


def _remove(holder: Document, key: str, operation: Operation, type_: AttributeType | None) -> None:
    if operation.value is None or not isinstance(holder.get(key), list):
        holder.pop(key, None)
        return
    named = read_value(operation.value, type_, key) or []
    named = named if isinstance(named, list) else [named]
    holder[key] = [each for each in holder[key] if not any(_is_meant(each, one) for one in named)]
    _drop_if_empty(holder, key)


def _is_meant(entry: Any, named: Any) -> bool:
    if isinstance(entry, dict) and isinstance(named, dict):
        return all(entry.get(key) == value for key, value in named.items())
    return bool(entry == named)


def _apply_to_part(holder: Document, key: str, operation: Operation, target: Target) -> None:
    """Change one sub-attribute: of the object, or of every entry of the list."""
    old = holder.get(key)
    if isinstance(old, list):
        holder[key] = [_with_part(entry, operation, target) for entry in old]
    elif isinstance(old, dict) or old is None:
        changed = _with_part(old or {}, operation, target)
        is_list = target.place.type is not None and target.place.type.many
        holder[key] = [changed] if is_list and changed else changed
    else:
        raise Invalid(f"{key} has no parts.", operation.path, scim_type="invalidPath")
    _drop_if_empty(holder, key)


def _with_part(entry: Any, operation: Operation, target: Target) -> Any:
    if target.part is None or not isinstance(entry, dict):
        return entry
    name = target.part.path[0]
    value = None
    if operation.op != "remove":
        value = read_value(operation.value, target.part.type, f"{target.place.path[-1]}.{name}")
    rest = {each: kept for each, kept in entry.items() if each != name}
    if operation.op == "add" and is_empty(value):
        return entry
    return rest if is_empty(value) else {**rest, name: value}


def _apply_to_entries(holder: Document, key: str, operation: Operation, target: Target) -> None:
    """Change the entries of a list that the path's filter selects."""
    old = holder.get(key)
    entries = old if isinstance(old, list) else []
    selector = target.selector
    assert selector is not None
    chosen = [number for number, entry in enumerate(entries) if matches(selector, entry)]
    if operation.op == "remove" and target.part is None:
        holder[key] = [entry for number, entry in enumerate(entries) if number not in chosen]
    else:
        if not chosen and operation.op != "remove":
            # Row 16, Entra: the entry is made, with what the filter says of it.
            entries, chosen = [*entries, _described(selector)], [len(entries)]
        changed = [_changed(entry, operation, target) if n in chosen else entry for n, entry in enumerate(entries)]
        if any(isinstance(changed[n], dict) and changed[n].get("primary") is True for n in chosen):
            changed = [entry if n in chosen else _not_primary(entry) for n, entry in enumerate(changed)]
        holder[key] = [entry for entry in with_one_primary(changed) if not is_empty(entry)]
    _drop_if_empty(holder, key)


def _changed(entry: Any, operation: Operation, target: Target) -> Any:
    if target.part is not None:
        return _with_part(entry, operation, target)
    value = dialects.entry(
        operation.value[0] if isinstance(operation.value, list) and operation.value else operation.value
    )
    read = read_value([value], target.place.type, target.place.path[-1])
    new = read[0] if isinstance(read, list) and read else None
    if not isinstance(new, dict):
        return entry
    return {**entry, **new} if isinstance(entry, dict) else new


def _described(selector: Filter) -> Document:
    match selector:
        case Compare(attribute, Operator.EQUAL, value) if value is not None:
            return {attribute.path[0]: value}
        case Every(terms):
            return {key: value for term in terms for key, value in _described(term).items()}
        case _:
            raise Invalid("No entry matches the path's filter.", "path", scim_type="noTarget")


def _exists(document: Document, path: tuple[str, ...]) -> bool:
    value: Any = document
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _enter(document: Document, above: Iterable[str]) -> Document:
    holder = document
    for key in above:
        inner = holder.setdefault(key, {})
        if not isinstance(inner, dict):
            raise Invalid(f"{key} has no parts.", key, scim_type="invalidPath")
        holder = inner
    return holder


def _drop_if_empty(holder: Document, key: str) -> None:
    if is_empty(holder.get(key)):
        holder.pop(key, None)
