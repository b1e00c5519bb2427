"""What identity providers asked for, and what came of it: written once, thrown away when its time is over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId
from scim_bridge.store.identifiers import first_id_at, new_id
from scim_bridge.store.schema import directory, provisioning_log
from scim_bridge.store.statements import write_later
from scim_bridge.store.texts import storable

_INSERT = sa.insert(provisioning_log)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """
    One request, with no secret in it; those of nobody we know have no organization.

    ``id`` is made with the entry and not when it is written, so that entries written later stand in their place.
    """

    organization_id: OrganizationId | None
    directory_id: DirectoryId | None
    token_id: str | None
    request_id: str
    method: str
    target: str
    status: int
    milliseconds: int
    body: str | None = None
    user_agent: str | None = None
    address: str | None = None
    noun: str | None = None
    object_id: str | None = None
    change_id: str | None = None
    scim_type: str | None = None
    message: str | None = None
    id: str = field(default_factory=new_id)


def add_entry(connection: sa.Connection, entry: LogEntry, at: datetime) -> None:
    """Write one entry, in the transaction of what it tells of."""
    write_later(connection, _INSERT, _values(entry, at))


def add_entries(connection: sa.Connection, entries: Iterable[tuple[LogEntry, datetime]]) -> None:
    """Write entries, each with its time, by one statement."""
    connection.execute(_INSERT, [_values(entry, at) for entry, at in entries])


def add_late_entries(connection: sa.Connection, entries: Sequence[tuple[LogEntry, datetime]]) -> None:
    """Write entries that have waited; those of a directory that has gone meanwhile go with it."""
    named = {entry.directory_id for entry, _ in entries if entry.directory_id is not None}
    query = sa.select(directory.c.id).where(directory.c.id.in_(named)).with_for_update(read=True, key_share=True)
    there = {None, *connection.execute(query).scalars()} if named else {None}
    kept = [(entry, at) for entry, at in entries if entry.directory_id in there]
    if kept:
        add_entries(connection, kept)


def entries_past(
    connection: sa.Connection, before: datetime, limit: int, *, changed_nothing: bool = False
) -> Sequence[str]:
    """Return the ids of entries older than a moment, oldest first; or only of successes that changed nothing."""
    query = sa.select(provisioning_log.c.id).where(provisioning_log.c.id < first_id_at(before))
    if changed_nothing:
        query = query.where(provisioning_log.c.status < 400, provisioning_log.c.change_id.is_(None))
    return connection.execute(query.order_by(provisioning_log.c.id).limit(limit)).scalars().all()


def unknown_beyond(connection: sa.Connection, most: int, limit: int) -> Sequence[str]:
    """Return the ids of nobody's entries beyond the newest ``most``."""
    query = sa.select(provisioning_log.c.id).where(provisioning_log.c.directory_id.is_(None))
    return connection.execute(query.order_by(provisioning_log.c.id.desc()).offset(most).limit(limit)).scalars().all()


def delete_entries(connection: sa.Connection, ids: Sequence[str]) -> int:
    """Throw entries away and return how many there were."""
    return connection.execute(sa.delete(provisioning_log).where(provisioning_log.c.id.in_(ids))).rowcount


def _values(entry: LogEntry, at: datetime) -> dict[str, object]:
    return {
        "id": entry.id,
        "organization_id": entry.organization_id,
        "directory_id": entry.directory_id,
        "token_id": entry.token_id,
        "at": at,
        "request_id": storable(entry.request_id, 64),
        "method": entry.method,
        "target": storable(entry.target, 2048),
        "status": entry.status,
        "scim_type": entry.scim_type,
        "message": storable(entry.message),
        "request_body": storable(entry.body),
        "user_agent": storable(entry.user_agent, 255),
        "address": storable(entry.address, 64),
        "noun": entry.noun,
        "object_id": storable(entry.object_id, 36),
        "change_id": entry.change_id,
        "milliseconds": entry.milliseconds,
    }
