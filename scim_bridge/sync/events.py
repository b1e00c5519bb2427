"""Kubernetes Events about what a person has to see to, on clusters that want them; nothing ever waits for one."""

from collections.abc import Iterable
from datetime import datetime

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.notices import notices
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterError
from scim_bridge.log import get_logger
from scim_bridge.store.cluster_registry import read_target
from scim_bridge.store.database import Database
from scim_bridge.store.safety import read_safety

log = get_logger(__name__)


def tell(
    database: Database, gateway: Gateway, cluster_id: ClusterId, conditions: Iterable[Condition], at: datetime
) -> None:
    """Write an Event for each condition that is worth one; what the cluster does not take is only logged."""
    found = notices(cluster_id, conditions, at)
    if not found:
        return
    with database.read() as connection:
        if not read_safety(connection, cluster_id).events:
            return
        namespace = read_target(connection, cluster_id).cluster.bridge_namespace
    try:
        for each in found:
            gateway.tell(namespace, each, at)
    except ClusterError as error:
        # The conditions say the same, and stay.
        log.info("an Event could not be written", cluster=cluster_id, reason=str(error))
