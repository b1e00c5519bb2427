"""Counters of clusters: added to in the transaction that what they count is written in, and read by who watches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.schema import cluster, cluster_counter, organization

PASSES = "passes"
"""Passes that ended, by their state."""
WRITES = "writes"
"""Writes by ``verb code``: what was to be done, and ok or the class of the cluster's refusal."""
DRIFT = "drift"
"""Bindings that a pass found otherwise than they were written: missing or edited."""
PASS_SECONDS = "pass_seconds"
REVOCATION_SECONDS = "revocation_seconds"
SUM = "sum"
PASS_BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Amounts = Mapping[tuple[str, str], float]
"""What to add, by name and label."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter of one cluster."""

    organization: str
    cluster: str
    name: str
    label: str
    amount: float


def count(connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId, amounts: Amounts) -> None:
    """Add to a cluster's counters."""
    rows = [
        {
            "cluster_id": cluster_id,
            "organization_id": organization_id,
            "name": name,
            "label": label[:64],
            "amount": float(amount),
        }
        # In one order always: two that add to the same rows must not wait for one another.
        for (name, label), amount in sorted(amounts.items())
        if amount
    ]
    if not rows:
        return
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(cluster_counter)
    added = added.on_conflict_do_update(
        index_elements=["cluster_id", "name", "label"],
        set_={"amount": cluster_counter.c.amount + added.excluded.amount},
    )
    connection.execute(added, rows)


def observed(name: str, seconds: Sequence[float], bounds: Sequence[float]) -> dict[tuple[str, str], float]:
    """Return what durations add to a histogram: each to the first bound that holds it, and all to the sum."""
    found: dict[tuple[str, str], float] = {}
    for each in seconds:
        label = next((f"{bound:g}" for bound in bounds if each <= bound), "+Inf")
        found[name, label] = found.get((name, label), 0) + 1
    if seconds:
        found[name, SUM] = sum(seconds)
    return found


def read_counters(connection: sa.Connection) -> list[Counted]:
    """Return the counters of all registered clusters, by organization and cluster."""
    query = (
        sa.select(
            organization.c.slug,
            cluster.c.name,
            cluster_counter.c.name,
            cluster_counter.c.label,
            cluster_counter.c.amount,
        )
        .join(cluster, cluster.c.id == cluster_counter.c.cluster_id)
        .join(organization, organization.c.id == cluster.c.organization_id)
        .where(cluster.c.removed_at.is_(None), organization.c.removed_at.is_(None))
        .order_by(organization.c.slug, cluster.c.name, cluster_counter.c.name, cluster_counter.c.label)
    )
    return [Counted(*row) for row in connection.execute(query)]
