"""
Use cases of what-if: hold the rules in force, a version or a draft against one person, real, changed or made up.

Nothing is written, and nothing is locked: what is shown is what access would be decided to be, by the same functions.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from scim_bridge.domain.access import Grant, OriginKind, Snapshot, Step, Verdict, api_roles, cluster_role
from scim_bridge.domain.default_roles import with_defaults
from scim_bridge.domain.desired import desired_families
from scim_bridge.domain.mapping import GroupFacts, Rule, RuleSet
from scim_bridge.domain.organizations import Cluster, Scope
from scim_bridge.domain.people import DirectoryState, GroupId, Member, MemberId, MemberState, groups_above
from scim_bridge.domain.what_if import Outcome, PersonFacts, Trace, Tried, try_rules, with_attribute, without_rules
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.names import scope_text, the_group, the_member, the_organization
from scim_bridge.identity.rule_changes import Wish
from scim_bridge.identity.rules import parsed
from scim_bridge.store import directories, rules
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.organizations import Organization
from scim_bridge.store.snapshot import defaults_for, parents_of_groups, read_members, reread_grants

# Every field has a value, so that every subject template has one.
SOMEBODY = Member(MemberId("somebody"), MemberState.ACTIVE, "somebody", "somebody", "somebody")
MOST_GROUPS = 1000

ScopeText = Callable[[Scope], str]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Whom rules are held against.

    A ``person`` who is there, with ``groups`` more, ``without`` others and ``attributes`` changed; or, without a
    person, somebody of a ``directory`` who has just these groups and attributes. A group that does not exist is taken
    as one of that directory.
    """

    person: str | None = None
    directory: str | None = None
    groups: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TriedView:
    """One rule that was tried, in words."""

    rule: str
    priority: int
    directory: str
    condition: str
    matched: bool
    why: str
    through: str
    captures: Mapping[str, str]
    scope: str | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class GrantedView:
    """One grant that the person would have, and where it comes from."""

    scope: str
    api_role: str | None
    kubernetes_role: str | None
    origin: str


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What the person would have on one cluster; ``scope`` is the place that decided."""

    cluster: str
    subject: str | None
    role: str | None
    scope: str | None
    overruled: tuple[str, ...]
    namespaces: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The whole answer."""

    person: str
    groups: tuple[str, ...]
    tried: tuple[TriedView, ...]
    grants: tuple[GrantedView, ...]
    api_roles: Mapping[str, tuple[str, ...]]
    clusters: tuple[ClusterView, ...]
    notes: tuple[str, ...] = ()


def what_if(database: Database, organization: str, asked: Asked, wish: Wish | None = None) -> WhatIf:
    """
    Return what rules would do for one person; ``wish`` None takes the rules in force.

    Raises NotFound for a person, group or directory that is not there, and Invalid for a question without anybody.
    """
    if asked.person is None and asked.directory is None:
        raise Invalid("Name a person, or the directory of somebody who is made up.", field="directory")
    if len(asked.groups) > MOST_GROUPS or len(asked.attributes) > MOST_GROUPS:
        raise Invalid(f"At most {MOST_GROUPS} groups and attributes can be asked about.", field="groups")
    with database.read() as connection:
        owner = the_organization(connection, organization)
        wanted = _rules(connection, owner, wish)
        return _Question(connection, owner, asked).answer(wanted)


def _rules(connection: Connection, owner: Organization, wish: Wish | None) -> RuleSet:
    return wish(connection, owner.id) if wish else parsed(rules.rules_in_force(connection, owner.id))


class _Question:
    """One question, with all that is read for it."""

    def __init__(self, connection: Connection, owner: Organization, asked: Asked) -> None:
        self._connection = connection
        self._owner = owner
        self._asked = asked
        self._member = the_member(connection, owner.id, asked.person) if asked.person else SOMEBODY
        self._directories = {each.id: each for each in directories.list_directories(connection, owner.id)}
        self._at = now()
        self._snapshot = read_members(connection, owner.id, [self._member.id], self._at)
        if asked.directory is not None:
            self._directory(asked.directory)

    def answer(self, wanted: RuleSet) -> WhatIf:
        """Hold the rules against the person and decide."""
        stored, made_up = self._groups()
        facts = [*self._facts(stored), *made_up]
        person = PersonFacts(self._member.id, tuple(facts), self._attributes())
        silent = [each.name for each in self._directories.values() if each.state is DirectoryState.PENDING]
        others = without_rules(self._other_grants(stored))
        trace = try_rules(wanted.rules, person, self._snapshot.tree, silent=silent, others=others)
        return self._view(trace, self._decided(trace, others), facts)

    def _groups(self) -> tuple[set[GroupId], list[GroupFacts]]:
        direct = set(self._snapshot.groups_of.get(self._member.id, ()))
        made_up: list[GroupFacts] = []
        for named in self._asked.groups:
            found = self._group(named)
            if isinstance(found, GroupFacts):
                made_up.append(found)
            else:
                direct.add(found)
        for named in self._asked.without:
            direct.discard(the_group(self._connection, self._owner.id, named).id)
        parents = parents_of_groups(self._connection, self._owner.id, direct, self._at)
        above = groups_above(direct, parents)
        self._snapshot = reread_grants(self._connection, self._snapshot, self._at, [self._member.id], above)
        return above, made_up

    def _group(self, named: str) -> GroupId | GroupFacts:
        within = self._asked.directory
        try:
            return the_group(self._connection, self._owner.id, f"{within}/{named}" if within else named).id
        except NotFound:
            if within is None:
                raise
        return GroupFacts(named, named, self._directory(within).name, named)

    def _facts(self, group_ids: set[GroupId]) -> list[GroupFacts]:
        return [
            GroupFacts(each.id, each.name, self._directories[each.directory_id].name, each.external_id)
            if each.directory_id
            else GroupFacts(each.id, each.name, "", each.external_id)
            for each in rules.groups_to_match(self._connection, group_ids)
        ]

    def _attributes(self) -> dict[str, Mapping[str, object]]:
        found: dict[str, Mapping[str, object]] = {}
        if self._asked.person is None:
            found[self._directory(self._asked.directory or "").name] = {}
        else:
            for each in self._directories.values():
                for user in rules.users_to_match(self._connection, each.id, [self._member.id]):
                    found[each.name] = json.loads(user.document)
        only = self._asked.directory
        for name in found:
            if only is None or name == self._directory(only).name:
                for path, value in self._asked.attributes.items():
                    found[name] = with_attribute(found[name], path, value)
        return found

    def _directory(self, named: str) -> Directory:
        for each in self._directories.values():
            if named in (each.name, each.id):
                return each
        raise NotFound(f"There is no directory {named!r} in the organization {self._owner.slug}.")

    def _other_grants(self, group_ids: set[GroupId]) -> list[Grant]:
        own = self._snapshot.grants_of_member.get(self._member.id, ())
        of_groups = [g for group_id in sorted(group_ids) for g in self._snapshot.grants_of_group.get(group_id, ())]
        return [*own, *of_groups]

    def _decided(self, trace: Trace, others: tuple[Grant, ...]) -> Snapshot:
        """Return the moment at which the person has just these grants, and whatever the unmapped get."""
        grants = {self._member.id: (*trace.grants, *others)}
        alone = replace(
            self._snapshot,
            members={self._member.id: self._member},
            groups_of={},
            grants_of_member=grants,
            grants_of_group={},
        )
        return with_defaults(alone, defaults_for(self._connection, self._owner.id, [self._member.id], self._at))

    def _view(self, trace: Trace, decided: Snapshot, facts: list[GroupFacts]) -> WhatIf:
        grants = decided.grants_for(self._member.id)
        scopes = sorted({grant.scope for grant in grants if grant.api_role is not None})
        notes = []
        if self._member.state is not MemberState.ACTIVE:
            notes.append(f"the person is {self._member.state.value}: only active people have access")
        return WhatIf(
            self._member.user_name,
            tuple(sorted(f"{each.directory or 'by hand'}/{each.display_name}" for each in facts)),
            tuple(_tried(each, self._scope_text()) for each in trace.tried),
            tuple(_granted(grant, self._scope_text()) for grant in grants),
            {
                scope_text(decided.tree, scope): tuple(sorted(api_roles(decided.tree, scope, grants)))
                for scope in scopes
            },
            tuple(
                self._on(decided, cluster, grants)
                for cluster in sorted(decided.tree.clusters.values(), key=lambda each: each.name)
            ),
            tuple(notes),
        )

    def _on(self, decided: Snapshot, cluster: Cluster, grants: list[Grant]) -> ClusterView:
        decision = cluster_role(decided.tree, cluster.id, grants)
        subject, families = desired_families(decided, cluster.id, self._member.id)
        overruled = [step for step in decision.steps if step.verdict is not Verdict.STANDS]
        text = self._scope_text()
        return ClusterView(
            cluster.name,
            subject if self._asked.person else None,
            decision.role.value if decision.role else None,
            text(decision.scope) if decision.scope else None,
            tuple(_overruled(step, text) for step in overruled),
            {each.namespace: each.role.value for each in sorted(families, key=lambda f: f.sort_key) if each.namespace},
        )

    def _scope_text(self) -> ScopeText:
        return lambda scope: scope_text(self._snapshot.tree, scope)


def _tried(tried: Tried, text: ScopeText) -> TriedView:
    rule = tried.rule
    return TriedView(
        rule.name,
        rule.priority,
        rule.directory,
        condition_of(rule),
        tried.matched,
        tried.why,
        tried.through,
        dict(tried.captures),
        text(tried.scope) if tried.scope else None,
        tried.outcomes,
    )


def condition_of(rule: Rule) -> str:
    """Return in words what a rule matches."""
    if rule.match.values:
        return f"{rule.match.text} is {' or '.join(rule.match.values)}"
    return f"{rule.match.kind.value} {rule.match.text}"


def _granted(grant: Grant, text: ScopeText) -> GrantedView:
    role = grant.kubernetes_role.value if grant.kubernetes_role else None
    return GrantedView(text(grant.scope), grant.api_role, role, _origin(grant))


def _overruled(step: Step, text: ScopeText) -> str:
    grant = step.grant
    return f"{grant.kubernetes_role} at {text(grant.scope)} ({_origin(grant)}): {step.verdict.value}"


def _origin(grant: Grant) -> str:
    words = [f"rule {o.rule}" if o.kind is OriginKind.RULE else o.kind.value for o in grant.origins]
    return ", ".join(words)
