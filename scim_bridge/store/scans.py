"""The looks at all of a cluster: when the next is due, and what the last one found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.schema import cluster, cluster_scan, cluster_sync


@dataclass(frozen=True, slots=True)
class Scan:
    """What the last look that went well found: how many of what, and the names of some."""

    scanned_at: datetime | None = None
    problem: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def clusters_to_scan(
    connection: sa.Connection, at: datetime, only: ClusterId | None = None, limit: int = 10
) -> list[DueCluster]:
    """Return some Kubernetes APIs that a look is due at, or the one if it is; those that fail last."""
    failures = sa.func.coalesce(cluster_sync.c.failures, 0)
    query = (
        sa.select(cluster.c.id, cluster.c.organization_id, failures)
        .outerjoin(cluster_scan, cluster_scan.c.cluster_id == cluster.c.id)
        .outerjoin(cluster_sync, cluster_sync.c.cluster_id == cluster.c.id)
        .where(
            cluster.c.removed_at.is_(None),
            cluster.c.target_kind == TargetKind.KUBERNETES.value,
            sa.or_(cluster_scan.c.next_at.is_(None), cluster_scan.c.next_at <= at),
            sa.true() if only is None else cluster.c.id == only,
        )
        .order_by(failures, cluster_scan.c.next_at, cluster.c.id)
    )
    return [DueCluster(*row) for row in connection.execute(query.limit(limit))]


def read_scan(connection: sa.Connection, cluster_id: ClusterId) -> Scan:
    """Return what is known; nothing of a cluster that nobody looked at yet."""
    row = connection.execute(sa.select(cluster_scan).where(cluster_scan.c.cluster_id == cluster_id)).one_or_none()
    if row is None:
        return Scan()
    document: dict[str, Any] = orjson.loads(row.document)
    names = {what: tuple(found) for what, found in document.get("names", {}).items()}
    return Scan(row.scanned_at, row.problem, document.get("counts", {}), names)


def keep_scan(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    scan: Scan,
    next_at: datetime,
) -> None:
    """Write down what a look found, or why it failed, and when the next one is."""
    document = {"counts": dict(scan.counts), "names": {what: list(names) for what, names in scan.names.items()}}
    connection.execute(sa.delete(cluster_scan).where(cluster_scan.c.cluster_id == cluster_id))
    connection.execute(
        sa.insert(cluster_scan).values(
            cluster_id=cluster_id,
            organization_id=organization_id,
            next_at=next_at,
            scanned_at=scan.scanned_at,
            problem=scan.problem,
            document=orjson.dumps(document).decode(),
        )
    )
