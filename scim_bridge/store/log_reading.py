"""The provisioning log as it is read: always of one directory, or of nobody's requests; newest first."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId
from scim_bridge.store.effects import ACTION as EFFECTS
from scim_bridge.store.identifiers import first_id_at
from scim_bridge.store.schema import audit_entry, provisioning_log, scim_user, user_group


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as the log has it; ``body`` is None where there was none or none was kept."""

    id: str
    at: datetime
    request_id: str
    method: str
    target: str
    status: int
    scim_type: str | None
    message: str | None
    body: str | None
    user_agent: str | None
    address: str | None
    noun: str | None
    object_id: str | None
    change_id: str | None
    milliseconds: int | None
    token_id: str | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing that was done in the course of a change; ``detail`` is JSON."""

    at: datetime
    actor: str
    action: str
    noun: str
    object_id: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class About:
    """Somebody or something that requests are about: the ids it has, and the names that requests give it."""

    ids: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which entries are wanted; ``about`` holds what all of them have to be about."""

    about: tuple[About, ...] = ()
    failed: bool | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None


# The bodies stay where they are: a page of large pushes would be megabytes.
_BRIEF: Sequence[sa.ColumnElement[Any]] = tuple(
    column for column in provisioning_log.c if column.name not in ("request_body", "organization_id")
)


def find_entries(
    connection: sa.Connection, directory_id: DirectoryId | None, criteria: Criteria, limit: int
) -> list[LoggedRequest]:
    """Return a directory's newest entries that fit, or those of nobody we know; without their bodies."""
    query = sa.select(*_BRIEF).where(_of(directory_id), *_conditions(criteria))
    rows = connection.execute(query.order_by(provisioning_log.c.id.desc()).limit(limit))
    return [_request(row, None) for row in rows]


def get_entry(connection: sa.Connection, directory_id: DirectoryId | None, named: str) -> LoggedRequest | None:
    """Return the newest entry with this id or request id, with its body."""
    for column in (provisioning_log.c.id, provisioning_log.c.request_id):
        query = sa.select(*_BRIEF, provisioning_log.c.request_body).where(_of(directory_id), column == named)
        row = connection.execute(query.order_by(provisioning_log.c.id.desc()).limit(1)).one_or_none()
        if row is not None:
            return _request(row, row.request_body)
    return None


def count_later_changes(connection: sa.Connection, directory_id: DirectoryId, entry: LoggedRequest) -> int:
    """Return how many requests have changed an entry's object since."""
    query = sa.select(sa.func.count()).where(
        provisioning_log.c.directory_id == directory_id,
        provisioning_log.c.object_id == entry.object_id,
        provisioning_log.c.change_id.is_not(None),
        provisioning_log.c.id > entry.id,
    )
    return int(connection.execute(query).scalar_one())


def audit_of_change(
    connection: sa.Connection, organization_id: OrganizationId, change_id: str, at: datetime
) -> list[AuditRow]:
    """Return what was done in the course of a change, in its order; a change has one moment for all it does."""
    columns = (
        audit_entry.c.at,
        audit_entry.c.actor_name,
        audit_entry.c.action,
        audit_entry.c.noun,
        audit_entry.c.object_id,
        audit_entry.c.detail,
    )
    query = sa.select(*columns).where(
        audit_entry.c.organization_id == organization_id,
        # Time is what the audit is indexed by.
        audit_entry.c.at == at,
        audit_entry.c.change_id == change_id,
        # The same once more, for machines.
        audit_entry.c.action != EFFECTS,
    )
    return [AuditRow(*row) for row in connection.execute(query.order_by(audit_entry.c.id))]


def users_named(connection: sa.Connection, directory_id: DirectoryId, named: str) -> About:
    """Return the users of a directory, gone ones too, with this id, userName, e-mail, externalId or member."""
    key = fold(named)
    is_named = sa.or_(
        scim_user.c.id == named,
        scim_user.c.member_id == named,
        scim_user.c.external_id == named,
        scim_user.c.user_name_key == key,
        scim_user.c.email_key == key,
    )
    query = sa.select(scim_user.c.id, scim_user.c.user_name).where(scim_user.c.directory_id == directory_id, is_named)
    return _about(named, connection.execute(query))


def groups_named(connection: sa.Connection, directory_id: DirectoryId, named: str) -> About:
    """Return the groups of a directory, gone ones too, with this id, name or externalId."""
    is_named = sa.or_(
        user_group.c.id == named,
        user_group.c.external_id == named,
        user_group.c.display_name_key == fold(named),
    )
    columns = (user_group.c.id, user_group.c.display_name)
    query = sa.select(*columns).where(user_group.c.directory_id == directory_id, is_named)
    return _about(named, connection.execute(query))


def _about(named: str, rows: Iterable[Sequence[Any]]) -> About:
    found = [(str(row[0]), str(row[1])) for row in rows]
    return About(tuple(each for each, _ in found), tuple(dict.fromkeys((named, *(name for _, name in found)))))


def _of(directory_id: DirectoryId | None) -> sa.ColumnElement[bool]:
    if directory_id is None:
        return provisioning_log.c.directory_id.is_(None)
    return provisioning_log.c.directory_id == directory_id


def _conditions(criteria: Criteria) -> list[sa.ColumnElement[bool]]:
    conditions = [_is_about(each) for each in criteria.about]
    if criteria.failed is not None:
        status = provisioning_log.c.status
        conditions.append(status >= 400 if criteria.failed else status < 400)
    if criteria.status is not None:
        conditions.append(provisioning_log.c.status == criteria.status)
    # Ids are in the order of time, and they are what is indexed.
    if criteria.since is not None:
        conditions.append(provisioning_log.c.id >= first_id_at(criteria.since))
    if criteria.until is not None:
        conditions.append(provisioning_log.c.id < first_id_at(criteria.until))
    if criteria.before is not None:
        conditions.append(provisioning_log.c.id < criteria.before)
    return conditions


def _is_about(about: About) -> sa.ColumnElement[bool]:
    body, target = provisioning_log.c.request_body, provisioning_log.c.target
    # A request that failed has touched no object: what it was about stands in what was sent.
    told = [body.contains(each, autoescape=True) for each in about.ids]
    told += [target.contains(each, autoescape=True) for each in about.ids]
    for name in about.names:
        told.append(body.icontains(json.dumps(name, ensure_ascii=False), autoescape=True))
        told += [target.icontains(f"%22{each}%22", autoescape=True) for each in _encodings(name)]
    return sa.or_(provisioning_log.c.object_id.in_(about.ids), *told)


def _encodings(name: str) -> Sequence[str]:
    # "@" and blanks are written in more than one way in a query.
    ways = (quote(name, safe=""), quote(name, safe="@"), quote(name, safe="@").replace("%20", "+"))
    return tuple(dict.fromkeys(ways))


def _request(row: Any, body: str | None) -> LoggedRequest:
    return LoggedRequest(
        row.id,
        row.at,
        row.request_id,
        row.method,
        row.target,
        row.status,
        row.scim_type,
        row.message,
        body,
        row.user_agent,
        row.address,
        row.noun,
        row.object_id,
        row.change_id,
        row.milliseconds,
        row.token_id,
    )
