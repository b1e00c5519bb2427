"""Use cases of rule sets: make an organization's mapping rules those of a document; show them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.mapping import CAPTURE, Rule, RuleDiff, RuleSet, find_scope
from scim_bridge.domain.organizations import OrganizationId, Scope, Tree
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import Invalid
from scim_bridge.identity.authority import require_grantable
from scim_bridge.identity.mapping import (
    Evaluation,
    UnmappedGroup,
    Wanted,
    rule_of,
    rules_changed,
    rules_replaced,
    unmapped,
)
from scim_bridge.identity.names import the_organization
from scim_bridge.store import directories, grants, rules
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import OpenOrigin
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rules import RuleSetVersion, StoredRule
from scim_bridge.store.tree import read_tree

WRITING = "organization:rules:write"


@dataclass(frozen=True, slots=True)
class RulesApplied:
    """What applying a rule document did; ``version`` is the rule set in force, 0 before the first."""

    version: int
    diff: RuleDiff
    gained: int = 0
    lost: int = 0
    unmapped: tuple[UnmappedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """An organization's rules as they are now, and whom they match and cannot map."""

    version: RuleSetVersion | None
    rules: tuple[Rule, ...]
    unmapped: tuple[UnmappedGroup, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A rule set beside the one in force: which rules end and start, and what those give to whom.

    ``unmapped`` are those whom starting rules match and can give nothing to. Nothing is written yet.
    """

    version: RuleSetVersion | None
    newer: RuleSet
    diff: RuleDiff
    ending: list[StoredRule]
    starting: list[StoredRule]
    wanted: Wanted
    held: list[OpenOrigin]
    unmapped: tuple[UnmappedGroup, ...]


def apply(
    database: Database, actor: Actor, organization: str, document: Mapping[str, object], request_id: str | None = None
) -> RulesApplied:
    """
    Make the organization's rules those of a document, and the grants what they say, in one transaction.

    The same document again writes nothing. Raises Invalid, with the place, for a document that cannot be applied:
    then nothing has changed. What a rule no longer gives is an inferred removal: the brake counts it.
    """
    newer = parse_rules(document)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        lock_for_rules(connection, owner.id, exclusive=True)
        change = new_change(owner.id, actor, "rules.applied", now(), request_id)
        prepared = prepare(connection, owner.id, newer)
        require_writable(connection, actor, owner.id, prepared)
        done = put_into_force(connection, change, prepared)
        return replace(done, unmapped=tuple(unmapped(connection, owner.id)))


def in_force(database: Database, organization: str) -> RulesInForce:
    """Return the organization's rules."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return RulesInForce(
            rules.current_rule_set(connection, owner.id),
            parsed(rules.rules_in_force(connection, owner.id)).rules,
            tuple(unmapped(connection, owner.id)),
        )


def prepare(connection: Connection, organization_id: OrganizationId, newer: RuleSet) -> Prepared:
    """
    Return what it would take to put a rule set into force; the caller holds the exclusive lock.

    Raises Invalid for a rule whose directory or fixed places do not exist.
    """
    _check_places(connection, organization_id, newer)
    present = rules.rules_in_force(connection, organization_id)
    diff = parsed(present).diff(newer)
    # A rule that says the same keeps its row, so its grants keep their "since".
    ended = {rule.name for rule in diff.removed} | {old.name for old, _ in diff.changed}
    ending = [each for each in present if each.name in ended]
    names = {each.name: each.id for each in directories.list_directories(connection, organization_id)}
    starting = [
        StoredRule(new_id(), names[rule.directory], rule.name, rule.match.kind.value, rule.priority, rule.canonical)
        for rule in (*diff.added, *(new for _, new in diff.changed))
    ]
    evaluation = Evaluation(connection, organization_id)
    wanted = evaluation.of_rules(starting)
    held = grants.origins_of_rules(connection, (each.id for each in ending))
    version = rules.current_rule_set(connection, organization_id)
    return Prepared(version, newer, diff, ending, starting, wanted, held, tuple(evaluation.unmapped))


def put_into_force(connection: Connection, change: Change, prepared: Prepared) -> RulesApplied:
    """Make a prepared rule set the version in force, unless it says what the present one says."""
    version, diff = prepared.version, prepared.diff
    if diff.is_empty:
        return RulesApplied(version.version if version else 0, diff)
    add_change(connection, change, f"{len(diff.added)} added, {len(diff.changed)} changed, {len(diff.removed)} removed")
    text = prepared.newer.canonical
    made = rules.insert_rule_set(connection, change, text, digest_of(text))
    rules.end_rules(connection, change, (each.id for each in prepared.ending))
    rules.insert_rules(connection, change, made.id, prepared.starting)
    gained, lost = rules_replaced(connection, change, prepared.wanted, prepared.held)
    add_audit(connection, change, change.kind, "rule_set", made.id, _detail(made.version, diff, gained, lost))
    return RulesApplied(made.version, diff, gained, lost)


def digest_of(text: str) -> str:
    """Return the digest of a rule set's canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def follow_move(connection: Connection, change: Change, *moved: tuple[str, str]) -> None:
    """
    Let rules that name a place, or one in it, name it as it is called now, and look at all of them again.

    ``moved`` are the texts of scopes, old and new: ``unit:a/b`` and ``unit:b``.
    """
    present = rules.rules_in_force(connection, change.organization_id)
    followed = RuleSet(tuple(_moved(rule, moved) for rule in parsed(present).rules))
    if parsed(present).diff(followed).is_empty:
        rules_changed(connection, change, present)
        return
    text = followed.canonical
    made = rules.insert_rule_set(connection, change, text, digest_of(text))
    rules.end_rules(connection, change, (each.id for each in present))
    starting = [
        replace(each, id=new_id(), definition=rule.canonical)
        for each, rule in zip(present, followed.rules, strict=True)
    ]
    rules.insert_rules(connection, change, made.id, starting)
    rules_changed(connection, change, [*present, *starting])


def rules_naming(connection: Connection, organization_id: OrganizationId, place: str) -> list[str]:
    """Return the names of the rules whose scope or parent is this very place."""
    present = parsed(rules.rules_in_force(connection, organization_id)).rules
    return sorted(rule.name for rule in present if place in (rule.scope, rule.parent))


def _moved(rule: Rule, moved: tuple[tuple[str, str], ...]) -> Rule:
    return replace(rule, scope=_followed(rule.scope, moved), parent=_followed(rule.parent, moved))


def _followed(text: str, moved: tuple[tuple[str, str], ...]) -> str:
    for old, new in moved:
        if text == old or text.startswith(f"{old}/"):
            return f"{new}{text.removeprefix(old)}"
    return text


def require_writable(connection: Connection, actor: Actor, organization_id: OrganizationId, prepared: Prepared) -> None:
    """Raise Refused for whoever may not write these rules: nobody writes one that gives what they do not hold."""
    if actor.is_trusted:
        return
    tree = read_tree(connection, organization_id)
    # A changed rule has one name before and after.
    concerned = (*parsed(prepared.ending).rules, *parsed(prepared.starting).rules)
    given = [(_reach(rule, tree), rule.api_role, rule.kubernetes_role) for rule in concerned]
    require_grantable(connection, actor, organization_id, given, asking=WRITING)


def _reach(rule: Rule, tree: Tree) -> Scope:
    """Return the least place that holds all at which a rule may give something."""
    fixed = None if CAPTURE.search(rule.scope) else find_scope(rule.scope, tree)
    return fixed or find_scope(rule.parent, tree) or tree.root


def _check_places(connection: Connection, organization_id: OrganizationId, newer: RuleSet) -> None:
    """Raise Invalid for a rule whose directory or fixed places do not exist: a typing error must not wait unseen."""
    names = {each.name for each in directories.list_directories(connection, organization_id)}
    tree = read_tree(connection, organization_id)
    for rule in newer.rules:
        if rule.directory not in names:
            raise Invalid(f"Rule {rule.name!r} names the directory {rule.directory!r}, which does not exist.")
        for key, text in (("scope", rule.scope), ("parent", rule.parent)):
            if not CAPTURE.search(text) and find_scope(text, tree) is None:
                raise Invalid(f"Rule {rule.name!r} names {text} as its {key}, which does not exist.", field=key)
        _check_parent(rule, tree)


def _check_parent(rule: Rule, tree: Tree) -> None:
    scope, parent = find_scope(rule.scope, tree), find_scope(rule.parent, tree)
    if not CAPTURE.search(rule.scope) and scope and parent not in tree.lineage(scope):
        raise Invalid(f"Rule {rule.name!r}: {rule.scope} does not lie under its parent {rule.parent}.", field="parent")


def parsed(stored: Iterable[StoredRule]) -> RuleSet:
    """Return the rules of rows."""
    return RuleSet(tuple(rule_of(each.definition) for each in stored))


def _detail(version: int, diff: RuleDiff, gained: int, lost: int) -> dict[str, object]:
    return {
        "version": version,
        "added": [rule.definition for rule in diff.added],
        "removed": [rule.definition for rule in diff.removed],
        "changed": [{"old": old.definition, "new": new.definition} for old, new in diff.changed],
        "grants_gained": gained,
        "grants_lost": lost,
    }
