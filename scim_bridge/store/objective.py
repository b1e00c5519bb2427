"""How long asked-for removals took: read for people and for conditions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.objective import Timed
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.schema import removal_request, removal_request_cluster

_part = removal_request_cluster.c


def removals_on(connection: sa.Connection, cluster_id: ClusterId, since: datetime) -> list[Timed]:
    """Return the removals on a cluster that were confirmed since a moment, and all that are open."""
    return _timed(connection, _since(since).where(_part.cluster_id == cluster_id))


def removals_in(connection: sa.Connection, organization_id: OrganizationId, since: datetime) -> list[Timed]:
    """Return the same for all clusters of an organization."""
    return _timed(connection, _since(since).where(_part.organization_id == organization_id))


def _since(since: datetime) -> sa.Select[Any]:
    return (
        sa.select(removal_request.c.requested_at, _part.done_at)
        .join(removal_request, removal_request.c.id == _part.removal_request_id)
        .where(sa.or_(_part.state == "open", sa.and_(_part.state == "done", _part.done_at > since)))
    )


def _timed(connection: sa.Connection, query: sa.Select[Any]) -> list[Timed]:
    return [Timed(asked_at, done_at) for asked_at, done_at in connection.execute(query)]
