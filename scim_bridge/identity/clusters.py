"""Use cases of clusters: register a target, look at it, forget it."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import ClusterId, TargetKind, Tree
from scim_bridge.errors import NotFound, Refused
from scim_bridge.identity.names import the_organization, unit_path
from scim_bridge.store import cluster_registry as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import RegisteredCluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import Organization, lock_for_rules
from scim_bridge.store.tree import read_tree


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster without its credential; ``bindings`` is how many of our objects were last seen on it."""

    id: ClusterId
    name: str
    unit: str
    kind: TargetKind
    state: str
    address: str
    user_template: str
    allow_cluster_admin: bool
    allow_label_selectors: bool
    bindings: int
    created_at: datetime
    created: bool = False


def list_all(database: Database, organization: str) -> list[ClusterView]:
    """Return the clusters, by name."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        tree = read_tree(connection, owner.id)
        return [_view(connection, tree, each) for each in store.list_clusters(connection, owner.id)]


def show(database: Database, organization: str, name: str) -> ClusterView:
    """Return one cluster; raises NotFound."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return _view(connection, read_tree(connection, owner.id), _the_cluster(connection, owner, name))


def remove(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    *,
    leave_bindings: bool = False,
    request_id: str | None = None,
) -> ClusterView:
    """
    Forget a cluster; nothing on it is touched.

    Raises Refused while our bindings are on it, unless they are to stay there with nobody to look after them.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        lock_for_rules(connection, owner.id, exclusive=True)
        found = _the_cluster(connection, owner, name)
        view = _view(connection, read_tree(connection, owner.id), found)
        if view.bindings and not leave_bindings:
            raise Refused(
                f"{view.bindings} bindings are on {name}: take the grants away first, or leave them there for good "
                "with --leave-bindings."
            )
        change = new_change(owner.id, actor, "cluster.removed", now(), request_id)
        add_change(connection, change, name)
        store.remove_cluster(connection, change, found.id)
        add_audit(connection, change, "cluster.removed", "cluster", found.id, {"name": name, "left": view.bindings})
        return view


def _the_cluster(connection: Connection, owner: Organization, name: str) -> RegisteredCluster:
    found = store.find_cluster(connection, owner.id, name)
    if found is None:
        raise NotFound(f"There is no cluster {name!r} in the organization {owner.slug}.")
    return found


def _view(connection: Connection, tree: Tree, found: RegisteredCluster, *, created: bool = False) -> ClusterView:
    return ClusterView(
        found.id,
        found.name,
        unit_path(tree, found.cluster.unit_id),
        found.kind,
        found.state,
        found.address,
        found.cluster.user_template,
        found.cluster.allow_cluster_admin,
        found.cluster.allow_label_selectors,
        store.count_applied(connection, found.id),
        found.created_at,
        created,
    )
