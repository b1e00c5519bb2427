"""Organizations as people write them down: TOML, YAML or JSON tables, read into items with every default filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_bridge.domain.organization_documents import VERSION, Document, Section
from scim_bridge.domain.organizations import CaseRule, EnvironmentType
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import Invalid

Row = Mapping[str, Any]
Items = dict[str, dict[str, object]]
MOST_ITEMS = 20_000
_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a cluster's credential is to be found: never in the document itself."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class OrganizationFile:
    """A document with the organization it names, if it does, and where the credentials of its clusters are."""

    document: Document
    slug: str | None = None
    credentials: Mapping[str, Credential] = field(default_factory=dict)


def parse_organization(table: Row) -> OrganizationFile:
    """Return the document of a file's tables; raises Invalid, whose ``field`` is like ``projects[3].unit``."""
    known = {"version", "prune", *(each.value for each in Section if each is not Section.SERVICES)}
    for key in table:
        if key not in known:
            raise Invalid(f"A document has no key {key!r}; it has {', '.join(sorted(known))}.", field=str(key))
    if table.get("version", VERSION) != VERSION or isinstance(table.get("version"), bool):
        raise Invalid(f"This release reads documents of version {VERSION}.", field="version")
    sections: dict[str, Items] = {}
    slug, settings = _organization(table.get("organization"))
    if settings:
        sections[Section.ORGANIZATION] = {"organization": settings}
    for section, parse in _PARSERS.items():
        if section in table:
            sections[section] = _items(table[section], section, parse)
    if Section.PROJECTS in table:
        sections[Section.SERVICES] = _services(table[Section.PROJECTS])
    if Section.RULES in table:
        rules = parse_rules({"rules": table[Section.RULES]}).rules
        sections[Section.RULES] = {rule.name: rule.definition for rule in rules}
    return OrganizationFile(Document(sections, _prune(table, sections)), slug, _credentials(table))


def _prune(table: Row, sections: Mapping[str, Items]) -> frozenset[str]:
    named = _names(table, "prune", "document")
    for each in named:
        if each not in sections or each == Section.ORGANIZATION:
            raise Invalid(f"prune names {each!r}, which is no section of this document.", field="prune")
    return frozenset(named)


def _organization(value: object) -> tuple[str | None, dict[str, object]]:
    if value is None or isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping):
        raise Invalid(
            "organization is a slug, or a table of slug, name, contact and description.", field="organization"
        )
    _refuse_unknown(value, ("slug", "name", "contact", "description"), "organization")
    settings: dict[str, object] = {
        key: _text(value, key, "organization", None) for key in ("name", "contact", "description") if key in value
    }
    return _text(value, "slug", "organization", None), settings


def _items(rows: object, section: str, parse: Callable[[Row, str], tuple[str, dict[str, object]]]) -> Items:
    if not isinstance(rows, list) or len(rows) > MOST_ITEMS:
        raise Invalid(f"{section} is a list of at most {MOST_ITEMS} tables.", field=section)
    found: Items = {}
    for number, row in enumerate(rows):
        place = f"{section}[{number}]"
        if not isinstance(row, Mapping):
            raise Invalid(f"{place} must be a table of keys.", field=place)
        key, item = parse(row, place)
        if key in found:
            raise Invalid(f"{place} says {key} a second time.", field=place)
        found[key] = item
    return found


def _role(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, ("name", "permissions"), place)
    return str(_text(row, "name", place)), {"permissions": _names(row, "permissions", place)}


def _unit(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, ("path", "environment"), place)
    kinds = [each.value for each in EnvironmentType]
    return str(_text(row, "path", place)), {"environment": _choice(row, "environment", place, kinds, None)}


def _cluster(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, (*_CLUSTER, "name", "kubeconfig", "in_cluster"), place)
    item: dict[str, object] = {
        "unit": _text(row, "unit", place, None) or "",
        "user_template": _text(row, "user_template", place, "{user_name}"),
        "case": _choice(row, "case", place, [each.value for each in CaseRule], CaseRule.KEEP.value),
        "bridge_namespace": _text(row, "bridge_namespace", place, "scim-bridge"),
    }
    item |= {key: _flag(row, key, place) for key in ("allow_cluster_admin", "allow_label_selectors")}
    # An address is said for the reader: it is compared where it is said.
    item |= {key: _text(row, key, place) for key in ("server", "manifests") if key in row}
    return str(_text(row, "name", place)), item


_CLUSTER = (
    "unit", "server", "manifests", "user_template", "case", "allow_cluster_admin", "allow_label_selectors",
    "bridge_namespace",
)  # fmt: skip


def _project(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, ("name", "unit", "namespaces", "selectors", "clusters", "services"), place)
    lists: dict[str, object] = {key: _names(row, key, place) for key in ("namespaces", "selectors", "clusters")}
    return str(_text(row, "name", place)), {"unit": _text(row, "unit", place, None) or "", **lists}


def _services(rows: list[Row]) -> Items:
    found: Items = {}
    for number, row in enumerate(rows):
        services = row.get("services", [])
        place = f"projects[{number}].services"
        if not isinstance(services, list):
            raise Invalid(f"{place} is a list of tables.", field=place)

        def parse(service: Row, where: str, project: str = row["name"]) -> tuple[str, dict[str, object]]:
            _refuse_unknown(service, ("name", "namespace"), where)
            return f"{project}/{_text(service, 'name', where)}", {"namespace": _text(service, "namespace", where)}

        found |= _items(services, place, parse)
    return found


def _group(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, ("name", "description", "members"), place)
    told = row.get("description") or ""
    if not isinstance(told, str) or "\x00" in told:
        raise Invalid(f"{place}.description must be a text.", field=f"{place}.description")
    item: dict[str, object] = {"description": told.strip()}
    return str(_text(row, "name", place)), item | {"members": _names(row, "members", place)}


def _grant(row: Row, place: str) -> tuple[str, dict[str, object]]:
    _refuse_unknown(row, ("scope", "person", "group", "api_role", "kubernetes_role"), place)
    if ("person" in row) == ("group" in row):
        raise Invalid(f"{place} is for one person or for one group.", field=place)
    if "api_role" not in row and "kubernetes_role" not in row:
        raise Invalid(f"{place} gives an api_role, a kubernetes_role or both.", field=place)
    kind = "person" if "person" in row else "group"
    item: dict[str, object] = {
        "scope": _text(row, "scope", place),
        kind: _text(row, kind, place),
        "api_role": _text(row, "api_role", place, None),
        "kubernetes_role": _choice(row, "kubernetes_role", place, [each.value for each in KubernetesRole], None),
    }
    return grant_key(item), item


def grant_key(item: Mapping[str, object]) -> str:
    """Return what tells a grant from every other: it has nothing else that could change."""
    kind = "person" if "person" in item else "group"
    roles = [f"{axis} {item[axis]}" for axis in ("api_role", "kubernetes_role") if item.get(axis)]
    return f"{' and '.join(roles)} at {item['scope']} to {kind} {item[kind]}"


_PARSERS = {
    Section.ROLES: _role,
    Section.UNITS: _unit,
    Section.CLUSTERS: _cluster,
    Section.PROJECTS: _project,
    Section.GROUPS: _group,
    Section.GRANTS: _grant,
}


def _credentials(table: Row) -> dict[str, Credential]:
    found: dict[str, Credential] = {}
    for number, row in enumerate(table.get(Section.CLUSTERS, ())):
        place = f"clusters[{number}]"
        if len({"kubeconfig", "in_cluster", "manifests"} & set(row)) > 1:
            raise Invalid(f"{place} has one target: kubeconfig, in_cluster or manifests.", field=place)
        if _flag(row, "in_cluster", place):
            found[row["name"]] = Credential("in_cluster", "")
        elif "kubeconfig" in row:
            found[row["name"]] = _credential(row["kubeconfig"], f"{place}.kubeconfig")
    return found


def _credential(value: object, place: str) -> Credential:
    if not isinstance(value, Mapping) or set(value) not in ({"file"}, {"env"}):
        raise Invalid(
            f"{place} says where the kubeconfig is, with file or env: a document holds no secret.", field=place
        )
    (kind,) = value
    return Credential(kind, str(_text(value, kind, place)))


def _refuse_unknown(row: Row, known: tuple[str, ...], place: str) -> None:
    for key in row:
        if key not in known:
            raise Invalid(f"{place} has no key {key!r}; it has {', '.join(known)}.", field=f"{place}.{key}")


def _text(row: Row, key: str, place: str, default: object = _REQUIRED) -> str | None:
    value = row.get(key, default)
    if value is _REQUIRED:
        raise Invalid(f"{place} must have {key}.", field=f"{place}.{key}")
    if value is None and default is None:
        return None
    if not isinstance(value, str) or len(value) > 1024 or not (value == "" or value.isprintable()):
        raise Invalid(f"{place}.{key} must be a text.", field=f"{place}.{key}")
    return value


def _choice(row: Row, key: str, place: str, words: list[str], default: str | None) -> str | None:
    value = _text(row, key, place, default)
    if value is not None and value not in words:
        raise Invalid(f"{place}.{key} is one of {', '.join(words)}.", field=f"{place}.{key}")
    return value


def _flag(row: Row, key: str, place: str) -> bool:
    value = row.get(key, False)
    if not isinstance(value, bool):
        raise Invalid(f"{place}.{key} must be true or false.", field=f"{place}.{key}")
    return value


def _names(row: Row, key: str, place: str) -> list[str]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each.isprintable() for each in value):
        raise Invalid(f"{place}.{key} must be a list of texts.", field=f"{place}.{key}")
    return sorted(set(value))
