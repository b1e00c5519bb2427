"""Use case of linting: what in a rule set does nothing, or not what was meant, as things are now."""

import json
from collections.abc import Mapping

from scim_bridge.domain.mapping import GroupFacts, MatchKind, Rule, RuleSet
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.domain.rule_lint import Directories, Finding, lint
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.rule_changes import Wish
from scim_bridge.identity.rules import parsed
from scim_bridge.store import directories, rules
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.rule_facts import peopled_groups
from scim_bridge.store.tree import read_tree


def look_over(database: Database, organization: str, wish: Wish | None = None) -> list[Finding]:
    """Return what is wrong with the rules in force, or with others; nothing is written."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        wanted = wish(connection, owner.id) if wish else parsed(rules.rules_in_force(connection, owner.id))
        known = _known(connection, owner.id, wanted.rules)
        return lint(wanted.rules, known, read_tree(connection, owner.id))


def of_flawed_document(document: Mapping[str, object]) -> Wish:
    """Wish for the rules of a document, those too that could not be applied because they lack allow_privileged."""
    newer: RuleSet = parse_rules(document, refuse_privileged=False)
    return lambda connection, organization_id: newer


def _known(connection: Connection, organization_id: OrganizationId, wanted: tuple[Rule, ...]) -> Directories:
    groups: dict[str, tuple[GroupFacts, ...]] = {}
    users: dict[str, tuple[Mapping[str, object], ...]] = {}
    by_attribute = {rule.directory for rule in wanted if rule.match.kind is MatchKind.ATTRIBUTE}
    for each in directories.list_directories(connection, organization_id):
        groups[each.name] = tuple(
            GroupFacts(group.id, group.name, each.name, group.external_id)
            for group in rules.groups_of_directory(connection, each.id)
        )
        if each.name in by_attribute:
            users[each.name] = tuple(json.loads(user.document) for user in rules.users_to_match(connection, each.id))
    return Directories(groups, frozenset(peopled_groups(connection, organization_id)), users)
