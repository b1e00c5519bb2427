"""
What rules would do for one person: every rule that was tried, why it matched or did not, and what became of it.

The decision itself is `domain.access`'s, on grants that are made up here exactly as rules make them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from scim_bridge.domain.access import (
    Grant,
    GrantId,
    Origin,
    OriginKind,
    standing_api_grants,
    strongest_kubernetes_role,
)
from scim_bridge.domain.mapping import (
    GroupFacts,
    MatchKind,
    Rule,
    Unmapped,
    attribute_values,
    match_group,
    match_user,
    resolve,
)
from scim_bridge.domain.organizations import Scope, Tree
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.roles import KubernetesRole

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """
    What rules may look at in one person.

    ``groups`` are all groups they are in, by others too; ``attributes`` what each directory says of them, by its name.
    """

    member_id: MemberId
    groups: tuple[GroupFacts, ...] = ()
    attributes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a role that a rule gives; ``rules`` are those that shadow it or are tied with it."""

    axis: str
    role: str
    verdict: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """
    One rule held against one person.

    ``through`` is the group or attribute that matched; ``why`` says what matched, or why nothing did or nothing could
    be granted. ``scope`` is the place that the rule's scope resolved to.
    """

    rule: Rule
    matched: bool
    why: str
    through: str = ""
    captures: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """Every rule that was tried, in the order of priority and name, and the grants that came of it."""

    tried: tuple[Tried, ...]
    grants: tuple[Grant, ...]


def try_rules(
    rules: Iterable[Rule],
    person: PersonFacts,
    tree: Tree,
    *,
    silent: Iterable[str] = (),
    others: Iterable[Grant] = (),
) -> Trace:
    """
    Hold every rule against a person.

    ``silent`` are directories that grant nothing yet; ``others`` are grants that no rule gave, which nothing shadows.
    """
    quiet = set(silent)
    tried = [
        each
        for rule in sorted(rules, key=lambda rule: (rule.priority, rule.name))
        for each in _try(rule, person, tree, quiet)
    ]
    made = {number: _grant(number, each, person.member_id) for number, each in enumerate(tried) if each.scope}
    judged = _judge([*made.values(), *others], {grant.id: number for number, grant in made.items()})
    return Trace(
        tuple(replace(each, outcomes=tuple(judged.get(number, ()))) for number, each in enumerate(tried)),
        tuple(made.values()),
    )


def _try(rule: Rule, person: PersonFacts, tree: Tree, silent: set[str]) -> list[Tried]:
    if rule.directory in silent:
        return [Tried(rule, matched=False, why=f"the directory {rule.directory} is pending: it grants nothing yet")]
    if rule.match.kind is MatchKind.ATTRIBUTE:
        return [_try_attribute(rule, person, tree)]
    found = []
    for group in person.groups:
        captures = match_group(rule, group)
        if captures is not None:
            found.append(_resolved(rule, f"group {group.display_name}", captures, tree))
    return found or [Tried(rule, matched=False, why=_why_no_group(rule, person))]


def _try_attribute(rule: Rule, person: PersonFacts, tree: Tree) -> Tried:
    attributes = person.attributes.get(rule.directory)
    path = rule.match.text
    if attributes is None:
        return Tried(rule, matched=False, why=f"the person does not come from the directory {rule.directory}")
    values = attribute_values(attributes, path)
    if match_user(rule, attributes, rule.directory):
        return _resolved(rule, f"{path} = {', '.join(values)}", {}, tree)
    wanted = " or ".join(rule.match.values)
    why = f"{path} is {', '.join(values)}, not {wanted}" if values else f"there is no {path}"
    return Tried(rule, matched=False, why=why)


def _resolved(rule: Rule, through: str, captures: Mapping[str, str], tree: Tree) -> Tried:
    place = resolve(rule, captures, tree)
    if isinstance(place, Unmapped):
        return Tried(rule, matched=True, why=f"it matches, but {place.reason}", through=through, captures=captures)
    return Tried(rule, matched=True, why="it matches", through=through, captures=captures, scope=place)


def _why_no_group(rule: Rule, person: PersonFacts) -> str:
    of_directory = [group for group in person.groups if group.directory == rule.directory]
    if not of_directory:
        return f"the person is in no group of the directory {rule.directory}"
    words = {
        MatchKind.GROUP_ID: "has the id",
        MatchKind.GROUP: "is called",
        MatchKind.GROUP_PREFIX: "begins with",
        MatchKind.GROUP_PATTERN: "matches the pattern",
    }
    named = ", ".join(sorted(group.display_name for group in of_directory)[:MOST_NAMED])
    return f"none of the person's groups of {rule.directory} {words[rule.match.kind]} {rule.match.text!r}: {named}"


def _grant(number: int, tried: Tried, member_id: MemberId) -> Grant:
    rule = tried.rule
    assert tried.scope is not None
    return Grant(
        GrantId(f"rule-{number}"),
        tried.scope,
        member_id,
        api_role=rule.api_role,
        kubernetes_role=rule.kubernetes_role,
        origins=(Origin(OriginKind.RULE, rule.name, rule.priority),),
    )


def _judge(grants: list[Grant], numbers: Mapping[GrantId, int]) -> dict[int, list[Outcome]]:
    found: dict[int, list[Outcome]] = {}
    by_scope: dict[Scope, list[Grant]] = {}
    for grant in grants:
        by_scope.setdefault(grant.scope, []).append(grant)
    for spoken in by_scope.values():
        for grant, outcome in (*_judge_api(spoken), *_judge_kubernetes(spoken)):
            if grant.id in numbers:
                found.setdefault(numbers[grant.id], []).append(outcome)
    return found


def _judge_api(spoken: list[Grant]) -> list[tuple[Grant, Outcome]]:
    axis = [grant for grant in spoken if grant.api_role is not None]
    standing = {grant.id for grant in standing_api_grants(axis)}
    return [(each, _outcome("api", each.api_role or "", each, axis, stands=each.id in standing)) for each in axis]


def _judge_kubernetes(spoken: list[Grant]) -> list[tuple[Grant, Outcome]]:
    axis = [grant for grant in spoken if grant.kubernetes_role is not None]
    role, _ = strongest_kubernetes_role(axis)
    found = []
    for each in axis:
        wanted = each.kubernetes_role or KubernetesRole.NONE
        stands = wanted is role and _priority(each) == _lowest(axis)
        found.append((each, _outcome("kubernetes", wanted.value, each, axis, stands=stands)))
    return found


def _outcome(axis: str, role: str, grant: Grant, spoken: list[Grant], *, stands: bool) -> Outcome:
    lowest, mine = _lowest(spoken), _priority(grant)
    own = {origin.rule for origin in grant.origins}
    if mine != lowest:
        above = [name for other in spoken if _priority(other) == lowest for name in _rules(other)]
        return Outcome(axis, role, f"shadowed by a rule of priority {lowest}", tuple(sorted(set(above))))
    equals = [
        other
        for other in spoken
        if _priority(other) == mine and _role(other, axis) != role and not own & set(_rules(other))
    ]
    tied = tuple(sorted({name for other in equals for name in _rules(other)}))
    if stands:
        return Outcome(axis, role, f"stands: the strongest of priority {mine}" if tied else "stands", tied)
    if tied:
        return Outcome(axis, role, f"weaker than another rule of priority {mine}", tied)
    return Outcome(axis, role, "a stronger role is granted at the same scope otherwise")


def _role(grant: Grant, axis: str) -> str | None:
    if axis == "api":
        return grant.api_role
    return grant.kubernetes_role.value if grant.kubernetes_role else None


def _rules(grant: Grant) -> list[str]:
    return [origin.rule for origin in grant.origins if origin.rule is not None]


def _priority(grant: Grant) -> int | None:
    return next((origin.priority for origin in grant.origins if origin.kind is OriginKind.RULE), None)


def _lowest(spoken: Iterable[Grant]) -> int | None:
    return min((found for each in spoken if (found := _priority(each)) is not None), default=None)


def without_rules(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return the grants that would be there if no rule gave any."""
    found = []
    for grant in grants:
        kept = tuple(origin for origin in grant.origins if origin.kind not in (OriginKind.RULE, OriginKind.DEFAULT))
        if kept:
            found.append(replace(grant, origins=kept))
    return tuple(found)


def with_attribute(document: Mapping[str, object], path: str, value: str) -> dict[str, object]:
    """Return a person's document in which the only value at an attribute path is this one."""
    found = {key: dict(each) if isinstance(each, Mapping) else each for key, each in document.items()}
    urn, colon, name = path.rpartition(":")
    bare = name.split(".")[0].lower()
    for key in list(found):
        inner = found[key]
        if key.lower() == bare:
            del found[key]
        elif key.lower().startswith("urn:") and isinstance(inner, dict):
            found[key] = {attribute: each for attribute, each in inner.items() if attribute.lower() != bare}
    first, _, rest = name.partition(".")
    leaf: object = {rest: value} if rest else value
    if not colon:
        return {**found, first: leaf}
    holder = next((key for key in found if key.lower() == urn.lower()), urn)
    inside = found.get(holder)
    return {**found, holder: {**(inside if isinstance(inside, dict) else {}), first: leaf}}
