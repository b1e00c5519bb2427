"""What a cluster should have, from one snapshot: a pure function, near-linear in the number of people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.access import Grant, Snapshot, cluster_role, scope_roles
from scim_bridge.domain.bindings import Binding, Family, SubjectKind, render_subject, shard_bits, shard_family
from scim_bridge.domain.group_subjects import EXPANDED, Families, Place, StandIns, stand_ins
from scim_bridge.domain.namespaces import NamespaceMap, map_namespaces
from scim_bridge.domain.organizations import Cluster, ClusterId
from scim_bridge.domain.people import GroupId, MemberId, groups_above
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """Something a person should know about a cluster: ``kind`` is a CamelCase word, ``about`` the thing concerned."""

    kind: str
    about: str
    message: str


@dataclass(frozen=True, slots=True)
class Desired:
    """
    The bindings a cluster should have, whom each subject stands for, and what could not be granted.

    ``subjects`` are the users' own, of those too for whom a group stands: ``through`` says for whom each does, by
    their own subjects, and ``groups`` which group each is. Nothing may be inferred from what is missing here unless it
    is ``complete``: unknown is not empty.
    """

    bindings: tuple[Binding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    subjects: Mapping[str, MemberId] = field(default_factory=dict)
    complete: bool = True
    through: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    groups: Mapping[str, GroupId] = field(default_factory=dict)

    def everybody(self) -> Iterator[tuple[Family, str]]:
        """Yield each person's subject in each family of users, also where a group stands for them; some twice."""
        for binding in self.bindings:
            family = binding.key.family
            if family.subject_kind is SubjectKind.USER:
                yield from ((family, subject) for subject in binding.subjects)
        for (family, _), subjects in self.through.items():
            yield from ((family.of_users, subject) for subject in subjects)


def desired(
    snapshot: Snapshot,
    cluster_id: ClusterId,
    *,
    per_binding: int = 1000,
    current_bits: Mapping[Family, int] | None = None,
    namespaces: Mapping[str, Labels] | None = None,
) -> Desired:
    """
    Return what one cluster should have.

    ``current_bits`` is how each family is split now (see `shard_bits`). ``namespaces`` are the cluster's namespaces
    with their labels, needed only where selectors are used; None means unknown, and selectors then grant nothing.
    """
    cluster = snapshot.tree.clusters[cluster_id]
    mapped = map_namespaces(snapshot.tree, cluster, namespaces)
    rendered, conditions = _render_everybody(snapshot, cluster)
    conditions |= {Condition(*problem) for problem in mapped.problems}
    decide = _Decider(snapshot, cluster, mapped)
    held: dict[MemberId, Families] = {}
    for member_id in sorted(rendered):
        held[member_id], refused = decide.families_of(member_id)
        conditions |= refused
    standing = stand_ins(snapshot, cluster, held, decide.families_by)
    conditions |= {Condition(EXPANDED, name[:255], _expanded(name, why)) for name, why in standing.reasons.items()}
    if standing.unheard:
        conditions.add(Condition("TokenWithoutGroups", cluster.name, _unheard(snapshot, cluster, standing.unheard)))
    bits_now = current_bits or {}
    bindings: list[Binding] = []
    families = _subjects_of(held, rendered, standing)
    for family in sorted(families, key=lambda each: each.sort_key):
        members = families[family]
        bits = shard_bits(len(members), per_binding, bits_now.get(family, 0))
        bindings += shard_family(snapshot.organization_id, cluster_id, family, members, bits)
    return Desired(
        tuple(bindings),
        tuple(sorted(conditions)),
        {rendered[member_id]: member_id for member_id, wanted in held.items() if wanted},
        mapped.complete,
        {place: frozenset(rendered[each] for each in members) for place, members in standing.through.items()},
        standing.groups,
    )


def _subjects_of(
    held: Mapping[MemberId, Families], rendered: Mapping[MemberId, str], standing: StandIns
) -> dict[Family, list[str]]:
    """Return the subjects of each family: people by name, but for those for whom a group stands there."""
    families: dict[Family, list[str]] = {}
    covered = standing.covered()
    for member_id, wanted in held.items():
        for family in wanted:
            if member_id not in covered.get(family, ()):
                families.setdefault(family, []).append(rendered[member_id])
    for family, subject in standing.through:
        families.setdefault(family, []).append(subject)
    return families


def _unheard(snapshot: Snapshot, cluster: Cluster, unheard: frozenset[MemberId]) -> str:
    first = snapshot.members[min(unheard)].user_name
    return (
        f"who is in more than {cluster.group_limit} groups has none in a token: {first} ({len(unheard)} in all); "
        "a group that stands for them gives them nothing; in the mode auto they are named"
    )


def _expanded(name: str, why: str) -> str:
    return f"the group {name[:80]} does not stand for its members here, who are named one by one: {why}"


def desired_families(
    snapshot: Snapshot,
    cluster_id: ClusterId,
    member_id: MemberId,
    *,
    namespaces: Mapping[str, Labels] | None = None,
) -> tuple[str | None, frozenset[Family]]:
    """
    Return one member's rendered subject and the families it should be in on one cluster.

    The snapshot may hold that member alone: then a collision with another member's subject is not seen, which a
    removal may ignore (it never adds). The subject is None for a member who has none.
    """
    cluster = snapshot.tree.clusters[cluster_id]
    rendered, _ = _render_everybody(snapshot, cluster)
    if member_id not in rendered:
        return None, frozenset()
    mapped = map_namespaces(snapshot.tree, cluster, namespaces)
    wanted, _ = _Decider(snapshot, cluster, mapped).families_of(member_id)
    return rendered[member_id], wanted


def names_on(snapshot: Snapshot, cluster_id: ClusterId, people: Iterable[MemberId]) -> dict[MemberId, str]:
    """Return what each of these people is called on a cluster, by their id who has no name there."""
    cluster = snapshot.tree.clusters[cluster_id]
    found: dict[MemberId, str] = {}
    for member_id in people:
        try:
            found[member_id] = render_subject(cluster, snapshot.members[member_id])
        except (Invalid, KeyError):
            found[member_id] = member_id
    return found


class _Decider:
    """Decides people's families; people with the same groups and no grants of their own share one decision."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster, mapped: NamespaceMap) -> None:
        self._snapshot = snapshot
        self._cluster = cluster
        self._mapped = mapped
        self._by_groups: dict[tuple[GroupId, ...], tuple[frozenset[Family], frozenset[Condition]]] = {}

    def families_of(self, member_id: MemberId) -> tuple[frozenset[Family], frozenset[Condition]]:
        """Return a member's families here and what was refused."""
        snapshot = self._snapshot
        if snapshot.grants_of_member.get(member_id):
            return self._decide(snapshot.grants_for(member_id))
        groups = tuple(sorted(snapshot.groups_of.get(member_id, ())))
        if groups not in self._by_groups:
            above = sorted(groups_above(groups, snapshot.parents_of))
            grants = [grant for group in above for grant in snapshot.grants_of_group.get(group, ())]
            self._by_groups[groups] = self._decide(grants)
        return self._by_groups[groups]

    def families_by(self, grants: Iterable[Grant]) -> Families:
        """Return what some grants alone would give."""
        return self._decide(grants)[0]

    def _decide(self, grants: Iterable[Grant]) -> tuple[frozenset[Family], frozenset[Condition]]:
        grants = list(grants)
        families: set[Family] = set()
        refused: set[Condition] = set()
        role = cluster_role(self._snapshot.tree, self._cluster.id, grants).bound
        if role is KubernetesRole.CLUSTER_ADMIN and not self._cluster.allow_cluster_admin:
            refused.add(
                Condition(
                    "ClusterAdminNotAllowed",
                    self._cluster.name,
                    "cluster-admin is granted to somebody, but this cluster does not allow it; nothing is bound "
                    "for them cluster-wide",
                )
            )
        elif role is not None:
            families.add(Family(None, role))
        families |= self._namespaced(grants)
        return frozenset(families), frozenset(refused)

    def _namespaced(self, grants: list[Grant]) -> set[Family]:
        strongest: dict[str, KubernetesRole] = {}
        for scope, role in scope_roles(grants).items():
            for namespace in self._mapped.of_scope.get(scope, ()):
                held = strongest.get(namespace)
                if held is None or role.strength > held.strength:
                    strongest[namespace] = role
        return {Family(namespace, role) for namespace, role in strongest.items()}


def _render_everybody(snapshot: Snapshot, cluster: Cluster) -> tuple[dict[MemberId, str], set[Condition]]:
    """Render every active member; of two with one subject the earlier keeps it, the later has none here."""
    rendered: dict[MemberId, str] = {}
    owner: dict[str, MemberId] = {}
    conditions: set[Condition] = set()
    for member_id in sorted(snapshot.members):
        member = snapshot.members[member_id]
        if not member.is_active or not member.is_person:
            continue
        try:
            subject = render_subject(cluster, member)
        except Invalid as error:
            conditions.add(Condition("SubjectUnrenderable", member_id, str(error)))
            continue
        first = owner.setdefault(subject, member_id)
        if first == member_id:
            rendered[member_id] = subject
        else:
            message = f"member {member_id} renders the same subject {subject!r} as {first}, who keeps it"
            conditions.add(Condition("SubjectCollision", member_id, message))
    return rendered, conditions
