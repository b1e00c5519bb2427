"""What is known of each cluster now, by kind: bindings, plans that wait, conditions, and what others gave there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.store.schema import (
    applied_binding,
    cluster,
    cluster_condition,
    cluster_scan,
    organization,
    plan,
)

BINDINGS = "bindings"
SUBJECTS = "subjects"
PLANS = "plans"
CONDITIONS = "conditions"
UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True)
class ClusterNumber:
    """One number of one cluster; ``label`` says of which kind it is, empty where there is one kind only."""

    organization: str
    cluster: str
    name: str
    label: str
    number: float


def numbers_by_kind(connection: sa.Connection) -> list[ClusterNumber]:
    """Return all of them, of every registered cluster."""
    return [*_bindings(connection), *_plans(connection), *_conditions(connection), *_unmanaged(connection)]


def _of_clusters(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(organization.c.slug, cluster.c.name, *columns)
        .select_from(table)
        .join(cluster, cluster.c.id == table.c.cluster_id)
        .join(organization, organization.c.id == cluster.c.organization_id)
        .where(cluster.c.removed_at.is_(None), organization.c.removed_at.is_(None))
        .order_by(organization.c.slug, cluster.c.name)
    )


def _bindings(connection: sa.Connection) -> Iterator[ClusterNumber]:
    query = _of_clusters(applied_binding, sa.func.count(), sa.func.sum(applied_binding.c.subject_count))
    for slug, name, bindings, subjects in connection.execute(query.group_by(organization.c.slug, cluster.c.name)):
        yield ClusterNumber(slug, name, BINDINGS, "", float(bindings))
        yield ClusterNumber(slug, name, SUBJECTS, "", float(subjects or 0))


def _plans(connection: sa.Connection) -> Iterator[ClusterNumber]:
    query = _of_clusters(plan, plan.c.reason, sa.func.count()).where(plan.c.state == "waiting")
    for slug, name, reason, found in connection.execute(
        query.group_by(organization.c.slug, cluster.c.name, plan.c.reason)
    ):
        yield ClusterNumber(slug, name, PLANS, reason, float(found))


def _conditions(connection: sa.Connection) -> Iterator[ClusterNumber]:
    query = _of_clusters(cluster_condition, cluster_condition.c.kind, sa.func.count())
    for slug, name, kind, found in connection.execute(
        query.group_by(organization.c.slug, cluster.c.name, cluster_condition.c.kind)
    ):
        yield ClusterNumber(slug, name, CONDITIONS, kind, float(found))


def _unmanaged(connection: sa.Connection) -> Iterator[ClusterNumber]:
    query = _of_clusters(cluster_scan, cluster_scan.c.document).where(cluster_scan.c.scanned_at.is_not(None))
    for slug, name, document in connection.execute(query):
        for what, found in sorted(orjson.loads(document)["counts"].items()):
            yield ClusterNumber(slug, name, UNMANAGED, what, float(found))
