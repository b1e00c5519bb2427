"""Find rules that do nothing, or not what whoever wrote them will have meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scim_bridge.domain.mapping import (
    CAPTURE,
    GroupFacts,
    MatchKind,
    Rule,
    Unmapped,
    find_scope,
    match_group,
    match_user,
    resolve,
)
from scim_bridge.domain.organizations import Scope, Tree
from scim_bridge.domain.rule_files import privilege_of


class Flaw(StrEnum):
    """What is wrong with a rule."""

    NO_SUCH_DIRECTORY = "no_such_directory"
    NO_SUCH_GROUP = "no_such_group"
    MATCHES_NOBODY = "matches_nobody"
    SHADOWED = "shadowed"
    DUPLICATE = "duplicate"
    SCOPE_GONE = "scope_gone"
    SCOPE_MISSING = "scope_missing"
    PRIVILEGED = "privileged"
    NEEDLESS_PERMISSION = "needless_permission"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One flaw of one rule, in a sentence; ``other`` is the rule that it has to do with."""

    rule: str
    flaw: Flaw
    message: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Directories:
    """
    What directories have that rules may match.

    ``peopled`` are the ids of groups with an active person in them or below; ``users`` are what each person's
    directory says of them.
    """

    groups: Mapping[str, tuple[GroupFacts, ...]] = field(default_factory=dict)
    peopled: frozenset[str] = frozenset()
    users: Mapping[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)


Places = dict[tuple[str, Scope], None]
"""To whom a rule gives something and where: (group, scope), in a stable order."""


def lint(rules: Iterable[Rule], known: Directories, tree: Tree) -> list[Finding]:
    """Return what is wrong, in the order of rules' names."""
    every = sorted(rules, key=lambda rule: rule.name)
    found: list[Finding] = []
    places: dict[str, Places] = {}
    for rule in every:
        places[rule.name] = {}
        found += [*_privilege(rule), *_scope(rule, tree)]
        if rule.directory not in known.groups:
            message = f"there is no directory {rule.directory!r}"
            found.append(Finding(rule.name, Flaw.NO_SUCH_DIRECTORY, message))
        elif rule.match.kind is MatchKind.ATTRIBUTE:
            found += _people(rule, known)
        else:
            found += _groups(rule, known, tree, places[rule.name])
    found += _duplicates(every)
    found += _shadowed(every, places, {each.rule for each in found if each.flaw is Flaw.DUPLICATE})
    return sorted(found)


def _privilege(rule: Rule) -> list[Finding]:
    reason = privilege_of(rule)
    if reason and not rule.allow_privileged:
        message = f"it matches groups by name and {reason}: that needs allow_privileged"
        return [Finding(rule.name, Flaw.PRIVILEGED, message)]
    if rule.allow_privileged and not reason:
        return [Finding(rule.name, Flaw.NEEDLESS_PERMISSION, "it says allow_privileged and does nothing that needs it")]
    return []


def _scope(rule: Rule, tree: Tree) -> list[Finding]:
    return [
        Finding(rule.name, Flaw.SCOPE_GONE, f"its {key} is {text}, which does not exist")
        for key, text in (("scope", rule.scope), ("parent", rule.parent))
        if not CAPTURE.search(text) and find_scope(text, tree) is None
    ]


def _people(rule: Rule, known: Directories) -> list[Finding]:
    users = known.users.get(rule.directory, ())
    if any(match_user(rule, attributes, rule.directory) for attributes in users):
        return []
    wanted = " or ".join(rule.match.values)
    message = f"nobody of {rule.directory} has {wanted} as {rule.match.text}"
    return [Finding(rule.name, Flaw.MATCHES_NOBODY, message)]


def _groups(rule: Rule, known: Directories, tree: Tree, places: Places) -> list[Finding]:
    matched = [
        (group, captures)
        for group in known.groups[rule.directory]
        if (captures := match_group(rule, group)) is not None
    ]
    if not matched:
        message = f"no group of {rule.directory} matches {rule.match.kind.value} {rule.match.text!r}"
        return [Finding(rule.name, Flaw.NO_SUCH_GROUP, message)]
    found = []
    for group, captures in matched:
        place = resolve(rule, captures, tree)
        if not isinstance(place, Unmapped):
            places[group.id, place] = None
        elif CAPTURE.search(rule.scope):
            message = f"the group {group.display_name} leads nowhere: {place.reason}"
            found.append(Finding(rule.name, Flaw.SCOPE_MISSING, message))
    if not any(group.id in known.peopled for group, _ in matched):
        message = f"nobody is in {', '.join(sorted(group.display_name for group, _ in matched))}"
        found.append(Finding(rule.name, Flaw.MATCHES_NOBODY, message))
    return found


def _duplicates(rules: list[Rule]) -> list[Finding]:
    seen: dict[tuple[object, ...], str] = {}
    found = []
    for rule in rules:
        key = (
            rule.directory,
            rule.match.identity,
            rule.scope,
            rule.parent,
            rule.priority,
            rule.api_role,
            rule.kubernetes_role,
        )
        first = seen.setdefault(key, rule.name)
        if first != rule.name:
            message = f"it says what the rule {first!r} says already"
            found.append(Finding(rule.name, Flaw.DUPLICATE, message, first))
    return found


def _shadowed(rules: list[Rule], places: Mapping[str, Places], duplicates: set[str]) -> list[Finding]:
    """Find rules that, wherever they give something, are beaten on each axis by a rule of lower priority number."""
    best: dict[tuple[str, Scope, str], Rule] = {}
    for rule in rules:
        for group, scope in places[rule.name]:
            for axis in _axes(rule):
                strongest = best.setdefault((group, scope, axis), rule)
                if rule.priority < strongest.priority:
                    best[group, scope, axis] = rule
    found = []
    for rule in rules:
        beaten_by = [best[group, scope, axis] for group, scope in places[rule.name] for axis in _axes(rule)]
        if beaten_by and rule.name not in duplicates and all(each.priority < rule.priority for each in beaten_by):
            names = sorted({each.name for each in beaten_by})
            message = f"whatever it gives, a rule of a lower priority number gives instead: {', '.join(names)}"
            found.append(Finding(rule.name, Flaw.SHADOWED, message, names[0]))
    return found


def _axes(rule: Rule) -> list[str]:
    given = (("api", rule.api_role), ("kubernetes", rule.kubernetes_role))
    return [axis for axis, role in given if role is not None]
