"""Audit entries as people look for them: the newest first, a page at a time, by actor, action, object and time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.audit_chain import COLUMNS, PAGE, entry_of
from scim_bridge.store.schema import audit_entry


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """
    Which entries are wanted; None and empty: all.

    ``since`` is included, ``until`` is not. ``actor`` is an id, a whole name or a kind, ``action`` a whole one or one
    that ends with ``.*``.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    object_id: str | None = None
    nouns: tuple[str, ...] = ()
    request_id: str | None = None


def newest_entries(
    connection: sa.Connection,
    organization_id: OrganizationId,
    wanted: EntryFilter,
    count: int,
    before: tuple[datetime, str] | None = None,
) -> list[Entry]:
    """Return a page of entries, the newest first; ``before``: time and id of the last one of the page before."""
    query = _matching(organization_id, wanted)
    if before is not None:
        query = query.where(sa.tuple_(audit_entry.c.at, audit_entry.c.id) < sa.tuple_(*_bound(before)))
    newest = query.order_by(audit_entry.c.at.desc(), audit_entry.c.id.desc()).limit(count)
    return [entry_of(row) for row in connection.execute(newest)]


def entries_in_order(
    connection: sa.Connection, organization_id: OrganizationId, wanted: EntryFilter
) -> Iterator[Entry]:
    """Yield every entry that matches, the oldest first; a page is in memory at a time."""
    after: tuple[datetime, str] | None = None
    while True:
        query = _matching(organization_id, wanted)
        if after is not None:
            query = query.where(sa.tuple_(audit_entry.c.at, audit_entry.c.id) > sa.tuple_(*_bound(after)))
        rows = connection.execute(query.order_by(audit_entry.c.at, audit_entry.c.id).limit(PAGE)).all()
        for row in rows:
            yield entry_of(row)
        if len(rows) < PAGE:
            return
        after = (rows[-1].at, rows[-1].id)


def entries_at(
    connection: sa.Connection, organization_id: OrganizationId, moments: set[datetime]
) -> dict[datetime, list[Entry]]:
    """Return the entries of the changes that were made at exactly these moments: what caused rows that begin then."""
    found: dict[datetime, list[Entry]] = {}
    each = sorted(moments)
    for start in range(0, len(each), 400):
        query = sa.select(*COLUMNS).where(
            audit_entry.c.organization_id == organization_id, audit_entry.c.at.in_(each[start : start + 400])
        )
        for row in connection.execute(query.order_by(audit_entry.c.id)):
            found.setdefault(row.at, []).append(entry_of(row))
    return found


def _matching(organization_id: OrganizationId, wanted: EntryFilter) -> sa.Select[Any]:
    columns = audit_entry.c
    query = sa.select(*COLUMNS).where(columns.organization_id == organization_id)
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.actor is not None:
        named = (columns.actor_id, columns.actor_name, columns.actor_kind)
        query = query.where(sa.or_(*(column == wanted.actor for column in named)))
    if wanted.action is not None:
        query = query.where(_is_action(wanted.action))
    if wanted.object_id is not None:
        query = query.where(columns.object_id == wanted.object_id)
    if wanted.nouns:
        query = query.where(columns.noun.in_(wanted.nouns))
    if wanted.request_id is not None:
        query = query.where(columns.request_id == wanted.request_id)
    return query


def _is_action(named: str) -> sa.ColumnElement[bool]:
    if named.endswith(".*"):
        return audit_entry.c.action.startswith(named[:-1], autoescape=True)
    return audit_entry.c.action == named


def _bound(place: tuple[datetime, str]) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    at, entry_id = place
    return sa.literal(at, audit_entry.c.at.type), sa.literal(entry_id, audit_entry.c.id.type)
