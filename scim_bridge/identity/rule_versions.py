"""Use cases of a rule set's history: the versions there were, what differs between two, and going back to one."""

import json
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.mapping import RuleDiff, RuleSet
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import NotFound
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.rule_changes import Wish
from scim_bridge.store import rules as store
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.rules import RuleSetVersion

LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of an organization's rules; ``is_in_force`` of the newest alone."""

    version: int
    author: str
    applied_at: datetime | None
    rules: int
    digest: str
    is_in_force: bool


def list_all(database: Database, organization: str) -> list[VersionView]:
    """Return every version, the newest first."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return [_view(each) for each in store.list_versions(connection, owner.id)]


def content(database: Database, organization: str, version: int) -> RuleSet:
    """Return the rules of a version, as they were written; 0 is the time before the first. Raises NotFound."""
    with database.read() as connection:
        return _content(connection, the_organization(connection, organization).id, version)


def diff(database: Database, organization: str, old: int, new: int) -> RuleDiff:
    """Return what one version changed of another, however many lie between; raises NotFound."""
    return content(database, organization, old).diff(content(database, organization, new))


def number_of(text: str) -> int:
    """Return the version that a text names; raises NotFound for what is no number of one."""
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise NotFound(f"There is no version {text!r} of this organization's rules.")
    return int(text)


def of_version(version: int) -> Wish:
    """Wish for the rules of a version: applied, they are a new version with the old content."""
    return lambda connection, organization_id: _content(connection, organization_id, version)


def _content(connection: Connection, organization_id: OrganizationId, version: int) -> RuleSet:
    if version == 0:
        return RuleSet()
    found = store.find_version(connection, organization_id, version)
    if found is None:
        raise NotFound(f"There is no version {version} of this organization's rules.")
    return parse_rules({"rules": json.loads(found.document)})


def _view(found: RuleSetVersion) -> VersionView:
    number = len(json.loads(found.document))
    return VersionView(
        found.version, found.author, found.applied_at, number, found.digest, is_in_force=found.state == "applied"
    )
