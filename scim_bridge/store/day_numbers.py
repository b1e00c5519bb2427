"""What the past day says of each cluster, and which conditions stand, in numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.objective import Timed
from scim_bridge.store.schema import (
    cluster,
    cluster_condition,
    directory,
    directory_condition,
    organization,
    removal_request,
    removal_request_cluster,
    sync_pass,
)


@dataclass(frozen=True, slots=True)
class DayNumbers:
    """One cluster's day; ``drift`` counts subjects that a pass put right although nothing had changed here."""

    drift: int
    removals: int
    late: int


NOTHING = DayNumbers(0, 0, 0)


def day_numbers(
    connection: sa.Connection, since: datetime, at: datetime, objective_seconds: float
) -> Mapping[str, DayNumbers]:
    """Return the day of each cluster of which there is anything to say, by its id."""
    drift = _drift(connection, since)
    removals, late = _removals(connection, since, at, objective_seconds)
    return {each: DayNumbers(drift.get(each, 0), removals[each], late[each]) for each in (*drift, *removals)}


def cluster_conditions(connection: sa.Connection) -> Mapping[tuple[str, str, str], int]:
    """Count conditions by organization, cluster and kind."""
    return _conditions(connection, cluster, cluster_condition.c.cluster_id, cluster_condition.c.kind)


def directory_conditions(connection: sa.Connection) -> Mapping[tuple[str, str, str], int]:
    """Count conditions by organization, directory and kind."""
    return _conditions(connection, directory, directory_condition.c.directory_id, directory_condition.c.kind)


def _drift(connection: sa.Connection, since: datetime) -> dict[str, int]:
    column = sync_pass.c
    before = sa.func.lag(column.revision).over(partition_by=column.cluster_id, order_by=column.id)
    written = column.subjects_added + column.subjects_removed
    passes = (
        sa.select(column.cluster_id, column.revision, before.label("before"), written.label("written"))
        .where(column.kind == "full", column.started_at > since, column.state != "running")
        .subquery()
    )
    query = (
        sa.select(passes.c.cluster_id, sa.func.sum(passes.c.written))
        .where(passes.c.revision == passes.c.before, passes.c.written > 0)
        .group_by(passes.c.cluster_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _removals(
    connection: sa.Connection, since: datetime, at: datetime, objective_seconds: float
) -> tuple[Counter[str], Counter[str]]:
    part = removal_request_cluster.c
    query = (
        sa.select(part.cluster_id, removal_request.c.requested_at, part.done_at)
        .join(removal_request, removal_request.c.id == part.removal_request_id)
        .where(sa.or_(part.state == "open", sa.and_(part.state == "done", part.done_at > since)))
    )
    seen, late = Counter[str](), Counter[str]()
    for cluster_id, asked_at, done_at in connection.execute(query):
        seen[cluster_id] += 1
        late[cluster_id] += Timed(asked_at, done_at).seconds(at) > objective_seconds
    return seen, late


def _conditions(
    connection: sa.Connection, noun: sa.Table, owner: sa.Column[Any], kind: sa.Column[Any]
) -> Mapping[tuple[str, str, str], int]:
    query = (
        sa.select(organization.c.slug, noun.c.name, kind, sa.func.count())
        .select_from(owner.table)
        .join(noun, noun.c.id == owner)
        .join(organization, organization.c.id == noun.c.organization_id)
        .where(organization.c.removed_at.is_(None))
        .group_by(organization.c.slug, noun.c.name, kind)
        .order_by(organization.c.slug, noun.c.name, kind)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(query)}
