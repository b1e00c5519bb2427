"""The history of passes, as people read it, and how long it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.store.schema import inferred_removal, plan, sync_pass

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PastPass:
    """One pass, or one run of asked-for removals; ``changes`` says who gained and lost what."""

    id: str
    kind: str
    state: str
    frozen: bool
    started_at: datetime
    finished_at: datetime | None
    plan_hash: str | None
    subjects_added: int
    subjects_removed: int
    held: int
    failed: int
    message: str | None
    changes: Mapping[str, Any]


def past_passes(
    connection: sa.Connection, cluster_id: ClusterId, *, limit: int, before: str | None = None, changed: bool = False
) -> list[PastPass]:
    """Return a cluster's passes, the latest first; ``changed`` leaves out those that had nothing to do."""
    columns = sync_pass.c
    query = sa.select(sync_pass).where(columns.cluster_id == cluster_id)
    if before is not None:
        query = query.where(columns.id < before)
    if changed:
        query = query.where(sa.or_(columns.changes.is_not(None), columns.state.in_(("degraded", "failed"))))
    rows = connection.execute(query.order_by(columns.id.desc()).limit(limit))
    return [_past(row) for row in rows]


def forget_old_passes(connection: sa.Connection, before: datetime) -> int:
    """Throw away some passes that began before a moment, and each cluster's last one never; returns how many."""
    columns = sync_pass.c
    newest = sa.select(sa.func.max(columns.id)).group_by(columns.cluster_id)
    query = sa.select(columns.id).where(columns.started_at < before, columns.id.not_in(newest))
    ids = list(connection.execute(query.order_by(columns.id).limit(_AT_ONCE)).scalars())
    if ids:
        connection.execute(sa.delete(inferred_removal).where(inferred_removal.c.pass_id.in_(ids)))
        connection.execute(sa.delete(sync_pass).where(columns.id.in_(ids)))
    return len(ids)


def forget_old_plans(connection: sa.Connection, before: datetime) -> int:
    """Throw away some plans from before a moment that nothing waits for any more; returns how many."""
    columns = plan.c
    over = columns.state.in_(("applied", "superseded", "expired"))
    query = sa.select(columns.id).where(columns.created_at < before, over).order_by(columns.id).limit(_AT_ONCE)
    ids = list(connection.execute(query).scalars())
    if ids:
        connection.execute(sa.delete(plan).where(columns.id.in_(ids)))
    return len(ids)


def _past(row: sa.Row[Any]) -> PastPass:
    return PastPass(
        row.id,
        row.kind,
        row.state,
        row.frozen,
        row.started_at,
        row.finished_at,
        row.plan_hash,
        row.subjects_added,
        row.subjects_removed,
        row.held,
        row.failed,
        row.message,
        orjson.loads(row.changes) if row.changes else {},
    )
