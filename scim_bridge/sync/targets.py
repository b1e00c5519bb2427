"""The gateways of the registered clusters, kept open: a removal must not wait for a TLS handshake."""

import threading
from dataclasses import dataclass

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.organizations import ClusterId, TargetKind
from scim_bridge.errors import NotFound
from scim_bridge.settings import Settings
from scim_bridge.store.cluster_registry import REMOVED, RegisteredCluster, read_target
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.sealing import Keyring


@dataclass(frozen=True, slots=True)
class _Open:
    """A gateway and what it was opened with: another credential or folder makes another gateway."""

    gateway: Gateway
    opened_with: tuple[str | None, str | None]


class Targets:
    """Opens a cluster's gateway once and hands it out again; may be used from several threads."""

    def __init__(self, database: Database, keyring: Keyring, settings: Settings) -> None:
        """Prepare; nothing is opened yet."""
        self._database = database
        self._keyring = keyring
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: dict[ClusterId, _Open] = {}

    def open(self, cluster_id: ClusterId) -> Gateway:
        """
        Return the cluster's gateway; it stays open for the next caller, who must not close it.

        Raises StoreError when its credential cannot be unsealed, Invalid or ClusterDenied when it cannot be used, and
        NotFound when it was removed: without its credential it would be taken for the cluster we run in.
        """
        with self._database.read() as connection:
            registered = read_target(connection, cluster_id)
            instance = instance_id(connection)
        if registered.state == REMOVED:
            raise NotFound(f"The cluster {registered.name} was removed.")
        wanted = (registered.sealed_credential, registered.folder)
        with self._lock:
            found = self._opened.get(cluster_id)
            if found is not None and found.opened_with == wanted:
                return found.gateway
            gateway = open_gateway(self._target(registered, instance))
            self._opened[cluster_id] = _Open(gateway, wanted)
        if found is not None:
            found.gateway.close()
        return gateway

    def close(self) -> None:
        """Close every gateway."""
        with self._lock:
            opened, self._opened = self._opened, {}
        for each in opened.values():
            each.gateway.close()

    def _target(self, registered: RegisteredCluster, instance: str) -> Target:
        kubeconfig = None
        if registered.kind is TargetKind.KUBERNETES and registered.sealed_credential is not None:
            kubeconfig = self._keyring.open(registered.sealed_credential)
        return Target(
            registered.kind,
            registered.organization_id,
            registered.id,
            instance,
            kubeconfig,
            registered.folder,
            self._settings.cluster_connect_seconds,
            self._settings.cluster_read_seconds,
            self._settings.cluster_writers,
            self._settings.requests_per_cluster_second,
        )
