"""
Mapping rules: "people in this IdP group, or with this attribute, get this role at this scope".

A rule matches a group (by id, name, prefix or pattern) or a person (by attribute); what a pattern captures may be
used in the scope. A captured scope must exist under the rule's declared parent, else nothing is granted.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from scim_bridge.domain.organizations import ProjectId, Scope, ScopeKind, Tree, UnitId
from scim_bridge.domain.patterns import match_pattern
from scim_bridge.domain.roles import KubernetesRole

CAPTURE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class MatchKind(StrEnum):
    """What a rule looks at."""

    GROUP_ID = "group_id"
    GROUP = "group"
    GROUP_PREFIX = "group_prefix"
    GROUP_PATTERN = "group_pattern"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Match:
    """The condition of a rule: ``text`` is the id, name, prefix, pattern or attribute path; ``values`` what it is."""

    kind: MatchKind
    text: str
    values: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what two conditions share when they match the same people."""
        if self.kind in (MatchKind.GROUP_ID, MatchKind.GROUP_PATTERN):
            return (self.kind, self.text)
        return (self.kind, self.text.casefold(), *sorted({value.casefold() for value in self.values}))


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule; ``name`` is its stable key.

    ``scope`` is text: ``organization``, ``unit:a/b``, ``project:p``, ``service:p/s`` or ``cluster:c``, with
    ``{capture}`` where a pattern captures. ``parent`` is ``organization`` or ``unit:a/b``.
    """

    name: str
    directory: str
    match: Match
    scope: str
    priority: int = 100
    parent: str = "organization"
    api_role: str | None = None
    kubernetes_role: KubernetesRole | None = None
    allow_privileged: bool = False

    @property
    def definition(self) -> dict[str, object]:
        """Return the rule as it stands in a rule file, defaults left out."""
        found: dict[str, object] = {"name": self.name, "directory": self.directory, "scope": self.scope}
        if self.match.kind is MatchKind.ATTRIBUTE:
            found["attribute"] = {"path": self.match.text, "one_of": list(self.match.values)}
        else:
            found[self.match.kind.value] = self.match.text
        optional = {
            "priority": self.priority if self.priority != 100 else None,
            "parent": self.parent if self.parent != "organization" else None,
            "api_role": self.api_role,
            "kubernetes_role": self.kubernetes_role.value if self.kubernetes_role else None,
            "allow_privileged": self.allow_privileged or None,
        }
        return found | {key: value for key, value in optional.items() if value is not None}

    @property
    def canonical(self) -> str:
        """Return the definition as canonical JSON: equal text, equal rule."""
        return json.dumps(self.definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """One rule before and after, as definitions."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What changes from one set of rules to the next, as definitions."""

    added: tuple[Mapping[str, Any], ...] = ()
    removed: tuple[Mapping[str, Any], ...] = ()
    changed: tuple[ChangedRule, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether both sets say the same."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class RuleDiff:
    """What changes from one set of rules to the next, each in the order of names."""

    added: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()
    changed: tuple[tuple[Rule, Rule], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether both sets say the same."""
        return not (self.added or self.removed or self.changed)

    @property
    def document(self) -> RuleChanges:
        """Return it as people read rules."""
        return RuleChanges(
            tuple(rule.definition for rule in self.added),
            tuple(rule.definition for rule in self.removed),
            tuple(ChangedRule(old.definition, new.definition) for old, new in self.changed),
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one organization."""

    rules: tuple[Rule, ...] = ()

    @property
    def canonical(self) -> str:
        """Return the whole set as canonical JSON, ordered by name."""
        return "[" + ",".join(rule.canonical for rule in sorted(self.rules, key=lambda each: each.name)) + "]"

    def diff(self, newer: "RuleSet") -> RuleDiff:
        """Return what ``newer`` changes."""
        old = {rule.name: rule for rule in self.rules}
        new = {rule.name: rule for rule in newer.rules}
        both = sorted(old.keys() & new.keys())
        return RuleDiff(
            tuple(new[name] for name in sorted(new.keys() - old.keys())),
            tuple(old[name] for name in sorted(old.keys() - new.keys())),
            tuple((old[name], new[name]) for name in both if old[name] != new[name]),
        )


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What rules may look at in a group; ``id`` is its SCIM id, ``external_id`` the IdP's own."""

    id: str
    display_name: str
    directory: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class RuleGrant:
    """What one rule gives to the group or person it matched."""

    rule: str
    priority: int
    scope: Scope
    api_role: str | None
    kubernetes_role: KubernetesRole | None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A rule that matched and could not grant: its scope does not exist where it must."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Granted:
    """All that rules give to one group or person, and what they could not."""

    grants: tuple[RuleGrant, ...] = ()
    unmapped: tuple[Unmapped, ...] = field(default=())


def match_group(rule: Rule, group: GroupFacts) -> dict[str, str] | None:
    """Return what the rule captures from a group (often nothing), or None when it does not match."""
    if rule.directory != group.directory:
        return None
    name, wanted = group.display_name, rule.match.text
    match rule.match.kind:
        case MatchKind.GROUP_ID:
            return {} if wanted in (group.id, group.external_id) else None
        case MatchKind.GROUP:
            return {} if name.casefold() == wanted.casefold() else None
        case MatchKind.GROUP_PREFIX:
            return {} if name.casefold().startswith(wanted.casefold()) else None
        case MatchKind.GROUP_PATTERN:
            return match_pattern(wanted, name)
        case MatchKind.ATTRIBUTE:
            return None


def match_user(rule: Rule, attributes: Mapping[str, object], directory: str) -> bool:
    """Tell whether a person's SCIM attributes match: any value at the path, ignoring case."""
    if rule.directory != directory or rule.match.kind is not MatchKind.ATTRIBUTE:
        return False
    wanted = {value.casefold() for value in rule.match.values}
    return any(value.casefold() in wanted for value in attribute_values(attributes, rule.match.text))


MAPPED = "mapped"
"""Rules name a field of the directory's own attribute mapping as ``mapped.FIELD``."""


def with_mapped(attributes: Mapping[str, object], mapped: Mapping[str, str]) -> dict[str, object]:
    """Return a person's SCIM attributes with the fields that a mapping makes of them; no document can pose as those."""
    return {**{key: value for key, value in attributes.items() if key.lower() != MAPPED}, MAPPED: mapped}


def attribute_values(attributes: Mapping[str, object], path: str) -> list[str]:
    """
    Return the values at an attribute path (RFC 7644 §3.10): ``department``, ``name.givenName``, ``urn:…:User:title``.

    Of a multi-valued attribute all ``value``s are returned; a bare name is looked for in extensions too.
    """
    found: list[str] = []
    for container, rest in _containers(attributes, path):
        values: list[object] = [container]
        for part in rest.split("."):
            values = [inner for value in values for inner in _step(value, part)]
        found += [text for value in values for text in _texts(value)]
    return found


def _containers(attributes: Mapping[str, object], path: str) -> list[tuple[object, str]]:
    extensions = {key: value for key, value in attributes.items() if key.lower().startswith("urn:")}
    if path.lower().startswith("urn:"):
        return [
            (value, path[len(urn) + 1 :])
            for urn, value in extensions.items()
            if path.lower().startswith(f"{urn.lower()}:")
        ]
    if path.lower().startswith(f"{MAPPED}."):
        return [(attributes, path)]
    return [(attributes, path), *((value, path) for value in extensions.values())]


def _step(value: object, name: str) -> list[object]:
    if isinstance(value, list):
        return [inner for item in value for inner in _step(item, name)]
    if isinstance(value, Mapping):
        # Attribute names ignore case (RFC 7643 §2.1).
        return [inner for key, inner in value.items() if str(key).lower() == name.lower()]
    return []


def _texts(value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, Mapping):
        return [text for key in ("value", "displayName") for text in _texts(value.get(key))]
    return []


def grants_for_group(rules: Iterable[Rule], group: GroupFacts, tree: Tree) -> Granted:
    """Return what the rules give to a group."""
    return _granted(((rule, match_group(rule, group)) for rule in rules), tree)


def grants_for_user(rules: Iterable[Rule], attributes: Mapping[str, object], directory: str, tree: Tree) -> Granted:
    """Return what attribute rules give to one person of a directory."""
    return _granted(((rule, {} if match_user(rule, attributes, directory) else None) for rule in rules), tree)


def _granted(matched: Iterable[tuple[Rule, dict[str, str] | None]], tree: Tree) -> Granted:
    grants: list[RuleGrant] = []
    unmapped: list[Unmapped] = []
    for rule, captures in matched:
        if captures is None:
            continue
        scope = resolve(rule, captures, tree)
        if isinstance(scope, Unmapped):
            unmapped.append(scope)
        else:
            grants.append(RuleGrant(rule.name, rule.priority, scope, rule.api_role, rule.kubernetes_role))
    return Granted(tuple(grants), tuple(unmapped))


def resolve(rule: Rule, captures: Mapping[str, str], tree: Tree) -> Scope | Unmapped:
    """Return the scope a rule names once captures are filled in; it must lie under the rule's parent."""
    used = {name: captures.get(name, "") for name in CAPTURE.findall(rule.scope)}
    for name, value in used.items():
        # A captured name is one name: it cannot climb the tree or start another path.
        if not value or "/" in value or ":" in value or "{" in value:
            return Unmapped(rule.name, f"the captured {name} {value!r} is not a name")
    text = CAPTURE.sub(lambda found: used[found.group(1)], rule.scope)
    scope = find_scope(text, tree)
    parent = find_scope(rule.parent, tree)
    if scope is None:
        return Unmapped(rule.name, f"there is no {text}")
    # What a name chooses lies below the parent and is never the parent itself: that would be more than was meant.
    above = tree.lineage(scope)[1 if used else 0 :]
    if parent is None or parent not in above:
        return Unmapped(rule.name, f"{text} does not lie under {rule.parent}")
    return scope


def find_scope(text: str, tree: Tree) -> Scope | None:
    """Return the scope that a text names (see `Rule`), or None when there is none in the tree."""
    kind, _, path = text.partition(":")
    match kind:
        case "organization":
            return tree.root if not path else None
        case "unit":
            unit = _unit_at(path.split("/"), tree)
            return Scope(ScopeKind.UNIT, unit) if unit else None
        case "project":
            project = _project_named(path, tree)
            return Scope(ScopeKind.PROJECT, project) if project else None
        case "cluster":
            found = next((each.id for each in tree.clusters.values() if each.name == path), None)
            return Scope(ScopeKind.CLUSTER, found) if found else None
        case "service":
            return _service_at(path, tree)
    return None


def _unit_at(names: list[str], tree: Tree) -> UnitId | None:
    place: UnitId | None = None
    for name in names:
        place = next((u.id for u in tree.units.values() if u.parent_id == place and u.name == name), None)
        if place is None:
            return None
    return place


def _project_named(name: str, tree: Tree) -> ProjectId | None:
    return next((project.id for project in tree.projects.values() if project.name == name), None)


def _service_at(path: str, tree: Tree) -> Scope | None:
    project, _, name = path.partition("/")
    owner = _project_named(project, tree)
    found = next((s.id for s in tree.services.values() if s.project_id == owner and s.name == name), None)
    return Scope(ScopeKind.SERVICE, found) if found else None
