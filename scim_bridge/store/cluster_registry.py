"""The registered clusters: what their targets are, and how they are opened. Credentials are sealed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import CaseRule, Cluster, ClusterId, OrganizationId, TargetKind, UnitId
from scim_bridge.store.changes import Change
from scim_bridge.store.history import record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.plans import stop_waiting
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    cluster,
    cluster_sign_in,
    cluster_sync,
    removal_request,
    removal_request_cluster,
)
from scim_bridge.store.tree import cluster_of

UNAPPROVED = "unapproved"
ACTIVE = "active"
REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class NewTarget:
    """
    What a cluster is registered with.

    A Kubernetes API has a sealed kubeconfig, or none for the service account of the pod; manifests have a folder.
    """

    name: str
    unit_id: UnitId | None
    kind: TargetKind
    user_template: str
    address: str
    sealed_credential: str | None = field(default=None, repr=False)
    folder: str | None = None
    allow_cluster_admin: bool = False
    allow_label_selectors: bool = False
    approved: bool = False
    case_rule: CaseRule = CaseRule.KEEP
    bridge_namespace: str = "scim-bridge"


@dataclass(frozen=True, slots=True)
class RegisteredCluster:
    """One cluster with its policy and its target."""

    cluster: Cluster
    organization_id: OrganizationId
    kind: TargetKind
    state: str
    address: str
    folder: str | None
    approved_first_plan: bool
    created_at: datetime
    sealed_credential: str | None = field(default=None, repr=False)

    @property
    def id(self) -> ClusterId:
        """Return the cluster's id."""
        return self.cluster.id

    @property
    def name(self) -> str:
        """Return the cluster's name in its organization."""
        return self.cluster.name


def insert_cluster(connection: sa.Connection, change: Change, target: NewTarget) -> RegisteredCluster:
    """Register a cluster; its first pass is due at once, and waits for its approval if it has none."""
    cluster_id = ClusterId(new_id())
    state = ACTIVE if target.approved else UNAPPROVED
    connection.execute(
        sa.insert(cluster).values(
            id=cluster_id,
            organization_id=change.organization_id,
            unit_id=target.unit_id,
            name=target.name,
            target_kind=target.kind.value,
            state=state,
            sealed_credential=target.sealed_credential,
            folder=target.folder,
            address=target.address,
            user_template=target.user_template,
            case_rule=target.case_rule.value,
            bridge_namespace=target.bridge_namespace,
            allow_cluster_admin=target.allow_cluster_admin,
            allow_label_selectors=target.allow_label_selectors,
            approved_first_plan=target.approved,
            created_at=change.at,
        )
    )
    connection.execute(sa.insert(cluster_sync).values(cluster_id=cluster_id, organization_id=change.organization_id))
    record_fact(connection, change, "cluster", cluster_id, "unit", target.unit_id)
    record_fact(connection, change, "cluster", cluster_id, "state", state)
    return read_target(connection, cluster_id)


def read_target(connection: sa.Connection, cluster_id: ClusterId) -> RegisteredCluster:
    """Return a cluster that is known to exist, removed ones too."""
    return _registered(connection.execute(sa.select(cluster).where(cluster.c.id == cluster_id)).one())


def find_cluster(connection: sa.Connection, organization_id: OrganizationId, named: str) -> RegisteredCluster | None:
    """Return the organization's cluster with this name or id; an id wins over a name that looks like one."""
    query = _of(organization_id).where(sa.or_(cluster.c.name == named, cluster.c.id == named))
    row = connection.execute(query.order_by(sa.case((cluster.c.id == named, 0), else_=1))).first()
    return None if row is None else _registered(row)


def list_clusters(connection: sa.Connection, organization_id: OrganizationId) -> list[RegisteredCluster]:
    """Return the organization's clusters, by name."""
    return [_registered(row) for row in connection.execute(_of(organization_id).order_by(cluster.c.name))]


def find_anywhere(connection: sa.Connection, cluster_id: ClusterId) -> tuple[OrganizationId, str] | None:
    """Return the organization and the state of a cluster, whose ever it is; for what lies outside, like a folder."""
    row = connection.execute(
        sa.select(cluster.c.organization_id, cluster.c.state).where(cluster.c.id == cluster_id)
    ).one_or_none()
    return None if row is None else (OrganizationId(row.organization_id), str(row.state))


def replace_credential(
    connection: sa.Connection, change: Change, cluster_id: ClusterId, sealed: str | None, address: str
) -> None:
    """Give a cluster another credential, and let it be tried at once whatever failed with the old one."""
    connection.execute(
        sa.update(cluster).where(cluster.c.id == cluster_id).values(sealed_credential=sealed, address=address)
    )
    connection.execute(sa.update(cluster_sync).where(cluster_sync.c.cluster_id == cluster_id).values(retry_at=None))


def count_applied(connection: sa.Connection, cluster_id: ClusterId) -> int:
    """Return how many of our objects were last seen on a cluster."""
    query = sa.select(sa.func.count()).select_from(applied_binding).where(applied_binding.c.cluster_id == cluster_id)
    return int(connection.execute(query).scalar_one())


def activate_cluster(connection: sa.Connection, change: Change, cluster_id: ClusterId) -> None:
    """Let passes write to a cluster from now on: somebody approved its first plan."""
    connection.execute(
        sa.update(cluster).where(cluster.c.id == cluster_id).values(state=ACTIVE, approved_first_plan=True)
    )
    record_fact(connection, change, "cluster", cluster_id, "state", ACTIVE)


def remove_cluster(connection: sa.Connection, change: Change, cluster_id: ClusterId) -> None:
    """Forget a cluster: nothing is read from or written to it any more, and nothing waits for it."""
    connection.execute(
        sa.update(cluster)
        .where(cluster.c.id == cluster_id)
        .values(state=REMOVED, removed_at=change.at, sealed_credential=None)
    )
    record_fact(connection, change, "cluster", cluster_id, "state", REMOVED)
    connection.execute(sa.delete(applied_subject).where(applied_subject.c.cluster_id == cluster_id))
    connection.execute(sa.delete(applied_binding).where(applied_binding.c.cluster_id == cluster_id))
    connection.execute(sa.delete(cluster_sign_in).where(cluster_sign_in.c.cluster_id == cluster_id))
    stop_waiting(connection, cluster_id)
    _stop_removals(connection, change, cluster_id)


def _stop_removals(connection: sa.Connection, change: Change, cluster_id: ClusterId) -> None:
    """Void what is open on this cluster, and close the removals that waited for nothing else."""
    parts = removal_request_cluster
    waiting = sa.select(parts.c.removal_request_id).where(parts.c.cluster_id == cluster_id, parts.c.state == "open")
    concerned = list(connection.execute(waiting).scalars())
    connection.execute(
        sa.update(parts)
        .where(parts.c.cluster_id == cluster_id, parts.c.state == "open")
        .values(state="void", done_at=change.at)
    )
    still_open = sa.exists().where(parts.c.removal_request_id == removal_request.c.id, parts.c.state == "open")
    for request_id in concerned:
        connection.execute(
            sa.update(removal_request)
            .where(removal_request.c.id == request_id, ~still_open)
            .values(closed_at=change.at, outcome="void")
        )


def _of(organization_id: OrganizationId) -> sa.Select[Any]:
    return sa.select(cluster).where(cluster.c.organization_id == organization_id, cluster.c.removed_at.is_(None))


def _registered(row: sa.Row[Any]) -> RegisteredCluster:
    return RegisteredCluster(
        cluster_of(row),
        row.organization_id,
        TargetKind(row.target_kind),
        row.state,
        row.address,
        row.folder,
        row.approved_first_plan,
        row.created_at,
        row.sealed_credential,
    )
