"""
Keep the grants that mapping rules give in step with rules, groups, people and the tree.

A group rule gives its grant to the group, an attribute rule to the person. Every matching rule adds an origin; which
of them stands is decided when access is decided (`domain.access.standing_grants`).
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.mapping import (
    GroupFacts,
    MatchKind,
    Rule,
    Unmapped,
    grants_for_group,
    grants_for_user,
    with_mapped,
)
from scim_bridge.domain.organizations import OrganizationId, Scope, Tree
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.store import directories, grants, rules
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.grants import GrantKey, OpenOrigin
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rules import MatchedGroup, MatchedUser, StoredRule
from scim_bridge.store.tree import read_tree

Wanted = dict[tuple[GrantKey, str], None]


@dataclass(frozen=True, slots=True)
class UnmappedGroup:
    """A group, or a person, that a rule matched and could give nothing to."""

    name: str
    directory: str
    rule: str
    reason: str


def groups_changed(connection: Connection, change: Change, group_ids: Iterable[GroupId]) -> None:
    """
    Give these groups the grants that rules now say, and take away those that none says any more.

    A removed group loses every grant, whatever its origin.
    """
    lock_for_rules(connection, change.organization_id, exclusive=False)
    found = rules.groups_to_match(connection, group_ids)
    present = [group for group in found if not group.removed and group.directory_id is not None]
    in_force = rules.rules_of_directories(
        connection, (group.directory_id for group in present if group.directory_id), for_people=False
    )
    wanted = Evaluation(connection, change.organization_id).of_groups(in_force, present)
    held = grants.origins_of_groups(connection, (group.id for group in found))
    gone = {group.id for group in found if group.removed}
    _reconcile(connection, change, wanted, [o for o in held if o.kind is OriginKind.RULE or o.key.group_id in gone])


def users_changed(
    connection: Connection, change: Change, scim_user_ids: Iterable[ScimUserId], *, locked: bool = False
) -> None:
    """
    Give the people behind these SCIM users what attribute rules now say, and take away what none says.

    ``locked``: the caller holds the rules already.
    """
    if not locked:
        lock_for_rules(connection, change.organization_id, exclusive=False)
    people = rules.people_behind(connection, scim_user_ids)
    evaluation = Evaluation(connection, change.organization_id)
    for directory_id in sorted({directory for directory, _ in people}):
        in_force = rules.rules_of_directories(connection, [directory_id], for_people=True)
        if not in_force:
            continue
        members = [member for directory, member in people if directory == directory_id]
        users = rules.users_to_match(connection, directory_id, members)
        concerned = {each.id for each in in_force}
        held = [o for o in grants.origins_of_members(connection, members) if o.rule_id in concerned]
        _reconcile(connection, change, evaluation.of_users(in_force, users), held)


def concerns_people(connection: Connection, directory_id: DirectoryId) -> bool:
    """
    Say whether a directory has rules that match people's attributes; for whoever holds the rules.

    Where it has none, `users_changed` has nothing to do for those it brings.
    """
    return bool(rules.rules_of_directories(connection, [directory_id], for_people=True))


def scopes_given_to(connection: Connection, directory_id: DirectoryId, member_id: MemberId) -> frozenset[Scope]:
    """Return the scopes at which a directory's attribute rules give a person a Kubernetes role."""
    concerned = {each.id for each in rules.rules_of_directories(connection, [directory_id], for_people=True)}
    held = grants.origins_of_members(connection, [member_id]) if concerned else []
    return frozenset(o.key.scope for o in held if o.rule_id in concerned and o.key.kubernetes_role is not None)


def rules_changed(connection: Connection, change: Change, changed: Iterable[StoredRule]) -> tuple[int, int]:
    """
    Give everybody what these rules say; rules no longer in force must be among them, to lose what they gave.

    The caller holds the exclusive lock. Return how many grants the rules gained and lost.
    """
    concerned = list(changed)
    evaluation = Evaluation(connection, change.organization_id)
    wanted = evaluation.of_everybody(concerned)
    return _reconcile(connection, change, wanted, grants.origins_of_rules(connection, (each.id for each in concerned)))


def rules_replaced(
    connection: Connection, change: Change, wanted: Wanted, held: Iterable[OpenOrigin]
) -> tuple[int, int]:
    """Give what new rules want and take what old ones gave; return how many grants the rules gained and lost."""
    return _reconcile(connection, change, wanted, list(held))


def tree_grew(connection: Connection, change: Change) -> None:
    """Look again at rules whose scope is captured from a name: the place that was missing may be there now."""
    in_force = rules.rules_in_force(connection, change.organization_id)
    rules_changed(connection, change, [each for each in in_force if each.match_kind == MatchKind.GROUP_PATTERN])


def unmapped(connection: Connection, organization_id: OrganizationId) -> list[UnmappedGroup]:
    """Return whom rules match and cannot give anything to, because the place does not exist where it must."""
    evaluation = Evaluation(connection, organization_id)
    evaluation.of_everybody(rules.rules_in_force(connection, organization_id))
    return evaluation.unmapped


class Evaluation:
    """One evaluation of rules; reads the tree and the directories' names only when a rule needs them."""

    def __init__(self, connection: Connection, organization_id: OrganizationId) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._tree: Tree | None = None
        self._names: Mapping[DirectoryId, str] | None = None
        self.unmapped: list[UnmappedGroup] = []

    def of_groups(self, stored: Iterable[StoredRule], groups: Iterable[MatchedGroup]) -> Wanted:
        """Return the grants, each with its rule's id, that these rules give to these groups."""
        by_name = {each.name: each for each in stored}
        wanted: Wanted = {}
        if not by_name:
            return wanted
        parsed = [rule_of(each.definition) for each in by_name.values()]
        for group in groups:
            directory = self._name(group.directory_id)
            facts = GroupFacts(group.id, group.name, directory, group.external_id)
            given = grants_for_group(parsed, facts, self._read_tree())
            self._note(group.name, directory, given.unmapped)
            for each in given.grants:
                key = GrantKey(
                    each.scope, group_id=group.id, api_role=each.api_role, kubernetes_role=each.kubernetes_role
                )
                wanted[key, by_name[each.rule].id] = None
        return wanted

    def of_users(self, stored: Iterable[StoredRule], users: Iterable[MatchedUser]) -> Wanted:
        """Return the grants, each with its rule's id, that these attribute rules give to these people."""
        by_name = {each.name: each for each in stored}
        wanted: Wanted = {}
        if not by_name:
            return wanted
        parsed = [rule_of(each.definition) for each in by_name.values()]
        for user in users:
            attributes = with_mapped(json.loads(user.document), json.loads(user.mapped or "{}"))
            directory = self._name(user.directory_id)
            given = grants_for_user(parsed, attributes, directory, self._read_tree())
            self._note(str(attributes.get("userName", user.id)), directory, given.unmapped)
            for each in given.grants:
                key = GrantKey(
                    each.scope,
                    member_id=MemberId(user.member_id),
                    api_role=each.api_role,
                    kubernetes_role=each.kubernetes_role,
                )
                wanted[key, by_name[each.rule].id] = None
        return wanted

    def of_everybody(self, stored: Iterable[StoredRule]) -> Wanted:
        """Return what these rules give to anybody; rules that have ended give nothing."""
        in_force = {each.id for each in rules.rules_in_force(self._connection, self._organization_id)}
        return self.of_rules([each for each in stored if each.id in in_force])

    def of_rules(self, live: Collection[StoredRule]) -> Wanted:
        """Return what these rules give to anybody, in force or not."""
        wanted: Wanted = {}
        for directory_id in sorted({each.directory_id for each in live}):
            mine = [each for each in live if each.directory_id == directory_id]
            for_people = [each for each in mine if each.match_kind == MatchKind.ATTRIBUTE]
            for_groups = [each for each in mine if each.match_kind != MatchKind.ATTRIBUTE]
            if for_groups:
                wanted |= self.of_groups(for_groups, rules.groups_of_directory(self._connection, directory_id))
            if for_people:
                wanted |= self.of_users(for_people, rules.users_to_match(self._connection, directory_id))
        return wanted

    def _note(self, name: str, directory: str, missing: Iterable[Unmapped]) -> None:
        self.unmapped += [UnmappedGroup(name, directory, each.rule, each.reason) for each in missing]

    def _read_tree(self) -> Tree:
        if self._tree is None:
            self._tree = read_tree(self._connection, self._organization_id)
        return self._tree

    def _name(self, directory_id: DirectoryId | None) -> str:
        if self._names is None:
            known = directories.list_directories(self._connection, self._organization_id)
            self._names = {each.id: each.name for each in known}
        return self._names[directory_id] if directory_id else ""


def _reconcile(connection: Connection, change: Change, wanted: Wanted, held: list[OpenOrigin]) -> tuple[int, int]:
    """Open the origins that are wanted and not held, then close those held and not wanted."""
    have = {(origin.key, origin.rule_id) for origin in held}
    opening = [pair for pair in wanted if pair not in have]
    closing = [o for o in held if o.rule_id is None or (o.key, o.rule_id) not in wanted]
    if opening:
        grants.open_origins(connection, change, OriginKind.RULE, opening)
    if closing:
        grants.close_origins(connection, change, closing)
    return len(opening), len(closing)


@lru_cache(maxsize=4096)
def rule_of(definition: str) -> Rule:
    """Return the rule that a row's canonical JSON says; it was checked when it was written."""
    # A rule's row never changes, so equal text is an equal rule for ever.
    return parse_rules({"rules": [json.loads(definition)]}).rules[0]
