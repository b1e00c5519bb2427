"""Use cases of effective access: everything that one person may do, where, as services and screens need it at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.access import Grant, Snapshot, api_roles, cluster_role, scope_roles
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.namespaces import map_namespaces
from scim_bridge.domain.organizations import Cluster, ClusterId, ProjectId, Scope, ServiceId, Tree, UnitId
from scim_bridge.domain.people import Member
from scim_bridge.domain.permissions import Catalogue, permissions
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.identity.access import whom_they_may_see
from scim_bridge.identity.access_moments import the_moment
from scim_bridge.identity.authority import opened_organization
from scim_bridge.identity.catalogue import catalogue_then
from scim_bridge.identity.names import scope_text
from scim_bridge.store.database import Database
from scim_bridge.store.snapshot import read_members


@dataclass(frozen=True, slots=True)
class ScopeAccess:
    """What a person may do at a scope and, unless said otherwise, everywhere below it: the union of their roles."""

    scope: str
    api_roles: tuple[str, ...]
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamespaceAccess:
    """A Kubernetes role in one namespace, beside the cluster-wide one."""

    namespace: str
    role: str


@dataclass(frozen=True, slots=True)
class ClusterRoles:
    """
    What a person has on one cluster; ``role`` None: no scope says anything, ``none``: one says nothing.

    ``by`` is the scope that decides. Namespaces that are selected by label are known to the cluster alone.
    """

    cluster: str
    role: str | None
    by: str | None
    namespaces: tuple[NamespaceAccess, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectiveAccess:
    """One person's access, whole; clusters of which no scope says anything to them are left out."""

    person: Member
    at: datetime | None
    scopes: tuple[ScopeAccess, ...]
    clusters: tuple[ClusterRoles, ...]


def effective_access(
    database: Database, actor: Actor, organization: str, person: str, at: str | None = None
) -> EffectiveAccess:
    """
    Return all API permissions at each scope, and the Kubernetes role on each cluster and namespace, of one person.

    Everybody may ask about themselves ("me"), about others who may see members. The cost follows what the person has.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        when = the_moment(connection, owner, at)
        member = whom_they_may_see(connection, owner, asker, person, when)
        tree = None if when.is_past else asker.tree
        snapshot = read_members(connection, owner.id, [member.id], when.at, is_past=when.is_past, tree=tree)
        catalogue = catalogue_then(connection, owner.id, when) if when.is_past else asker.catalogue
    grants = snapshot.grants_for(member.id)
    return EffectiveAccess(
        snapshot.members.get(member.id, member),
        when.at if when.is_past else None,
        tuple(_scopes(snapshot, grants, catalogue)),
        tuple(_clusters(snapshot.tree, grants)),
    )


def _scopes(snapshot: Snapshot, grants: list[Grant], catalogue: Catalogue) -> Iterable[ScopeAccess]:
    tree = snapshot.tree
    # Below a scope at which nothing is granted to the person it is as above it.
    places = {tree.root, *(grant.scope for grant in grants if grant.api_role is not None)}
    for scope in sorted(places, key=lambda each: (len(tree.lineage(each)), scope_text(tree, each))):
        roles = api_roles(tree, scope, grants)
        if roles:
            allowed = tuple(sorted(permissions(catalogue, roles)))
            yield ScopeAccess(scope_text(tree, scope), tuple(sorted(roles)), allowed)


def _clusters(tree: Tree, grants: list[Grant]) -> Iterable[ClusterRoles]:
    spoken = [grant for grant in grants if grant.kubernetes_role is not None]
    if not spoken:
        return
    in_namespaces = scope_roles(spoken)
    reached = clusters_reached(tree, in_namespaces)
    # Most clusters of a unit are decided by the same scopes: each unit is decided once.
    by_unit: dict[UnitId | None, tuple[KubernetesRole | None, Scope | None]] = {}
    own = {grant.scope.id for grant in spoken}
    for cluster in sorted(tree.clusters.values(), key=lambda each: each.name):
        if cluster.id in own or cluster.unit_id not in by_unit:
            decision = cluster_role(tree, cluster.id, spoken)
            decided = (decision.role, decision.scope)
            if cluster.id not in own:
                by_unit[cluster.unit_id] = decided
        else:
            decided = by_unit[cluster.unit_id]
        namespaces = _namespaces(tree, cluster, in_namespaces) if cluster.id in reached else ()
        if decided[0] is not None or namespaces:
            by = None if decided[1] is None else scope_text(tree, decided[1])
            yield ClusterRoles(cluster.name, decided[0], by, namespaces)


def _namespaces(
    tree: Tree, cluster: Cluster, in_namespaces: Mapping[Scope, KubernetesRole]
) -> tuple[NamespaceAccess, ...]:
    return tuple(
        NamespaceAccess(namespace, role.value)
        for namespace, role in sorted(namespace_roles(tree, cluster.id, in_namespaces).items())
    )


def clusters_reached(tree: Tree, scopes: Iterable[Scope]) -> frozenset[ClusterId]:
    """Return the clusters that projects and services reach; on all others they give nothing."""
    found: frozenset[ClusterId] = frozenset()
    for scope in scopes:
        service = tree.services.get(ServiceId(scope.id))
        project = tree.projects.get(service.project_id if service else ProjectId(scope.id))
        if project is not None:
            found |= tree.clusters_of_project(project)
    return found


def namespace_roles(
    tree: Tree, cluster_id: ClusterId, in_namespaces: Mapping[Scope, KubernetesRole]
) -> dict[str, KubernetesRole]:
    """Return the strongest role that project and service scopes add in each namespace of a cluster."""
    of_scope = map_namespaces(tree, tree.clusters[cluster_id]).of_scope
    strongest: dict[str, KubernetesRole] = {}
    for scope, role in in_namespaces.items():
        for namespace in of_scope.get(scope, ()):
            held = strongest.get(namespace)
            if held is None or role.strength > held.strength:
                strongest[namespace] = role
    return strongest
