"""The organizations and clusters that a person names."""

from scim_bridge.errors import NotFound
from scim_bridge.store.cluster_registry import RegisteredCluster, find_cluster, list_clusters
from scim_bridge.store.database import Connection
from scim_bridge.store.organizations import Organization, find_organization


def the_organization(connection: Connection, named: str) -> Organization:
    """Return the organization with this slug or id; raises NotFound."""
    found = find_organization(connection, named)
    if found is None:
        raise NotFound(f"There is no organization {named!r}.")
    return found


def the_cluster(connection: Connection, owner: Organization, named: str) -> RegisteredCluster:
    """Return the organization's cluster with this name or id; raises NotFound."""
    found = find_cluster(connection, owner.id, named)
    if found is None:
        raise NotFound(f"There is no cluster {named!r} in the organization {owner.slug}.")
    return found


def the_clusters(connection: Connection, owner: Organization, named: str | None) -> list[RegisteredCluster]:
    """Return the cluster that is named, or all of the organization, by name."""
    return list_clusters(connection, owner.id) if named is None else [the_cluster(connection, owner, named)]
