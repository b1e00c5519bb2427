"""Deliveries of webhooks: made of committed and sealed audit entries, sent until taken, and kept for people to see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.audit_chain import COLUMNS, entry_of
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import audit_entry, webhook_delivery
from scim_bridge.store.webhooks import Webhook

QUEUED, DELIVERED, DEAD = "queued", "delivered", "dead"
STATES = (QUEUED, DELIVERED, DEAD)

_mine = webhook_delivery.c


@dataclass(frozen=True, slots=True)
class Told:
    """A sealed entry of the audit, and as which kinds it is told."""

    id: str
    sequence: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What decides whether an entry is told to a webhook."""

    id: str
    sequence: int
    action: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one receiver, and what became of it; ``last_answer`` is the beginning of what was answered."""

    id: str
    entry_id: str
    sequence: int
    kind: str
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime
    last_at: datetime | None
    last_status: int | None
    last_answer: str | None
    closed_at: datetime | None


_COLUMNS = tuple(webhook_delivery.c[name] for name in Delivery.__dataclass_fields__)


def sealed_after(connection: sa.Connection, found: Webhook, most: int) -> list[Sealed]:
    """Return the entries that follow what a webhook was told, in the chain's order."""
    columns = audit_entry.c
    query = sa.select(columns.id, columns.sequence, columns.action, columns.object_id).where(
        columns.organization_id == found.organization_id, columns.sequence > found.sequence
    )
    return [Sealed(*row) for row in connection.execute(query.order_by(columns.sequence).limit(most))]


def sealed_since(
    connection: sa.Connection, organization_id: OrganizationId, since: datetime, up_to: int, after: int, most: int
) -> list[Sealed]:
    """Return a page of the entries of a time, from after one number up to another."""
    columns = audit_entry.c
    query = sa.select(columns.id, columns.sequence, columns.action, columns.object_id).where(
        columns.organization_id == organization_id,
        columns.at >= since,
        columns.sequence > after,
        columns.sequence <= up_to,
    )
    return [Sealed(*row) for row in connection.execute(query.order_by(columns.sequence).limit(most))]


def queue(
    connection: sa.Connection, found: Webhook, told: Iterable[Told], at: datetime, *, states: Iterable[str]
) -> int:
    """
    Queue deliveries of entries, and return how many that were.

    One that was made before is queued again, from its beginning, if it is in one of these states.
    """
    rows = [
        {"id": new_id(), "organization_id": found.organization_id, "webhook_id": found.id, "entry_id": each.id}
        | {"sequence": each.sequence, "kind": kind, "state": QUEUED, "attempts": 0, "created_at": at, "due_at": at}
        for each in told
        for kind in each.kinds
    ]
    if not rows:
        return 0
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    again = {"state": QUEUED, "attempts": 0, "due_at": at, "closed_at": None}
    queued = 0
    for start in range(0, len(rows), 100):
        adding = insert(webhook_delivery).values(rows[start : start + 100])
        adding = adding.on_conflict_do_update(
            index_elements=["webhook_id", "entry_id", "kind"], set_=again, where=_mine.state.in_(list(states))
        )
        queued += len(connection.execute(adding.returning(_mine.id)).all())
    return queued


def begin_attempt(
    connection: sa.Connection, webhook_id: str, at: datetime, due_again: datetime
) -> tuple[Delivery, Entry | None] | None:
    """
    Return the delivery that is due for longest with the entry it tells of, None for one that is kept no longer.

    It is due again only later: a sender that dies holds up nothing. None when nothing is due.
    """
    due = sa.select(_mine.id).where(_mine.webhook_id == webhook_id, _mine.state == QUEUED, _mine.due_at <= at)
    found = connection.execute(due.order_by(_mine.due_at, _mine.sequence, _mine.kind).limit(1)).scalar_one_or_none()
    if found is None:
        return None
    taken = sa.update(webhook_delivery).where(_mine.id == found, _mine.state == QUEUED)
    row = connection.execute(
        taken.values(attempts=_mine.attempts + 1, due_at=due_again).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        return None
    delivery = Delivery(*row)
    told = connection.execute(sa.select(*COLUMNS).where(audit_entry.c.id == delivery.entry_id)).one_or_none()
    return delivery, None if told is None else entry_of(told)


def note_outcome(
    connection: sa.Connection,
    delivery: Delivery,
    state: str,
    at: datetime,
    status: int | None,
    answer: str,
    due_at: datetime | None = None,
) -> None:
    """Say what became of an attempt; one that is still queued is tried again at ``due_at``."""
    values = {"state": state, "last_at": at, "last_status": status, "last_answer": answer}
    values |= {"due_at": due_at or delivery.due_at, "closed_at": None if state == QUEUED else at}
    waiting = sa.update(webhook_delivery).where(_mine.id == delivery.id, _mine.state == QUEUED)
    connection.execute(waiting.values(**values))


def end_waiting(connection: sa.Connection, webhook_id: str, at: datetime, why: str) -> int:
    """Send no more what waits for a receiver, and return how much that was."""
    waiting = sa.update(webhook_delivery).where(_mine.webhook_id == webhook_id, _mine.state == QUEUED)
    return connection.execute(waiting.values(state=DEAD, closed_at=at, last_answer=why)).rowcount


def count_by_state(connection: sa.Connection, webhook_ids: list[str]) -> dict[str, dict[str, int]]:
    """Return how many deliveries of each webhook wait and are dead."""
    query = (
        sa.select(_mine.webhook_id, _mine.state, sa.func.count())
        .where(_mine.webhook_id.in_(webhook_ids), _mine.state != DELIVERED)
        .group_by(_mine.webhook_id, _mine.state)
    )
    found: dict[str, dict[str, int]] = {each: {} for each in webhook_ids}
    for webhook_id, state, count in connection.execute(query):
        found[webhook_id][state] = int(count)
    return found


def newest_deliveries(
    connection: sa.Connection, webhook_id: str, state: str | None, count: int, before: str | None = None
) -> list[Delivery]:
    """Return a page of a webhook's deliveries, the newest first."""
    query = sa.select(*_COLUMNS).where(_mine.webhook_id == webhook_id)
    if state is not None:
        query = query.where(_mine.state == state)
    if before is not None:
        query = query.where(_mine.id < before)
    return [Delivery(*row) for row in connection.execute(query.order_by(_mine.id.desc()).limit(count))]


def find_delivery(connection: sa.Connection, webhook_id: str, delivery_id: str) -> Delivery | None:
    """Return one delivery of a webhook."""
    query = sa.select(*_COLUMNS).where(_mine.webhook_id == webhook_id, _mine.id == delivery_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Delivery(*row)


def forget_deliveries(connection: sa.Connection, before: datetime) -> int:
    """Drop what was delivered or given up before a moment, and return how much that was."""
    old = sa.delete(webhook_delivery).where(_mine.closed_at < before)
    return connection.execute(old).rowcount
