"""Read a rule file (TOML or YAML, already a plain dict) into rules; every mistake is one sentence with its place."""

import re
from collections.abc import Mapping

from scim_bridge.domain.mapping import CAPTURE, Match, MatchKind, Rule, RuleSet
from scim_bridge.domain.organizations import MAX_UNIT_DEPTH
from scim_bridge.domain.patterns import check_pattern
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Invalid

VERSION = 1
MAX_RULES = 5000
_KEYS = {
    "name", "directory", "scope", "parent", "priority", "api_role", "kubernetes_role", "allow_privileged",
    *(kind.value for kind in MatchKind),
}  # fmt: skip
_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9_. ]{0,62}")
# The names of a scope: no colon, no blank at an end, and braces only around the name of a capture.
_SCOPE_NAME = re.compile(r"(?:[^:/{}\s]|\{[a-z_][a-z0-9_]*\}|(?<=[^/\s]) +(?=[^/\s]))+")
_NAMES_OF = {
    "organization": (0, 0),
    "unit": (1, MAX_UNIT_DEPTH),
    "project": (1, 1),
    "service": (2, 2),
    "cluster": (1, 1),
}
_PRIVILEGED_ROLES = (ApiRole.ADMIN, ApiRole.OWNER)


def parse_rules(document: Mapping[str, object], *, refuse_privileged: bool = True) -> RuleSet:
    """
    Return the rules of a document; raises Invalid, whose ``field`` is like ``rules[3].scope``.

    ``refuse_privileged`` False lets rules through that would need ``allow_privileged``: only to look at them.
    """
    unknown = sorted(str(key) for key in document if key not in ("version", "rules", "rule"))
    if unknown:
        raise Invalid(f"A rule file has no key {unknown[0]!r}; it has version and rules.", field=unknown[0])
    version = document.get("version", VERSION)
    if isinstance(version, bool) or version != VERSION:
        raise Invalid(f"This release reads rule files of version {VERSION}.", field="version")
    rows = document.get("rules", document.get("rule", []))
    if "rule" in document and "rules" in document:
        raise Invalid("A rule file has one list: rule or rules, not both.", field="rule")
    if not isinstance(rows, list) or len(rows) > MAX_RULES:
        raise Invalid(f"rules must be a list of at most {MAX_RULES} rules.", field="rules")
    rules = tuple(_parse_rule(row, f"rules[{number}]") for number, row in enumerate(rows))
    if refuse_privileged:
        for number, rule in enumerate(rules):
            _check_privilege(rule, f"rules[{number}]")
    _refuse_duplicates(rules)
    _refuse_ties(rules)
    return RuleSet(rules)


def _parse_rule(row: object, place: str) -> Rule:
    if not isinstance(row, Mapping):
        raise Invalid(f"{place} must be a table of keys.", field=place)
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise Invalid(f"{place} has an unknown key {unknown[0]!r}.", field=f"{place}.{unknown[0]}")
    match = _parse_match(row, place)
    rule = Rule(
        name=_name(row, place),
        directory=_text(row, "directory", place),
        match=match,
        scope=_scope(row, "scope", place),
        priority=_priority(row, place),
        parent=_scope(row, "parent", place) if "parent" in row else "organization",
        api_role=_api_role(row, place),
        kubernetes_role=_kubernetes_role(row, place),
        allow_privileged=_flag(row, "allow_privileged", place),
    )
    _check_rule(rule, place)
    return rule


def _parse_match(row: Mapping[str, object], place: str) -> Match:
    given = [kind for kind in MatchKind if kind.value in row]
    if len(given) != 1:
        words = ", ".join(kind.value for kind in MatchKind)
        raise Invalid(f"{place} must have exactly one of {words}.", field=place)
    kind = given[0]
    if kind is MatchKind.ATTRIBUTE:
        return _parse_attribute(row[kind.value], f"{place}.attribute")
    text = _text(row, kind.value, place)
    if kind is MatchKind.GROUP_PATTERN:
        check_pattern(text, f"{place}.group_pattern")
    return Match(kind, text)


def _parse_attribute(value: object, place: str) -> Match:
    if not isinstance(value, Mapping) or set(value) not in ({"path", "equals"}, {"path", "one_of"}):
        raise Invalid(f"{place} must have a path and either equals or one_of.", field=place)
    values = value.get("one_of", [value.get("equals")])
    if not isinstance(values, list) or not values or not all(isinstance(each, str) and each for each in values):
        raise Invalid(f"{place} needs equals (a text) or one_of (a list of texts).", field=place)
    return Match(MatchKind.ATTRIBUTE, _text(value, "path", place), tuple(values))


def _check_rule(rule: Rule, place: str) -> None:
    if rule.api_role is None and rule.kubernetes_role is None:
        raise Invalid(f"{place} gives nothing: name an api_role, a kubernetes_role or both.", field=place)
    is_pattern = rule.match.kind is MatchKind.GROUP_PATTERN
    captured = check_pattern(rule.match.text) if is_pattern else frozenset()
    for name in CAPTURE.findall(rule.scope):
        if name not in captured:
            raise Invalid(f"{place}.scope uses {{{name}}}, which nothing captures.", field=f"{place}.scope")
    if CAPTURE.search(rule.parent):
        raise Invalid(f"{place}.parent must be fixed: a capture cannot choose it.", field=f"{place}.parent")
    kind = rule.scope.partition(":")[0]
    if kind in ("project", "service") and rule.kubernetes_role is KubernetesRole.CLUSTER_ADMIN:
        raise Invalid(f"{place}: cluster-admin is not grantable at a project or service.", field=f"{place}.scope")


def privilege_of(rule: Rule) -> str | None:
    """
    Return why a rule gives power by a name that anybody at the IdP may be able to give a group; None: it does not.

    Cross-unit means: the organization itself, or a unit that the group's name chooses.
    """
    if rule.match.kind in (MatchKind.GROUP_ID, MatchKind.ATTRIBUTE):
        return None
    if rule.kubernetes_role is KubernetesRole.CLUSTER_ADMIN or rule.api_role in _PRIVILEGED_ROLES:
        return "gives admin rights"
    if rule.scope == "organization":
        return "reaches the whole organization"
    if rule.scope.startswith("unit:") and CAPTURE.search(rule.scope):
        return "lets a group's name choose the unit"
    return None


def _check_privilege(rule: Rule, place: str) -> None:
    reason = None if rule.allow_privileged else privilege_of(rule)
    if reason:
        raise Invalid(
            f"{place} matches groups by name and {reason}: whoever may name a group at the IdP could take that. "
            "Match by group_id, or say allow_privileged = true.",
            field=f"{place}.allow_privileged",
        )


def _refuse_duplicates(rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in seen:
            raise Invalid(f"Two rules are called {rule.name!r}.", field=f"rules[{number}].name")
        seen.add(rule.name)


def _refuse_ties(rules: tuple[Rule, ...]) -> None:
    """Refuse two rules that match the same, at one scope and priority, with different roles on one axis."""
    seen: dict[tuple[object, ...], tuple[str, object]] = {}
    for number, rule in enumerate(rules):
        for axis, role in (("api", rule.api_role), ("kubernetes", rule.kubernetes_role)):
            if role is None:
                continue
            key = (rule.directory, rule.match.identity, rule.scope, rule.priority, axis)
            first, held = seen.setdefault(key, (rule.name, role))
            if held != role:
                raise Invalid(
                    f"The rules {first!r} and {rule.name!r} match the same people at the same scope and priority "
                    "but give different roles: give them different priorities.",
                    field=f"rules[{number}].priority",
                )


def _text(row: Mapping[str, object], key: str, place: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 1024 or not value.isprintable():
        raise Invalid(f"{place}.{key} must be a text.", field=f"{place}.{key}")
    return value


def rule_name(name: str, place: str) -> str:
    """Return a name that a rule or a draft may have; raises Invalid for another."""
    if not _NAME.fullmatch(name):
        raise Invalid(f"{place} must be letters, digits, blanks, - _ . and at most 63.", field=place)
    return name


def _name(row: Mapping[str, object], place: str) -> str:
    return rule_name(_text(row, "name", place), f"{place}.name")


def _scope(row: Mapping[str, object], key: str, place: str) -> str:
    text = _text(row, key, place)
    if not _is_scope(text):
        raise Invalid(
            f"{place}.{key} must be organization, unit:PATH, project:NAME, service:PROJECT/NAME or cluster:NAME.",
            field=f"{place}.{key}",
        )
    if key == "parent" and text.partition(":")[0] not in ("organization", "unit"):
        raise Invalid(f"{place}.parent must be organization or unit:PATH.", field=f"{place}.parent")
    return text


def _is_scope(text: str) -> bool:
    kind, colon, path = text.partition(":")
    names = path.split("/") if colon else []
    fewest, most = _NAMES_OF.get(kind, (1, 0))
    return fewest <= len(names) <= most and all(_SCOPE_NAME.fullmatch(name) for name in names)


def _priority(row: Mapping[str, object], place: str) -> int:
    value = row.get("priority", 100)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise Invalid(f"{place}.priority must be a whole number; the lowest wins.", field=f"{place}.priority")
    return value


def _flag(row: Mapping[str, object], key: str, place: str) -> bool:
    value = row.get(key, False)
    if not isinstance(value, bool):
        raise Invalid(f"{place}.{key} must be true or false.", field=f"{place}.{key}")
    return value


def _api_role(row: Mapping[str, object], place: str) -> str | None:
    if row.get("api_role") is None:
        return None
    role = _text(row, "api_role", place)
    if role == ApiRole.OWNER:
        raise Invalid(f"{place}: owner is never given by a rule.", field=f"{place}.api_role")
    if role not in set(ApiRole):
        raise Invalid(f"{place}: there is no API role {role!r}.", field=f"{place}.api_role")
    return role


def _kubernetes_role(row: Mapping[str, object], place: str) -> KubernetesRole | None:
    if row.get("kubernetes_role") is None:
        return None
    role = _text(row, "kubernetes_role", place)
    if role == "inherit":
        raise Invalid(
            f"{place}: there is no Kubernetes role to inherit: leave the key out; none means explicitly nothing.",
            field=f"{place}.kubernetes_role",
        )
    if role not in set(KubernetesRole):
        words = ", ".join(KubernetesRole)
        raise Invalid(
            f"{place}: there is no Kubernetes role {role!r}; there are {words}.", field=f"{place}.kubernetes_role"
        )
    return KubernetesRole(role)
