"""
The permission catalogue: which API role may do what.

`config/roles.toml` is its source; this reads the plain table of it. Permissions are sets of names, roles are named
sets that may include one another, and what a person may do is the union of their roles: nothing is ever subtracted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Invalid

VERSION = 1


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    Every permission with what it allows, and the permissions of every role, included ones resolved.

    ``external`` are those that guard nothing in the bridge itself: other services ask it about them.
    """

    descriptions: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    external: frozenset[str] = frozenset()


def parse_catalogue(document: Mapping[str, object]) -> Catalogue:
    """Read a catalogue; raises Invalid for an unknown name, a cycle or a built-in role that is missing."""
    if document.get("version") != VERSION or set(document) - {"external"} != {"version", "permissions", "roles"}:
        raise Invalid(f"A catalogue has version = {VERSION}, external, permissions and roles.", field="version")
    descriptions = _descriptions(document["permissions"])
    tables = _role_tables(document["roles"])
    for role in ApiRole:
        if role.value not in tables:
            raise Invalid(f"The catalogue does not say what the role {role.value} may do.", field=f"roles.{role.value}")
    resolved = {name: _resolve(name, tables, descriptions, ()) for name in sorted(tables)}
    return Catalogue(descriptions, resolved, _external(document.get("external", []), descriptions))


def permissions(catalogue: Catalogue, roles: Iterable[str]) -> frozenset[str]:
    """Return what somebody with these roles may do; a role that the catalogue does not know allows nothing."""
    return frozenset().union(*(catalogue.roles.get(role, frozenset()) for role in roles))


def grant_permission(role: KubernetesRole) -> str:
    """Return the permission that is needed to grant a Kubernetes role."""
    return f"kubernetes_roles:grant:{role.value}"


def _external(value: object, known: Mapping[str, str]) -> frozenset[str]:
    if not isinstance(value, list):
        raise Invalid("external is a list of permissions.", field="external")
    for name in value:
        if name not in known:
            raise Invalid(f"external names {name!r}, which does not exist.", field="external")
    return frozenset(value)


def _descriptions(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Invalid("permissions is a table of names and what each allows.", field="permissions")
    for name, words in value.items():
        if not isinstance(words, str) or not words or ":" not in name:
            raise Invalid(f"The permission {name!r} is area:action with a text.", field=f"permissions.{name}")
    return dict(value)


def _role_tables(value: object) -> dict[str, Mapping[str, object]]:
    if not isinstance(value, Mapping):
        raise Invalid("roles is a table of roles.", field="roles")
    for name, table in value.items():
        if not isinstance(table, Mapping) or not set(table) <= {"includes", "permissions"}:
            raise Invalid(f"The role {name!r} has includes and permissions.", field=f"roles.{name}")
    return dict(value)


def _resolve(
    name: str, tables: Mapping[str, Mapping[str, object]], known: Mapping[str, str], above: tuple[str, ...]
) -> frozenset[str]:
    if name in above:
        raise Invalid(f"The role {name!r} includes itself.", field=f"roles.{name}.includes")
    table = tables[name]
    held = frozenset(_names(table, "permissions", name, known))
    for included in _names(table, "includes", name, tables):
        held |= _resolve(included, tables, known, (*above, name))
    return held


def _names(table: Mapping[str, object], key: str, role: str, known: Iterable[str]) -> list[str]:
    names = table.get(key, [])
    if not isinstance(names, list):
        raise Invalid(f"{key} of the role {role!r} is a list.", field=f"roles.{role}.{key}")
    for name in names:
        if name not in known:
            raise Invalid(f"The role {role!r} names {name!r}, which does not exist.", field=f"roles.{role}.{key}")
    return names
