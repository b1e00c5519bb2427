"""Use case: the kubeconfig of one person, for the clusters on which they have access today."""

from dataclasses import dataclass

from scim_bridge.clusters.member_kubeconfig import write
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.kubeconfigs import KubeconfigEntry
from scim_bridge.domain.people import MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Conflict, NotFound
from scim_bridge.identity.access import ClusterAccess, explain_member, whom_they_may_see
from scim_bridge.identity.authority import opened_organization
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import ACTIVE, RegisteredCluster, list_clusters
from scim_bridge.store.cluster_sign_in import sign_ins_of
from scim_bridge.store.database import Database
from scim_bridge.store.explain import When


@dataclass(frozen=True, slots=True)
class MemberKubeconfig:
    """A kubeconfig as YAML; ``left_out`` are the clusters of which nobody has said how people sign in to them."""

    text: str
    clusters: tuple[str, ...]
    left_out: tuple[str, ...]


def of_member(
    database: Database, actor: Actor, organization: str, person: str, cluster: str | None = None
) -> MemberKubeconfig:
    """
    Return a person's kubeconfig, without any secret: for all their clusters, or one.

    Everybody may have their own ("me"), others' who may see members. Raises NotFound for a cluster on which the person
    has no access, there or not, and Conflict when there would be nothing in it.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        member = whom_they_may_see(connection, owner, asker, person, When(now()))
        if member.state is not MemberState.ACTIVE:
            raise Conflict(f"{member.user_name} is {member.state.value}: no cluster lets them in.")
        explained = explain_member(connection, owner, member, When(now()), tree=asker.tree)
        known = {each.name: each for each in list_clusters(connection, owner.id) if each.state == ACTIVE}
        said = sign_ins_of(connection, owner.id)
    reached = {each.cluster: each for each in explained.clusters if each.cluster in known and _reaches(each, known)}
    if cluster is not None:
        reached = {name: each for name, each in reached.items() if cluster in (name, known[name].id)}
        if not reached:
            raise NotFound(f"There is no cluster {cluster!r} on which {member.user_name} has access.")
    entries = [
        KubeconfigEntry(f"{owner.slug}/{name}", said[known[name].id], _namespace(each))
        for name, each in sorted(reached.items())
        if known[name].id in said
    ]
    left_out = tuple(sorted(name for name in reached if known[name].id not in said))
    if not entries:
        raise Conflict(_nothing(member.user_name, left_out))
    return MemberKubeconfig(write(entries), tuple(each.name for each in entries), left_out)


def _reaches(each: ClusterAccess, known: dict[str, RegisteredCluster]) -> bool:
    return each.subject is not None and (_is_cluster_wide(each, known) or bool(_namespaces(each)))


def _is_cluster_wide(each: ClusterAccess, known: dict[str, RegisteredCluster]) -> bool:
    if each.role == KubernetesRole.CLUSTER_ADMIN:
        return known[each.cluster].cluster.allow_cluster_admin
    return each.role not in (None, KubernetesRole.NONE)


def _namespaces(each: ClusterAccess) -> list[str]:
    return sorted(name for role in each.namespaced if role.role != KubernetesRole.NONE for name in role.namespaces)


def _namespace(each: ClusterAccess) -> str | None:
    """Return where somebody begins who may enter some namespaces only: elsewhere kubectl would be refused."""
    return next(iter(_namespaces(each)), None) if each.role in (None, KubernetesRole.NONE) else None


def _nothing(name: str, left_out: tuple[str, ...]) -> str:
    if not left_out:
        return f"{name} has access to no cluster."
    return f"Nobody has said how people sign in to {', '.join(left_out)}: `scim-bridge cluster sign-in set` does."
