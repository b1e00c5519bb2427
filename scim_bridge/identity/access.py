"""Use cases of access: say which roles a person has where, because of what, since when, and what was overruled."""

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
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.bindings import parse_key, render_subject
from scim_bridge.domain.namespaces import map_namespaces
from scim_bridge.domain.organizations import Cluster, ClusterId, Tree
from scim_bridge.domain.people import Member, groups_above
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.access_causes import Cause, Chains
from scim_bridge.identity.access_moments import known_since, the_moment, the_person
from scim_bridge.identity.authority import Authority, opened_organization
from scim_bridge.identity.names import scope_text
from scim_bridge.store import explain as store
from scim_bridge.store import turning_points as points
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.explain import OpenRemoval, When
from scim_bridge.store.held_then import bindings_held_then
from scim_bridge.store.organizations import Organization
from scim_bridge.store.snapshot import read_members
from scim_bridge.store.turning_points import TurningPoint as TurningPoint

SEEING = "members:read"
ME = "me"


@dataclass(frozen=True, slots=True)
class Reason:
    """One grant that speaks about a cluster, in words, and what became of it."""

    role: str
    scope: str
    through: str
    origins: tuple[str, ...]
    since: datetime | None
    verdict: str
    causes: tuple[Cause, ...] = ()


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
    """One person's access, now or ``at`` a moment; names, and the subject they are rendered to, are today's."""

    person: Member
    at: datetime | None
    groups: tuple[str, ...] = ()
    api_roles: tuple[str, ...] = ()
    clusters: tuple[ClusterAccess, ...] = field(default=())


def explain(
    database: Database,
    actor: Actor,
    organization: str,
    person: str,
    cluster: str | None = None,
    at: str | None = None,
) -> Explanation:
    """
    Explain a person's access on one cluster or all, now or at a moment of the past.

    Everybody may ask about themselves ("me"), about others who may see members. Raises NotFound for a person or
    cluster that is not here, Refused, and Invalid for a moment that is not known.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        when = the_moment(connection, owner, at)
        member = whom_they_may_see(connection, owner, asker, person, when)
        return explain_member(connection, owner, member, when, cluster, asker.tree)


def turning_points(
    database: Database, actor: Actor, organization: str, person: str, limit: int = 12
) -> list[TurningPoint]:
    """
    Return the latest moments at which a person's state, groups or grants changed, the oldest of them first.

    Each is one that `explain` can be asked about. Whom one may ask about is as there.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        # Somebody who was removed since is known by the name that they had.
        member = whom_they_may_see(connection, owner, asker, person, When(now(), is_past=True))
        since = known_since(connection, owner)
        return [each for each in points.turning_points(connection, member.id, limit) if each.at >= since]


def explain_member(
    connection: Connection,
    owner: Organization,
    member: Member,
    when: When,
    cluster: str | None = None,
    tree: Tree | None = None,
) -> Explanation:
    """
    Explain a person's access within a read that is open; raises NotFound for a cluster that is not here.

    ``tree`` is today's, as the same read has it already.
    """
    known = None if when.is_past else tree
    snapshot = read_members(connection, owner.id, [member.id], when.at, is_past=when.is_past, tree=known)
    then = snapshot.members.get(member.id, member)
    wanted = [c for c in snapshot.tree.clusters.values() if cluster in (None, c.name, c.id)]
    if cluster is not None and not wanted:
        raise NotFound(f"There is no cluster {cluster!r} in the organization {owner.slug}.")
    explainer = Explainer(connection, snapshot, then, when)
    return Explanation(
        then,
        when.at if when.is_past else None,
        explainer.group_names(),
        tuple(sorted(api_roles(snapshot.tree, snapshot.tree.root, snapshot.grants_for(member.id)))),
        tuple(explainer.on(each) for each in sorted(wanted, key=lambda each: each.name)),
    )


def whom_they_may_see(connection: Connection, owner: Organization, asker: Authority, person: str, when: When) -> Member:
    """Return a person whose access somebody may see: themselves, or anybody for who may see members."""
    if person == ME and asker.member_id is not None:
        person = asker.member_id
    if not asker.may(SEEING):
        # Who is there at all is nothing to find out by trying names.
        own = the_person(connection, owner, asker.member_id or "", when)
        if person.casefold() not in (each.casefold() for each in (own.id, own.user_name, own.email or own.id)):
            asker.require(SEEING)
        return own
    return the_person(connection, owner, person, when)


class Explainer:
    """Turns one person's decisions into words."""

    def __init__(self, connection: Connection, snapshot: Snapshot, member: Member, when: When) -> None:
        """Read what stands beside the snapshot."""
        self._snapshot = snapshot
        self._member = member
        self._grants = snapshot.grants_for(member.id)
        self._direct = snapshot.groups_of.get(member.id, ())
        self._chains = Chains(connection, snapshot, member, self._grants, when)
        self._held = _held_now(connection, member) if not when.is_past else self._held_then(connection, when)
        self._removals = store.open_removals(connection, member.id, when)

    def group_names(self) -> tuple[str, ...]:
        """Return the person's groups, those above them too."""
        above = groups_above(self._direct, self._snapshot.parents_of)
        return tuple(sorted(self._chains.name(each) for each in above))

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
            tuple(self.reason(step.grant, step.verdict.value) for step in decision.steps),
            tuple(self._namespaced(cluster)),
            tuple(held for cluster_id, held in self._held if cluster_id == cluster.id),
            tuple(each for each in self._removals if each.cluster_id in (None, cluster.id)),
            tuple(notes),
        )

    def reason(self, grant: Grant, verdict: str) -> Reason:
        """Put one grant into words."""
        return Reason(
            grant.kubernetes_role.value if grant.kubernetes_role else "",
            scope_text(self._snapshot.tree, grant.scope),
            self._through(grant),
            tuple(f"rule {o.rule}" if o.kind is OriginKind.RULE else o.kind.value for o in grant.origins),
            self._chains.since(grant),
            verdict,
            self._chains.of(grant),
        )

    def _through(self, grant: Grant) -> str:
        if grant.group_id is None:
            return "the person"
        return "group " + " in ".join(self._chains.name(each) for each in self._chains.path_to(grant.group_id))

    def _namespaced(self, cluster: Cluster) -> list[NamespaceRole]:
        found: list[NamespaceRole] = []
        added = scope_roles(self._grants)
        if not added:
            return found
        mapped = map_namespaces(self._snapshot.tree, cluster)
        for scope, role in sorted(added.items(), key=lambda each: each[0]):
            if scope not in mapped.of_scope:
                continue
            reasons = tuple(
                self.reason(grant, "stands" if grant.kubernetes_role is role else "a stronger role stands here")
                for grant in self._grants
                if grant.scope == scope and grant.kubernetes_role is not None
            )
            text = scope_text(self._snapshot.tree, scope)
            found.append(NamespaceRole(role.value, text, mapped.of_scope[scope], reasons))
        return found

    def _held_then(self, connection: Connection, when: When) -> list[tuple[str, HeldBy]]:
        clusters = self._snapshot.tree.clusters
        found = bindings_held_then(connection, list(clusters), self._member.id, when.at)
        return [
            (each.cluster_id, HeldBy(each.name, each.namespace, each.role, self._subject(each.cluster_id), each.since))
            for each in found
        ]

    def _subject(self, cluster_id: ClusterId) -> str:
        try:
            return render_subject(self._snapshot.tree.clusters[cluster_id], self._member)
        except Invalid:
            return ""


def _held_now(connection: Connection, member: Member) -> list[tuple[str, HeldBy]]:
    return [
        (
            each.cluster_id,
            HeldBy(each.name, each.namespace, parse_key(each.key).family.role.value, each.subject, each.written_at),
        )
        for each in store.bindings_holding(connection, member.id)
    ]


def _notes(cluster: Cluster, decision: ClusterDecision) -> list[str]:
    if decision.role is KubernetesRole.CLUSTER_ADMIN and not cluster.allow_cluster_admin:
        return [f"cluster-admin is granted, but {cluster.name} does not allow it: nothing is bound cluster-wide"]
    return []
