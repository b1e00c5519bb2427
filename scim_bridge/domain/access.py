"""
Who has which role where, and why.

API roles are the union of all grants at a scope and above it; there is no deny. A cluster's Kubernetes role
for a person is what the most specific scope says; project and service grants add roles in namespaces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, ScopeKind, Tree
from scim_bridge.domain.people import GroupFacts, GroupId, Member, MemberId, MemberState, groups_above
from scim_bridge.domain.roles import KubernetesRole, api_role_strength

GrantId = NewType("GrantId", str)


class OriginKind(StrEnum):
    """Where a grant comes from; it goes when its last origin goes."""

    MANUAL = "manual"
    INVITATION = "invitation"
    RULE = "rule"
    DEFAULT = "default"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Origin:
    """One reason for a grant; a rule's origin carries the rule's name and priority (lowest wins)."""

    kind: OriginKind
    rule: str | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A member or a group (exactly one) holds an API role and/or a Kubernetes role at a scope."""

    id: GrantId
    scope: Scope
    member_id: MemberId | None = None
    group_id: GroupId | None = None
    api_role: str | None = None
    kubernetes_role: KubernetesRole | None = None
    origins: tuple[Origin, ...] = (Origin(OriginKind.MANUAL),)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    All that one organization's access is derived from, as one read transaction saw it.

    ``revision`` is the newest change row in it. ``groups_of`` holds direct memberships that are in force (held
    ones included), ``parents_of`` maps a group to the groups that contain it. Expired rows are left out. ``groups``
    are those that hold a grant; they are known only where a cluster lets groups stand for people.
    """

    organization_id: OrganizationId
    revision: str
    tree: Tree
    members: Mapping[MemberId, Member] = field(default_factory=dict)
    groups_of: Mapping[MemberId, tuple[GroupId, ...]] = field(default_factory=dict)
    parents_of: Mapping[GroupId, tuple[GroupId, ...]] = field(default_factory=dict)
    grants_of_member: Mapping[MemberId, tuple[Grant, ...]] = field(default_factory=dict)
    grants_of_group: Mapping[GroupId, tuple[Grant, ...]] = field(default_factory=dict)
    groups: Mapping[GroupId, GroupFacts] = field(default_factory=dict)

    def grants_for(self, member_id: MemberId) -> list[Grant]:
        """Return a member's own grants and those of every group they are in; none unless they are active."""
        member = self.members.get(member_id)
        if member is None or member.state is not MemberState.ACTIVE:
            return []
        grants = list(self.grants_of_member.get(member_id, ()))
        for group_id in sorted(groups_above(self.groups_of.get(member_id, ()), self.parents_of)):
            grants.extend(self.grants_of_group.get(group_id, ()))
        return grants


class Verdict(StrEnum):
    """What became of one grant in a decision."""

    STANDS = "stands"
    SHADOWED = "shadowed by a rule of lower priority number"
    WEAKER = "a stronger role is granted at the same scope"
    LESS_SPECIFIC = "a more specific scope says something"


@dataclass(frozen=True, slots=True)
class Step:
    """One grant that was looked at, and what became of it."""

    grant: Grant
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ClusterDecision:
    """
    A person's cluster-wide Kubernetes role on one cluster.

    ``role`` None means that no scope says anything; NONE means that one says "nothing".
    """

    role: KubernetesRole | None = None
    scope: Scope | None = None
    steps: tuple[Step, ...] = ()

    @property
    def bound(self) -> KubernetesRole | None:
        """Return the role to bind, or None where nothing is bound."""
        return None if self.role is KubernetesRole.NONE else self.role


def cluster_role(tree: Tree, cluster_id: ClusterId, grants: Iterable[Grant]) -> ClusterDecision:
    """Decide a person's cluster-wide role: the most specific scope that says something wins."""
    by_scope = _by_scope(grant for grant in grants if grant.kubernetes_role is not None)
    decided: ClusterDecision | None = None
    steps: list[Step] = []
    for scope in tree.scopes_of_cluster(cluster_id):
        spoken = by_scope.get(scope)
        if not spoken:
            continue
        if decided is not None:
            steps.extend(Step(grant, Verdict.LESS_SPECIFIC) for grant in spoken)
            continue
        role, scope_steps = strongest_kubernetes_role(spoken)
        steps.extend(scope_steps)
        decided = ClusterDecision(role, scope)
    if decided is None:
        return ClusterDecision()
    return ClusterDecision(decided.role, decided.scope, tuple(steps))


def strongest_kubernetes_role(grants: Iterable[Grant]) -> tuple[KubernetesRole | None, list[Step]]:
    """
    Pick the role that one scope's grants give one person.

    Among rules only the lowest priority number stands; then the strongest wins, and ``none`` is the weakest.
    """
    spoken = [grant for grant in grants if grant.kubernetes_role is not None]
    standing = standing_grants(spoken)
    role = max(
        (grant.kubernetes_role for grant in standing if grant.kubernetes_role),
        key=lambda candidate: candidate.strength,
        default=None,
    )
    steps = []
    for grant in spoken:
        if grant not in standing:
            verdict = Verdict.SHADOWED
        else:
            verdict = Verdict.STANDS if grant.kubernetes_role is role else Verdict.WEAKER
        steps.append(Step(grant, verdict))
    return role, steps


def standing_grants(grants: list[Grant]) -> list[Grant]:
    """
    Return the grants of one scope and axis that are not shadowed.

    Priority only decides between rules: a grant with any other origin always stands.
    """
    lowest = _lowest_priority(grants)
    return [grant for grant in grants if not _is_by_rule_only(grant) or _has_rule_of(grant, lowest)]


def _lowest_priority(grants: list[Grant]) -> int | None:
    return min(
        (origin.priority or 0 for grant in grants for origin in grant.origins if origin.kind is OriginKind.RULE),
        default=None,
    )


def _is_by_rule_only(grant: Grant) -> bool:
    return all(origin.kind is OriginKind.RULE for origin in grant.origins)


def _has_rule_of(grant: Grant, priority: int | None) -> bool:
    return any(origin.kind is OriginKind.RULE and (origin.priority or 0) == priority for origin in grant.origins)


def scope_roles(grants: Iterable[Grant]) -> dict[Scope, KubernetesRole]:
    """
    Return what each project and service scope adds in its namespaces.

    ``none`` adds nothing, and cluster-admin is not grantable there.
    """
    spoken = _by_scope(
        grant
        for grant in grants
        if grant.scope.kind in (ScopeKind.PROJECT, ScopeKind.SERVICE)
        and grant.kubernetes_role is not None
        and grant.kubernetes_role is not KubernetesRole.CLUSTER_ADMIN
    )
    roles = {scope: _strongest(there) for scope, there in spoken.items()}
    return {scope: role for scope, role in roles.items() if role is not None and role is not KubernetesRole.NONE}


def _strongest(grants: list[Grant]) -> KubernetesRole | None:
    # One alone is what most people have at a scope, and nothing can shadow it.
    return grants[0].kubernetes_role if len(grants) == 1 else strongest_kubernetes_role(grants)[0]


def api_roles(tree: Tree, scope: Scope, grants: Iterable[Grant]) -> frozenset[str]:
    """Return every API role a person holds at a scope: the union of what stands there and above it."""
    by_scope = _by_scope(grant for grant in grants if grant.api_role is not None)
    held: set[str] = set()
    for place in tree.lineage(scope):
        held |= {grant.api_role for grant in standing_api_grants(by_scope.get(place, [])) if grant.api_role}
    return frozenset(held)


def standing_api_grants(grants: list[Grant]) -> list[Grant]:
    """Return the API grants of one scope that stand; rules of one priority keep only the strongest role."""
    lowest = _lowest_priority(grants)
    strengths = [api_role_strength(g.api_role or "") for g in grants if _has_rule_of(g, lowest)]
    strongest = max(strengths, default=0)
    standing = standing_grants(grants)
    return [g for g in standing if not _is_by_rule_only(g) or api_role_strength(g.api_role or "") == strongest]


def _by_scope(grants: Iterable[Grant]) -> dict[Scope, list[Grant]]:
    found: dict[Scope, list[Grant]] = {}
    for grant in grants:
        found.setdefault(grant.scope, []).append(grant)
    return found
