"""
What a change does, exactly: which grants, memberships, API roles and bound subjects there are more and fewer of.

Both moments are judged by the functions that passes use, so what is said here is what they will do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from scim_bridge.domain.access import Grant, OriginKind, Snapshot, api_roles
from scim_bridge.domain.audit import canonical_json
from scim_bridge.domain.desired import desired
from scim_bridge.domain.organizations import Cluster, Scope
from scim_bridge.domain.people import GroupId, MemberId


@dataclass(frozen=True, slots=True, order=True)
class BoundSubject:
    """One person's subject in one role on one cluster; ``namespace`` is empty for the whole cluster."""

    cluster: str
    namespace: str
    role: str
    subject: str
    person: str
    member_id: str


@dataclass(frozen=True, slots=True, order=True)
class RoleHeld:
    """One API role that a person holds at a scope, from wherever."""

    person: str
    scope: str
    role: str
    member_id: str


@dataclass(frozen=True, slots=True, order=True)
class GrantHeld:
    """One origin of one grant to a person or a group; a role that is not given is empty."""

    holder: str
    holder_kind: str
    scope: str
    api_role: str
    kubernetes_role: str
    origin: str
    holder_id: str


@dataclass(frozen=True, slots=True, order=True)
class MemberOf:
    """One person who is in one group, for access."""

    group: str
    person: str
    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at one moment; ``unclear`` are clusters of which not all can be known from here."""

    grants: frozenset[GrantHeld] = frozenset()
    memberships: frozenset[MemberOf] = frozenset()
    api_roles: frozenset[RoleHeld] = frozenset()
    bindings: frozenset[BoundSubject] = frozenset()
    unclear: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """All that there is more of, or all that there is less of, each in a stable order."""

    grants: tuple[GrantHeld, ...] = ()
    memberships: tuple[MemberOf, ...] = ()
    api_roles: tuple[RoleHeld, ...] = ()
    bindings: tuple[BoundSubject, ...] = ()

    def at_most(self, number: int) -> "Side":
        """Return no more than so many of each kind."""
        return Side(self.grants[:number], self.memberships[:number], self.api_roles[:number], self.bindings[:number])

    @property
    def people(self) -> frozenset[str]:
        """Return whose access this touches, by member id."""
        return frozenset(each.member_id for each in self.api_roles) | {each.member_id for each in self.bindings}

    @property
    def by_person(self) -> dict[str, list[str]]:
        """Return in words what each person gains or loses, by their name."""
        words: dict[tuple[str, str], list[str]] = {}
        for role in self.api_roles:
            words.setdefault((role.person, role.member_id), []).append(f"API role {role.role} at {role.scope}")
        for each in self.bindings:
            place = f"{each.namespace} on {each.cluster}" if each.namespace else f"cluster {each.cluster}"
            words.setdefault((each.person, each.member_id), []).append(f"{each.role} in {place}")
        return {person: sorted(words[person, id_]) for person, id_ in sorted(words)}


@dataclass(frozen=True, slots=True)
class Effects:
    """What there is more of and less of from one moment to another."""

    gains: Side = field(default_factory=Side)
    losses: Side = field(default_factory=Side)
    unclear: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes, not even where a grant comes from."""
        return self.gains == Side() and self.losses == Side()

    @property
    def people(self) -> frozenset[str]:
        """Return whose access changes, by member id."""
        return self.gains.people | self.losses.people

    def at_most(self, number: int) -> "Effects":
        """Return no more than so many of each kind."""
        return replace(self, gains=self.gains.at_most(number), losses=self.losses.at_most(number))

    @property
    def document(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {"gains": asdict(self.gains), "losses": asdict(self.losses), "unclear": list(self.unclear)}

    @property
    def canonical(self) -> str:
        """Return the one text of it: equal text, equal effects."""
        return canonical_json(self.document)

    def digest(self, *about: str) -> str:
        """Return what tells these effects from all others; ``about`` says of what they are."""
        return sha256(canonical_json([*about, self.document]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called in words for people."""

    scope_of: Callable[[Scope], str]
    groups: Mapping[GroupId, str] = field(default_factory=dict)

    def group(self, group_id: GroupId) -> str:
        """Return a group's name, or its id where it has gone."""
        return self.groups.get(group_id, group_id)


def effects(before: Standing, after: Standing) -> Effects:
    """Return what there is more of and less of."""
    return Effects(_more(before, after), _more(after, before), tuple(sorted(before.unclear | after.unclear)))


def _more(one: Standing, other: Standing) -> Side:
    return Side(
        tuple(sorted(other.grants - one.grants)),
        tuple(sorted(other.memberships - one.memberships)),
        tuple(sorted(other.api_roles - one.api_roles)),
        tuple(sorted(other.bindings - one.bindings)),
    )


def standing(snapshot: Snapshot, names: Names, only: Iterable[MemberId] | None = None) -> Standing:
    """
    Return what stands in a snapshot for everybody, or for some of the people in it.

    ``only`` leaves out those who are read along so that two people with one subject are told apart.
    """
    people = snapshot.members.keys() if only is None else set(only) & snapshot.members.keys()
    bindings: set[BoundSubject] = set()
    unclear: set[str] = set()
    for cluster in snapshot.tree.clusters.values():
        found, complete = _bound(snapshot, cluster, people)
        bindings |= found
        if not complete:
            unclear.add(cluster.name)
    return Standing(
        frozenset(_grants(snapshot, names, people)),
        frozenset(
            MemberOf(names.group(group_id), snapshot.members[member_id].user_name, group_id, member_id)
            for member_id in people
            for group_id in snapshot.groups_of.get(member_id, ())
        ),
        frozenset(role for member_id in people for role in _roles(snapshot, names, member_id)),
        frozenset(bindings),
        frozenset(unclear),
    )


def _bound(snapshot: Snapshot, cluster: Cluster, people: Iterable[MemberId]) -> tuple[set[BoundSubject], bool]:
    wanted = desired(snapshot, cluster.id)
    concerned = set(people)
    found = set()
    for family, subject in wanted.everybody():
        member_id = wanted.subjects[subject]
        if member_id in concerned:
            person = snapshot.members[member_id].user_name
            found.add(BoundSubject(cluster.name, family.namespace or "", family.role.value, subject, person, member_id))
    return found, wanted.complete


def _grants(snapshot: Snapshot, names: Names, people: Iterable[MemberId]) -> Iterable[GrantHeld]:
    for group_id, held in snapshot.grants_of_group.items():
        for each in held:
            yield from _origins(each, names, names.group(group_id), "group", group_id)
    for member_id in people:
        for each in snapshot.grants_of_member.get(member_id, ()):
            yield from _origins(each, names, snapshot.members[member_id].user_name, "person", member_id)


def _origins(grant: Grant, names: Names, holder: str, kind: str, holder_id: str) -> Iterable[GrantHeld]:
    role = grant.kubernetes_role.value if grant.kubernetes_role else ""
    for origin in grant.origins:
        words = f"rule {origin.rule}" if origin.kind is OriginKind.RULE else origin.kind.value
        yield GrantHeld(holder, kind, names.scope_of(grant.scope), grant.api_role or "", role, words, holder_id)


def _roles(snapshot: Snapshot, names: Names, member_id: MemberId) -> Iterable[RoleHeld]:
    grants = [grant for grant in snapshot.grants_for(member_id) if grant.api_role is not None]
    for scope in {grant.scope for grant in grants}:
        for role in api_roles(snapshot.tree, scope, grants):
            yield RoleHeld(snapshot.members[member_id].user_name, names.scope_of(scope), role, member_id)
