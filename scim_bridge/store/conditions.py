"""Conditions of a cluster that do not come from a pass; the next pass that is carried out takes them away."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import cluster_condition


def add_condition(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    condition: Condition,
    at: datetime,
) -> None:
    """Add one condition; one of the same kind about the same thing gets the new message and keeps its time."""
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = insert(cluster_condition).values(
        id=new_id(),
        organization_id=organization_id,
        cluster_id=cluster_id,
        kind=condition.kind,
        about=condition.about[:255],
        message=condition.message,
        since=at,
    )
    same = ["cluster_id", "kind", "about"]
    connection.execute(row.on_conflict_do_update(index_elements=same, set_={"message": condition.message}))
