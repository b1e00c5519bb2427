"""Use cases of access: say which roles a person has where, because of what, since when, and what was overruled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scim_bridge.domain.access import (
    ClusterDecision,
    Grant,
    OriginKind,
    Snapshot,
    api_roles,
    cluster_role,
    scope_roles,
)
from scim_bridge.domain.bindings import parse_key, render_subject
from scim_bridge.domain.namespaces import map_namespaces
from scim_bridge.domain.organizations import Cluster
from scim_bridge.domain.people import GroupId, Member, groups_above
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.names import scope_text, the_member, the_organization
from scim_bridge.store import explain as store
from scim_bridge.store import grants, people
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.explain import HeldBinding, OpenRemoval
from scim_bridge.store.organizations import Organization
from scim_bridge.store.snapshot import read_members


@dataclass(frozen=True, slots=True)
class Reason:
    """One grant that speaks about a cluster, in words, and what became of it."""

    role: str
    scope: str
    through: str
    origins: tuple[str, ...]
    since: datetime | None
    verdict: str


@dataclass(frozen=True, slots=True)
class NamespaceRole:
    """A role in namespaces, from a project or service scope."""

    role: str
    scope: str
    namespaces: tuple[str, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class HeldBy:
    """An object on the cluster that holds the person's subject."""

    name: str
    namespace: str
    role: str
    subject: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """What one person has on one cluster; ``role`` None: no scope says anything."""

    cluster: str
    subject: str | None
    role: str | None
    scope: str | None
    reasons: tuple[Reason, ...] = ()
    namespaced: tuple[NamespaceRole, ...] = ()
    held_by: tuple[HeldBy, ...] = ()
    removals: tuple[OpenRemoval, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One person's access."""

    person: Member
    groups: tuple[str, ...] = ()
    api_roles: tuple[str, ...] = ()
    clusters: tuple[ClusterAccess, ...] = field(default=())


def explain(database: Database, organization: str, person: str, cluster: str | None = None) -> Explanation:
    """Explain a person's access on one cluster or all; raises NotFound for a person or cluster that is not here."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return explain_member(connection, owner, the_member(connection, owner.id, person), cluster)


def explain_member(
    connection: Connection, owner: Organization, member: Member, cluster: str | None = None
) -> Explanation:
    """Explain a person's access within a read that is open; raises NotFound for a cluster that is not here."""
    snapshot = read_members(connection, owner.id, [member.id], now())
    wanted = [c for c in snapshot.tree.clusters.values() if cluster in (None, c.name, c.id)]
    if cluster is not None and not wanted:
        raise NotFound(f"There is no cluster {cluster!r} in the organization {owner.slug}.")
    explainer = _Explainer(connection, snapshot, member)
    return Explanation(
        member,
        explainer.group_names(),
        tuple(sorted(api_roles(snapshot.tree, snapshot.tree.root, snapshot.grants_for(member.id)))),
        tuple(explainer.on(each) for each in sorted(wanted, key=lambda each: each.name)),
    )


class _Explainer:
    """Turns one person's decisions into words."""

    def __init__(self, connection: Connection, snapshot: Snapshot, member: Member) -> None:
        self._snapshot = snapshot
        self._member = member
        self._grants = snapshot.grants_for(member.id)
        self._direct = snapshot.groups_of.get(member.id, ())
        self._groups = people.names_of_groups(connection, snapshot.organization_id)
        self._joined: Mapping[GroupId, datetime] = store.memberships_since(connection, member.id)
        self._held: list[HeldBinding] = store.bindings_holding(connection, member.id)
        self._removals = store.open_removals(connection, member.id)
        above = groups_above(self._direct, snapshot.parents_of)
        origins = grants.origins_of_groups(connection, above) + grants.origins_of_members(connection, [member.id])
        self._granted: dict[str, datetime] = {}
        for origin in origins:
            self._granted[origin.grant_id] = min(origin.since, self._granted.get(origin.grant_id, origin.since))

    def group_names(self) -> tuple[str, ...]:
        """Return the person's groups, those above them too."""
        return tuple(sorted(self._name(each) for each in groups_above(self._direct, self._snapshot.parents_of)))

    def on(self, cluster: Cluster) -> ClusterAccess:
        """Explain one cluster."""
        tree = self._snapshot.tree
        decision = cluster_role(tree, cluster.id, self._grants)
        try:
            subject: str | None = render_subject(cluster, self._member)
            notes = list(_notes(cluster, decision))
        except Invalid as error:
            subject, notes = None, [str(error)]
        return ClusterAccess(
            cluster.name,
            subject,
            decision.role.value if decision.role else None,
            scope_text(tree, decision.scope) if decision.scope else None,
            tuple(self._reason(step.grant, step.verdict.value) for step in decision.steps),
            tuple(self._namespaced(cluster)),
            tuple(_held_by(each) for each in self._held if each.cluster_id == cluster.id),
            tuple(each for each in self._removals if each.cluster_id in (None, cluster.id)),
            tuple(notes),
        )

    def _namespaced(self, cluster: Cluster) -> list[NamespaceRole]:
        found = []
        mapped = map_namespaces(self._snapshot.tree, cluster)
        for scope, role in sorted(scope_roles(self._grants).items(), key=lambda each: each[0]):
            if scope not in mapped.of_scope:
                continue
            reasons = tuple(
                self._reason(grant, "stands" if grant.kubernetes_role is role else "a stronger role stands here")
                for grant in self._grants
                if grant.scope == scope and grant.kubernetes_role is not None
            )
            text = scope_text(self._snapshot.tree, scope)
            found.append(NamespaceRole(role.value, text, mapped.of_scope[scope], reasons))
        return found

    def _reason(self, grant: Grant, verdict: str) -> Reason:
        return Reason(
            grant.kubernetes_role.value if grant.kubernetes_role else "",
            scope_text(self._snapshot.tree, grant.scope),
            "the person" if grant.group_id is None else self._path_to(grant.group_id),
            tuple(f"rule {o.rule}" if o.kind is OriginKind.RULE else o.kind.value for o in grant.origins),
            self._since(grant),
            verdict,
        )

    def _path_to(self, group_id: GroupId) -> str:
        """Name the group, and where the person is in it through another, that one first."""
        paths = [[each] for each in self._direct]
        seen: set[GroupId] = set()
        while paths:
            path = paths.pop(0)
            if path[-1] == group_id:
                return "group " + " in ".join(self._name(each) for each in path)
            if path[-1] not in seen:
                seen.add(path[-1])
                paths += [[*path, parent] for parent in self._snapshot.parents_of.get(path[-1], ())]
        return f"group {self._name(group_id)}"

    def _since(self, grant: Grant) -> datetime | None:
        granted = self._granted.get(grant.id)
        joined = self._joined.get(grant.group_id) if grant.group_id is not None else None
        return max((moment for moment in (granted, joined) if moment is not None), default=None)

    def _name(self, group_id: GroupId) -> str:
        found = self._groups.get(group_id)
        return found.name if found else group_id


def _held_by(held: HeldBinding) -> HeldBy:
    return HeldBy(held.name, held.namespace, parse_key(held.key).family.role.value, held.subject, held.written_at)


def _notes(cluster: Cluster, decision: ClusterDecision) -> list[str]:
    if decision.role is KubernetesRole.CLUSTER_ADMIN and not cluster.allow_cluster_admin:
        return [f"cluster-admin is granted, but {cluster.name} does not allow it: nothing is bound cluster-wide"]
    return []
