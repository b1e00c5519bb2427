"""Targets, and the gateways that open them."""

from dataclasses import dataclass, field
from pathlib import Path

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.clusters.kubeconfig import IN_CLUSTER, credential_expiry
from scim_bridge.clusters.manifests import ManifestFolder
from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.errors import Invalid


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where a cluster's bindings are written to, with the credential in the clear: never stored, never logged.

    A Kubernetes API without a kubeconfig is the one whose pod this process runs in.
    """

    kind: TargetKind
    organization_id: OrganizationId
    cluster_id: ClusterId
    instance: str
    kubeconfig: str | None = field(default=None, repr=False)
    folder: str | None = None
    connect_seconds: float = 5
    read_seconds: float = 30
    writers: int = 8
    per_second: float = 200


def open_gateway(target: Target) -> Gateway:
    """
    Return the gateway of a target; nothing is sent yet, and whoever opens it closes it.

    Raises Invalid or ClusterDenied when its credential cannot be used at all.
    """
    if target.kind is TargetKind.MANIFESTS:
        if target.folder is None:
            raise Invalid("A target of manifests needs a folder.", field="folder")
        return ManifestFolder(Path(target.folder), target.instance, target.cluster_id)
    # Here, not above: the client library takes 0.4 s and 35 MiB, and the web processes never use it.
    from scim_bridge.clusters.connection import Limits, connect
    from scim_bridge.clusters.kubernetes import KubernetesCluster

    limits = Limits(target.connect_seconds, target.read_seconds, target.writers, target.per_second)
    connection = connect(target.kubeconfig, limits)
    ends = credential_expiry(target.kubeconfig or IN_CLUSTER)
    return KubernetesCluster(connection, target.instance, target.organization_id, target.cluster_id, ends)
