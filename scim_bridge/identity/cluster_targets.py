"""What a cluster is registered with: a kubeconfig, this pod's service account, or a folder; and whether it will do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from scim_bridge.clusters.bootstrap import bootstrap_manifest
from scim_bridge.clusters.gateway import PreflightProblem as PreflightProblem
from scim_bridge.clusters.guards import Extras as Extras
from scim_bridge.clusters.kubeconfig import (
    IN_CLUSTER,
    credential_expiry,
    in_cluster_kubeconfig,
    parse_kubeconfig,
    read_kubeconfig,
    reduce_kubeconfig,
)
from scim_bridge.clusters.manifest_files import Owner
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, Invalid
from scim_bridge.identity.runtime import Keyring, Runtime
from scim_bridge.store import cluster_registry as store
from scim_bridge.store.cluster_registry import RegisteredCluster
from scim_bridge.store.database import Connection


@dataclass(frozen=True, slots=True)
class TargetNamed:
    """Where a person says the bindings go to: exactly one of the three."""

    kubeconfig: Path | None = None
    manifests: Path | None = None
    in_cluster: bool = False


@dataclass(frozen=True, slots=True)
class TargetRead:
    """A target that was read and makes sense, with its credential in the clear: sealed before it is stored."""

    kind: TargetKind
    address: str
    folder: str | None = None
    kubeconfig: str | None = field(default=None, repr=False)

    def sealed(self, keyring: Keyring) -> str | None:
        """Return the credential as it is stored."""
        return None if self.kubeconfig is None else keyring.seal(self.kubeconfig)


def read_target(named: TargetNamed) -> TargetRead:
    """Read what was named; raises Invalid with one sentence that holds no secret."""
    if [named.kubeconfig is not None, named.manifests is not None, named.in_cluster].count(True) != 1:
        raise Invalid("Name one target: a kubeconfig, a folder of manifests, or the cluster this process runs in.")
    if named.manifests is not None:
        # Other processes have other working directories.
        folder = str(named.manifests.resolve())
        return TargetRead(TargetKind.MANIFESTS, folder, folder=folder)
    if named.kubeconfig is None:
        return TargetRead(TargetKind.KUBERNETES, in_cluster_kubeconfig())
    return target_of(read_kubeconfig(named.kubeconfig))


def kubeconfig_text(file: Path) -> str:
    """Return a kubeconfig file's current context as a self-contained text; raises Invalid with one sentence."""
    return read_kubeconfig(file)


def target_of(kubeconfig: str) -> TargetRead:
    """Return the target that a kubeconfig's text names; raises Invalid with one sentence that holds no secret."""
    text = reduce_kubeconfig(kubeconfig)
    return TargetRead(TargetKind.KUBERNETES, parse_kubeconfig(text).server, kubeconfig=text)


def same_credential(keyring: Keyring, registered: RegisteredCluster, given: TargetRead) -> bool:
    """Tell whether a cluster has this very credential; raises StoreError when the stored one cannot be opened."""
    if registered.sealed_credential is None or given.kubeconfig is None:
        return registered.sealed_credential is None and given.kubeconfig is None
    return keyring.open(registered.sealed_credential) == given.kubeconfig


def look_over(
    runtime: Runtime, registered: RegisteredCluster, given: TargetRead, instance: str, at: datetime
) -> tuple[PreflightProblem, ...]:
    """Ask a target what would keep its passes from working; nothing is changed there, and nothing is raised."""
    roles = [KubernetesRole.VIEW, KubernetesRole.EDIT]
    if registered.cluster.allow_cluster_admin:
        roles.append(KubernetesRole.CLUSTER_ADMIN)
    problems = _expiry(given.kubeconfig or IN_CLUSTER, at)
    try:
        gateway = open_gateway(
            Target(
                given.kind,
                registered.organization_id,
                registered.id,
                instance,
                given.kubeconfig,
                given.folder,
                runtime.settings.cluster_connect_seconds,
                runtime.settings.cluster_read_seconds,
            )
        )
        try:
            return (*problems, *gateway.preflight(roles))
        finally:
            gateway.close()
    except (ClusterError, Invalid) as error:
        return (*problems, PreflightProblem(type(error).__name__, str(error)))


def forgotten_owner(connection: Connection, organization_id: OrganizationId, instance: str) -> Callable[[Owner], bool]:
    """
    Return what tells whether a folder's owner has no use for it any more.

    That is a removed cluster of this organization, or one of this installation whose registration never came to an
    end: the marker is written before the commit, so that a folder that cannot be had changes nothing.
    """

    def is_forgotten(owner: Owner) -> bool:
        found = store.find_anywhere(connection, ClusterId(owner.cluster))
        if found is None:
            return owner.instance == instance
        return found == (organization_id, store.REMOVED)

    return is_forgotten


def bootstrap(namespace: str, service_account: str, roles: Iterable[str], extras: Extras) -> str:
    """Return the manifest that gives the bridge its identity on a cluster; raises Invalid for an unknown role."""
    bindable = [role.value for role in KubernetesRole if role is not KubernetesRole.NONE]
    for each in roles:
        if each not in bindable:
            raise Invalid(f"{each!r} is not a role the bridge can bind: {', '.join(bindable)}.", field="role")
    return bootstrap_manifest(namespace, service_account, [KubernetesRole(each) for each in roles], extras)


def _expiry(credential: str, at: datetime) -> tuple[PreflightProblem, ...]:
    ends = credential_expiry(credential)
    if ends is None:
        return ()
    text = f"{ends:%Y-%m-%d %H:%M} UTC: give a new one with `scim-bridge cluster update NAME --kubeconfig FILE`."
    if ends <= at:
        return (PreflightProblem("CredentialExpired", f"The credential ended at {text}"),)
    return (PreflightProblem("CredentialEnds", f"The credential ends at {text}"),)
