"""Who gains and who loses what between two moments of an organization, down to what clusters bind."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from scim_bridge.domain.access import Snapshot, api_roles
from scim_bridge.domain.desired import desired
from scim_bridge.domain.group_subjects import EXPANDED
from scim_bridge.domain.organizations import Scope, SubjectMode
from scim_bridge.domain.people import MemberId

Holdings = Mapping[MemberId, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Shift:
    """What one person gains or loses, in words."""

    member_id: MemberId
    person: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """
    Who gains and who loses what.

    ``unclear`` are clusters on which projects take namespaces by labels: what those give is known there alone.
    """

    gains: tuple[Shift, ...] = ()
    losses: tuple[Shift, ...] = ()
    unclear: tuple[str, ...] = ()

    def digest(self, *about: str) -> str:
        """Return what tells this difference from every other; ``about`` says of what it is one."""
        pairs = [[(each.member_id, each.what) for each in side] for side in (self.gains, self.losses)]
        return hashlib.sha256(json.dumps([about, pairs, self.unclear]).encode()).hexdigest()


def difference(
    before: Snapshot, after: Snapshot, name_of: Callable[[Scope], str], places: Collection[Scope] = ()
) -> Difference:
    """
    Return who holds what in one snapshot and not in the other; ``name_of`` puts a scope in words.

    API roles are told of where they are granted, and at these ``places``, which a move may bring under others.
    """
    had, unclear_before = holdings(before, name_of, places)
    have, unclear_after = holdings(after, name_of, places)
    nothing: frozenset[str] = frozenset()
    gains, losses = [], []
    for member_id in sorted({*had, *have}):
        person = (after.members.get(member_id) or before.members[member_id]).user_name
        old, new = had.get(member_id, nothing), have.get(member_id, nothing)
        if new - old:
            gains.append(Shift(member_id, person, tuple(sorted(new - old))))
        if old - new:
            losses.append(Shift(member_id, person, tuple(sorted(old - new))))
    return Difference(tuple(gains), tuple(losses), tuple(sorted(unclear_before | unclear_after)))


@dataclass(frozen=True, slots=True)
class SubjectShift:
    """How one person is named in the bindings of a cluster, before and after; None: in none of them."""

    cluster: str
    before: str | None
    after: str | None


def subject_shifts(
    before: Snapshot, after: Snapshot, people: Collection[MemberId]
) -> dict[MemberId, tuple[SubjectShift, ...]]:
    """Return for these people on which clusters bindings name them otherwise, by the clusters' names."""
    found: dict[MemberId, tuple[SubjectShift, ...]] = {}
    for cluster in sorted(before.tree.clusters.values(), key=lambda each: each.name) if people else ():
        old, new = (
            {member_id: subject for subject, member_id in desired(each, cluster.id).subjects.items()}
            for each in (before, after)
        )
        for member_id in people:
            if old.get(member_id) != new.get(member_id):
                shift = SubjectShift(cluster.name, old.get(member_id), new.get(member_id))
                found[member_id] = (*found.get(member_id, ()), shift)
    return found


def shifts_of_groups(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return in sentences for whom groups begin and cease to stand on which cluster, and why others do not."""
    found: list[str] = []
    for cluster in sorted(after.tree.clusters.values(), key=lambda each: each.name):
        was = before.tree.clusters.get(cluster.id)
        if was is None or SubjectMode.USER is was.subject_mode is cluster.subject_mode:
            continue
        old, new = desired(before, cluster.id), desired(after, cluster.id)
        for word, there, others in (("now stands", new, old), ("no longer stands", old, new)):
            changed = there.through.keys() - others.through.keys()
            for family, subject in sorted(changed, key=lambda each: (each[0].sort_key, each[1])):
                count = len(there.through[family, subject])
                people = "1 person" if count == 1 else f"{count} people"
                where = f"{family.namespace} on {cluster.name}" if family.namespace else f"cluster {cluster.name}"
                found.append(f"the group {subject} {word} for {people} with {family.role.value} in {where}")
        reasons = {each.message for each in new.conditions if each.kind == EXPANDED}
        reasons -= {each.message for each in old.conditions if each.kind == EXPANDED}
        found += [f"on {cluster.name} {each}" for each in sorted(reasons)]
    return tuple(found)


def holdings(
    snapshot: Snapshot, name_of: Callable[[Scope], str], places: Collection[Scope] = ()
) -> tuple[Holdings, frozenset[str]]:
    """Return what everybody holds, in words, and the clusters of which not all can be known from here."""
    found: dict[MemberId, set[str]] = {}
    unclear: set[str] = set()
    for cluster in sorted(snapshot.tree.clusters.values(), key=lambda each: each.id):
        wanted = desired(snapshot, cluster.id)
        if not wanted.complete:
            unclear.add(cluster.name)
        for family, subject in wanted.everybody():
            place = f"{family.namespace} on {cluster.name}" if family.namespace else f"cluster {cluster.name}"
            found.setdefault(wanted.subjects[subject], set()).add(f"{family.role.value} in {place}")
    for member_id in snapshot.members:
        roles = _api_roles(snapshot, member_id, name_of, places)
        if roles:
            found.setdefault(member_id, set()).update(roles)
    return {member_id: frozenset(held) for member_id, held in found.items()}, frozenset(unclear)


def _api_roles(
    snapshot: Snapshot, member_id: MemberId, name_of: Callable[[Scope], str], places: Collection[Scope]
) -> set[str]:
    grants = [grant for grant in snapshot.grants_for(member_id) if grant.api_role is not None]
    return {
        f"API role {role} at {name_of(scope)}"
        for scope in {*places, *(grant.scope for grant in grants)}
        for role in api_roles(snapshot.tree, scope, grants)
    }
