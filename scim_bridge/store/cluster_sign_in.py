"""How people sign in to each cluster themselves."""

from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.kubeconfigs import ClusterSignIn
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.changes import Change
from scim_bridge.store.schema import cluster_sign_in


def read_sign_in(connection: sa.Connection, cluster_id: ClusterId) -> ClusterSignIn | None:
    """Return how people sign in to a cluster, None where nobody has said."""
    row = connection.execute(sa.select(cluster_sign_in).where(cluster_sign_in.c.cluster_id == cluster_id)).one_or_none()
    return None if row is None else _sign_in(row)


def sign_ins_of(connection: sa.Connection, organization_id: OrganizationId) -> dict[ClusterId, ClusterSignIn]:
    """Return how people sign in to each cluster of an organization about which somebody has said."""
    query = sa.select(cluster_sign_in).where(cluster_sign_in.c.organization_id == organization_id)
    return {ClusterId(row.cluster_id): _sign_in(row) for row in connection.execute(query)}


def write_sign_in(connection: sa.Connection, change: Change, cluster_id: ClusterId, wanted: ClusterSignIn) -> None:
    """Say how people sign in to a cluster, in place of what was said."""
    remove_sign_in(connection, cluster_id)
    connection.execute(
        sa.insert(cluster_sign_in).values(
            cluster_id=cluster_id,
            organization_id=change.organization_id,
            server=wanted.server,
            authority=wanted.authority,
            issuer=wanted.issuer,
            client_id=wanted.client_id,
            scopes=orjson.dumps(wanted.scopes).decode(),
            updated_at=change.at,
        )
    )


def remove_sign_in(connection: sa.Connection, cluster_id: ClusterId) -> bool:
    """Say nothing any more of how people sign in to a cluster; tell whether something was said."""
    removing = sa.delete(cluster_sign_in).where(cluster_sign_in.c.cluster_id == cluster_id)
    return connection.execute(removing).rowcount > 0


def _sign_in(row: sa.Row[Any]) -> ClusterSignIn:
    return ClusterSignIn(row.server, row.issuer, row.client_id, tuple(orjson.loads(row.scopes)), row.authority)
