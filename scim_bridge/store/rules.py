"""Mapping rules: the versions of an organization's rule set, its rules in force, and what they are matched against."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import member, rule, rule_set, scim_user, user_group
from scim_bridge.store.users import counts_for_access

ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class RuleSetVersion:
    """One version of an organization's rules, as it was written; ``state`` is applied for the one in force."""

    id: str
    version: int
    document: str
    digest: str
    author: str
    applied_at: datetime | None
    state: str = "applied"


@dataclass(frozen=True, slots=True)
class StoredRule:
    """One rule in force; ``definition`` is its canonical JSON."""

    id: str
    directory_id: DirectoryId
    name: str
    match_kind: str
    priority: int
    definition: str


@dataclass(frozen=True, slots=True)
class MatchedGroup:
    """What rules see of a group; ``directory_id`` None: made by hand, no rule matches it."""

    id: GroupId
    directory_id: DirectoryId | None
    name: str
    external_id: str | None
    removed: bool


@dataclass(frozen=True, slots=True)
class MatchedUser:
    """What rules see of a person: the document that a directory sent, and what its own mapping makes of that."""

    id: ScimUserId
    member_id: MemberId
    directory_id: DirectoryId
    document: str
    mapped: str | None = None


_PEOPLE_BEHIND = sa.select(scim_user.c.directory_id, scim_user.c.member_id).where(scim_user.c.id.in_(listed("ids")))
_OF_DIRECTORIES = (
    sa.select(rule)
    .where(rule.c.directory_id.in_(listed("directories")), rule.c.valid_to.is_(None))
    .order_by(rule.c.priority, rule.c.name)
)
_OF_PEOPLE = _OF_DIRECTORIES.where(rule.c.match_kind == ATTRIBUTE)
_OF_GROUPS = _OF_DIRECTORIES.where(rule.c.match_kind != ATTRIBUTE)


def current_rule_set(connection: sa.Connection, organization_id: OrganizationId) -> RuleSetVersion | None:
    """Return the rule set in force."""
    query = sa.select(rule_set).where(rule_set.c.organization_id == organization_id, rule_set.c.state == "applied")
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def list_versions(connection: sa.Connection, organization_id: OrganizationId) -> list[RuleSetVersion]:
    """Return every version of an organization's rules, the newest first."""
    query = sa.select(rule_set).where(rule_set.c.organization_id == organization_id)
    return [_version(row) for row in connection.execute(query.order_by(rule_set.c.version.desc()))]


def find_version(connection: sa.Connection, organization_id: OrganizationId, version: int) -> RuleSetVersion | None:
    """Return one version of an organization's rules."""
    query = sa.select(rule_set).where(rule_set.c.organization_id == organization_id, rule_set.c.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def insert_rule_set(connection: sa.Connection, change: Change, document: str, digest: str) -> RuleSetVersion:
    """Add the next version of the organization's rules; the one before is superseded."""
    mine = rule_set.c.organization_id == change.organization_id
    newest = connection.execute(sa.select(sa.func.max(rule_set.c.version)).where(mine)).scalar_one()
    connection.execute(sa.update(rule_set).where(mine, rule_set.c.state == "applied").values(state="superseded"))
    made = RuleSetVersion(new_id(), (newest or 0) + 1, document, digest, change.actor.name[:320], change.at)
    connection.execute(
        sa.insert(rule_set).values(
            id=made.id,
            organization_id=change.organization_id,
            version=made.version,
            state="applied",
            document=document,
            digest=digest,
            author=made.author,
            created_at=change.at,
            applied_at=change.at,
        )
    )
    return made


def insert_rules(connection: sa.Connection, change: Change, rule_set_id: str, rules: Iterable[StoredRule]) -> None:
    """Put rules into force."""
    rows = [
        {
            "id": each.id,
            "organization_id": change.organization_id,
            "rule_set_id": rule_set_id,
            "directory_id": each.directory_id,
            "name": each.name,
            "match_kind": each.match_kind,
            "priority": each.priority,
            "definition": each.definition,
            "valid_from": change.at,
        }
        for each in rules
    ]
    if rows:
        connection.execute(sa.insert(rule), rows)
    for each in rows:
        named = {name: each[name] for name in ("name", "priority")}
        note(connection, change, "rule.began", rule=each["id"], directory=each["directory_id"], **named)


def end_rules(connection: sa.Connection, change: Change, rule_ids: Iterable[str]) -> None:
    """Take rules out of force."""
    for rule_id in rule_ids:
        note(connection, change, "rule.ended", rule=rule_id)
        connection.execute(sa.update(rule).where(rule.c.id == rule_id).values(valid_to=change.at))


def rules_in_force(connection: sa.Connection, organization_id: OrganizationId) -> list[StoredRule]:
    """Return every rule in force, by priority and name."""
    query = sa.select(rule).where(rule.c.organization_id == organization_id, rule.c.valid_to.is_(None))
    return [_rule(row) for row in connection.execute(query.order_by(rule.c.priority, rule.c.name))]


def rules_of_directories(
    connection: sa.Connection, directory_ids: Iterable[DirectoryId], *, for_people: bool
) -> list[StoredRule]:
    """Return the rules in force of these directories: those that match people's attributes, or those for groups."""
    query = _OF_PEOPLE if for_people else _OF_GROUPS
    return [_rule(row) for row in connection.execute(query, {"directories": as_list(directory_ids)})]


def groups_to_match(connection: sa.Connection, group_ids: Iterable[GroupId]) -> list[MatchedGroup]:
    """Return what rules see of these groups, removed ones too."""
    query = sa.select(user_group).where(user_group.c.id.in_(sorted(set(group_ids))))
    return [_matched_group(row) for row in connection.execute(query.order_by(user_group.c.id))]


def groups_of_directory(connection: sa.Connection, directory_id: DirectoryId) -> list[MatchedGroup]:
    """Return what rules see of every group that a directory has now."""
    query = sa.select(user_group).where(user_group.c.directory_id == directory_id, user_group.c.removed_at.is_(None))
    return [_matched_group(row) for row in connection.execute(query.order_by(user_group.c.id))]


def people_behind(connection: sa.Connection, scim_user_ids: Iterable[ScimUserId]) -> set[tuple[DirectoryId, MemberId]]:
    """Return the directory and the person of each of these SCIM users, removed ones too."""
    rows = connection.execute(_PEOPLE_BEHIND, {"ids": as_list(scim_user_ids)})
    return {(DirectoryId(directory_id), MemberId(member_id)) for directory_id, member_id in rows}


def users_to_match(
    connection: sa.Connection, directory_id: DirectoryId, member_ids: Iterable[MemberId] | None = None
) -> list[MatchedUser]:
    """Return what rules see of a directory's users that count: of these people, or of everybody."""
    query = (
        sa.select(
            scim_user.c.id, scim_user.c.member_id, scim_user.c.directory_id, scim_user.c.document, scim_user.c.mapped
        )
        .join(member, member.c.id == scim_user.c.member_id)
        .where(scim_user.c.directory_id == directory_id, scim_user.c.removed_at.is_(None), counts_for_access())
    )
    if member_ids is not None:
        query = query.where(scim_user.c.member_id.in_(sorted(set(member_ids))))
    rows = connection.execute(query.order_by(scim_user.c.id))
    return [MatchedUser(row.id, row.member_id, row.directory_id, row.document, row.mapped) for row in rows]


def _version(row: sa.Row[Any]) -> RuleSetVersion:
    return RuleSetVersion(row.id, row.version, row.document, row.digest, row.author, row.applied_at, row.state)


def _rule(row: sa.Row[Any]) -> StoredRule:
    return StoredRule(row.id, row.directory_id, row.name, row.match_kind, row.priority, row.definition)


def _matched_group(row: sa.Row[Any]) -> MatchedGroup:
    return MatchedGroup(row.id, row.directory_id, row.display_name, row.external_id, row.removed_at is not None)
