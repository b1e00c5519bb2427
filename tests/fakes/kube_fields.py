"""Who owns which field: server-side apply, for the fields that RBAC objects have."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.fakes.kube_status import apply_conflict

Field = tuple[str, ...]
Owner = tuple[str, str]
Owners = dict[Owner, frozenset[Field]]

# Each entry has an owner of its own; a list is owned and replaced as a whole.
MAPS: tuple[Field, ...] = (("metadata", "labels"), ("metadata", "annotations"), ("roleRef",))
ATOMS = ("subjects", "rules", "aggregationRule")


def fields_of(document: Mapping[str, Any]) -> dict[Field, Any]:
    """Return every ownable field with its value."""
    found: dict[Field, Any] = {}
    for path in MAPS:
        place: Any = document
        for part in path:
            place = place.get(part) or {}
        for key, value in place.items():
            found[(*path, key)] = value
    for atom in ATOMS:
        if atom in document:
            found[(atom,)] = document[atom]
    return found


def updated_owners(before: Mapping[str, Any] | None, after: Mapping[str, Any], owners: Owners, manager: str) -> Owners:
    """Return who owns what after a create, put or patch: the writer has what it changed, others lose that."""
    old, new = fields_of(before or {}), fields_of(after)
    changed = {field for field in new if field not in old or old[field] != new[field]}
    kept = {owner: frozenset(f for f in fields if f in new and f not in changed) for owner, fields in owners.items()}
    mine = (manager, "Update")
    kept[mine] = kept.get(mine, frozenset()) | changed
    return {owner: fields for owner, fields in kept.items() if fields}


def apply(
    before: dict[str, Any] | None, applied: Mapping[str, Any], owners: Owners, manager: str, *, force: bool
) -> tuple[dict[str, Any], Owners]:
    """Return the object and its owners after a server-side apply; raises the conflict that names field and manager."""
    live, wanted = fields_of(before or {}), fields_of(applied)
    mine = (manager, "Apply")
    disputed = {
        field: owner
        for owner, fields in owners.items()
        for field in fields
        if owner != mine and field in wanted and live.get(field) != wanted[field]
    }
    if disputed and not force:
        raise apply_conflict([(_dotted(field), owner[0]) for field, owner in sorted(disputed.items())])
    left = {owner: fields - disputed.keys() for owner, fields in owners.items()}
    dropped = {
        field
        for field in left.get(mine, frozenset()) - wanted.keys()
        if not any(field in fields for owner, fields in left.items() if owner != mine)
    }
    left[mine] = frozenset(wanted)
    after = _merge(before or {}, wanted, dropped)
    return after, {owner: fields for owner, fields in left.items() if fields}


def _merge(before: Mapping[str, Any], wanted: Mapping[Field, Any], dropped: set[Field]) -> dict[str, Any]:
    after = deepcopy(dict(before))
    for field, value in wanted.items():
        place = after
        for part in field[:-1]:
            place = place.setdefault(part, {})
        place[field[-1]] = value
    for field in dropped:
        place = after
        for part in field[:-1]:
            place = place.get(part, {})
        place.pop(field[-1], None)
    return after


def managed_fields(owners: Owners, api_version: str) -> list[dict[str, Any]]:
    return [
        {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "time": "2020-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(fields),
        }
        for (manager, operation), fields in sorted(owners.items())
    ]


def _tree(fields: frozenset[Field]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for field in sorted(fields):
        place = tree
        for part in field:
            place = place.setdefault(f"f:{part}", {})
    return tree


def _dotted(field: Field) -> str:
    return "".join(f".{part}" for part in field)
