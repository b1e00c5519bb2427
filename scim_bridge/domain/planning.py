"""
The exact difference between desired and observed bindings of one cluster.

Dry run, page, audit entry and execution are the same plan. Its order is the policy: creates and grows first, then
shrinks, then deletes, so nobody is without access at a moment when desired had it all along.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from scim_bridge.domain.bindings import Binding, BindingKey, Family, SubjectKind
from scim_bridge.domain.group_subjects import Place, strengths_at
from scim_bridge.domain.organizations import ClusterId

Removal = tuple[Family, str]
"""A subject that leaves a family."""


class Seen(Protocol):
    """One binding of ours as the cluster has it; ``intact`` is False when somebody edited more than subjects."""

    @property
    def binding(self) -> Binding:
        """Return the key and the subjects found."""

    @property
    def uid(self) -> str:
        """Return the object's uid."""

    @property
    def resource_version(self) -> str:
        """Return the version that a write must name."""

    @property
    def intact(self) -> bool:
        """Tell whether role, labels and kinds of subjects are as the key says."""


class Action(StrEnum):
    """What is done to one object, in the order in which a pass does it."""

    CREATE = "create"
    GROW = "grow"
    SHRINK = "shrink"
    DELETE = "delete"


ORDER = tuple(Action)
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupSubjects:
    """
    Whom groups stand for on a cluster, by their own subjects.

    ``through`` is what is wanted (`Desired.through`); ``until_now`` says for whom each group's subject may have stood
    up to now. A group that is not in it counts as one who loses something.
    """

    through: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    until_now: Mapping[str, frozenset[str]] = field(default_factory=dict)


NO_GROUPS = GroupSubjects()


@dataclass(frozen=True, slots=True)
class Change:
    """
    One write: ``binding`` is the object to write, or for a delete the object that is there.

    ``added`` and ``removed`` are subjects of this object; ``lost`` are those of them that leave the family itself.
    ``uid`` and ``resource_version`` are the object's as it was read, None for one that is to be made. After a grow
    the object has a new version: its shrink must name that one.

    Of a binding of groups, ``moving`` are the people who only go over between a group's subject and their own, and
    ``losing`` who loses something by each of ``lost``.
    """

    action: Action
    binding: Binding
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    uid: str | None = field(default=None, compare=False)
    resource_version: str | None = field(default=None, compare=False)
    moving: frozenset[str] = field(default=NOBODY, compare=False)
    losing: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Return the place of this change in a plan."""
        return (ORDER.index(self.action), self.binding.key.sort_key)


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one cluster in a stable order; ``held`` wait for an approval, whole or in part."""

    cluster_id: ClusterId
    changes: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()

    def of(self, *actions: Action) -> tuple[Change, ...]:
        """Return the changes of these actions, in order."""
        return tuple(change for change in self.changes if change.action in actions)

    @property
    def is_empty(self) -> bool:
        """Tell whether the cluster already is as it should be."""
        return not self.changes and not self.held

    @property
    def removals(self) -> tuple[Removal, ...]:
        """Return every (family, subject) that would lose that family, held ones included; each counts once."""
        return lost_of((*self.changes, *self.held))

    @property
    def hash(self) -> str:
        """
        Return a digest of what the whole plan does: the same plan has the same hash, whoever computes it.

        It does not depend on resource versions, nor on how much of the plan a brake holds back.
        """
        return _digest(self.cluster_id, (*self.changes, *self.held))

    @property
    def held_hash(self) -> str:
        """Return a digest of what waits alone: it stays the same while the rest of a plan is being done."""
        return _digest(self.cluster_id, self.held)


def _digest(cluster_id: ClusterId, changes: Iterable[Change]) -> str:
    added: dict[str, set[str]] = {}
    removed: dict[str, set[str]] = {}
    for change in changes:
        key = change.binding.key.canonical
        if change.action in (Action.CREATE, Action.GROW):
            added.setdefault(key, set()).update(change.added)
        else:
            removed.setdefault(key, set()).update(change.removed)
    rows = [[[key, sorted(part[key])] for key in sorted(part)] for part in (added, removed)]
    return hashlib.sha256(json.dumps([cluster_id, rows], separators=(",", ":")).encode()).hexdigest()


def lost_of(changes: Iterable[Change]) -> tuple[Removal, ...]:
    """Return every (family, subject) that these changes take away, sorted, without repetition."""
    found = {(change.binding.key.family, subject) for change in changes for subject in change.lost}
    return tuple(sorted(found, key=lambda pair: (pair[0].sort_key, pair[1])))


def people_losing(
    changes: Iterable[Change], counts: Callable[[Removal], bool] = lambda removal: True
) -> frozenset[str]:
    """Return who loses something by these changes, each once by their own subjects, also for whom a group stood."""
    return NOBODY.union(
        *(
            change.losing.get(subject) or (subject,)
            for change in changes
            for subject in change.lost
            if counts((change.binding.key.family, subject))
        )
    )


def by_people(covers: Callable[[Removal], bool], changes: Iterable[Change]) -> Callable[[Removal], bool]:
    """Return ``covers`` for removals in these changes: of a group's it is asked for all who lose something by it."""
    losing = {(c.binding.key.family, group): people for c in changes for group, people in c.losing.items()}

    def covers_all(removal: Removal) -> bool:
        family, _ = removal
        if family.subject_kind is SubjectKind.USER:
            return covers(removal)
        people = losing.get(removal, NOBODY)
        return bool(people) and all(covers((family.of_users, each)) for each in people)

    return covers_all


def moved(changes: Iterable[Change]) -> set[Removal]:
    """Return who is named one by one because a group stands for them no longer: they gain nothing."""
    taking = [change for change in changes if change.action in (Action.SHRINK, Action.DELETE)]
    return {(change.binding.key.family.of_users, subject) for change in taking for subject in change.moving}


def plan_changes(
    cluster_id: ClusterId, desired: Iterable[Binding], observed: Iterable[Seen], groups: GroupSubjects = NO_GROUPS
) -> Plan:
    """
    Return what makes the cluster as desired.

    An object that gains and loses subjects is grown to both first and shrunk later. A family that is split anew gets
    all its new shards before an old one goes. Who is named no longer because a group stands for them, or the other
    way round, loses nothing.
    """
    want = {binding.key: binding for binding in desired}
    have = {seen.binding.key: seen for seen in observed}
    kept_in_family = _family_subjects(want.values())
    written = {place: subjects for place, subjects in groups.through.items() if place[1] in kept_in_family[place[0]]}
    for (family, _), subjects in written.items():
        kept_in_family[family.of_users].update(subjects)
    changes: list[Change] = []
    for key, binding in want.items():
        seen = have.get(key)
        changes += _create(binding) if seen is None else _update(binding, seen, kept_in_family)
    for key, seen in have.items():
        if key not in want:
            removed = seen.binding.subjects
            lost = _lost(key, removed, kept_in_family)
            changes.append(_as_read(seen, Change(Action.DELETE, seen.binding, removed=removed, lost=lost)))
    if any(change.binding.key.family.subject_kind is SubjectKind.GROUP for change in changes):
        strengths = strengths_at(want.values(), written)
        changes = [_with_people(change, groups, strengths) for change in changes]
    return Plan(cluster_id, tuple(sorted(changes, key=lambda change: change.sort_key)))


def _with_people(change: Change, groups: GroupSubjects, strengths: Mapping[tuple[str | None, str], int]) -> Change:
    """Say of a change of groups whom it concerns; a group whose people all keep what it gave loses nothing."""
    family = change.binding.key.family
    if family.subject_kind is SubjectKind.USER:
        return change
    if change.action in (Action.CREATE, Action.GROW):
        moving = NOBODY.union(*(groups.through.get((family, each), NOBODY) for each in change.added))
        return replace(change, moving=moving)
    until_now = {each: groups.until_now.get(each) for each in change.lost}
    losing = {
        each: frozenset(s for s in people if strengths.get((family.namespace, s), -1) < family.role.strength)
        for each, people in until_now.items()
        if people is not None
    }
    lost = tuple(each for each in change.lost if losing.get(each, True))
    moving = NOBODY.union(*(people - losing[each] for each, people in until_now.items() if people is not None))
    return replace(change, lost=lost, moving=moving, losing={each: losing[each] for each in lost if each in losing})


def _create(binding: Binding) -> list[Change]:
    return [Change(Action.CREATE, binding, added=binding.subjects)]


def _update(want: Binding, seen: Seen, kept_in_family: Mapping[Family, set[str]]) -> list[Change]:
    have = set(seen.binding.subjects)
    wanted = set(want.subjects)
    added = tuple(sorted(wanted - have))
    removed = tuple(sorted(have - wanted))
    changes = []
    if added or not seen.intact:
        union = tuple(sorted(wanted | have))
        changes.append(_as_read(seen, Change(Action.GROW, replace(want, subjects=union), added=added)))
    if removed:
        lost = _lost(want.key, removed, kept_in_family)
        changes.append(_as_read(seen, Change(Action.SHRINK, want, removed=removed, lost=lost)))
    return changes


def _as_read(seen: Seen, change: Change) -> Change:
    return replace(change, uid=seen.uid, resource_version=seen.resource_version)


def _family_subjects(bindings: Iterable[Binding]) -> dict[Family, set[str]]:
    found: dict[Family, set[str]] = defaultdict(set)
    for binding in bindings:
        found[binding.key.family].update(binding.subjects)
    return found


def _lost(key: BindingKey, removed: Iterable[str], kept_in_family: Mapping[Family, set[str]]) -> tuple[str, ...]:
    kept = kept_in_family.get(key.family, set())
    return tuple(subject for subject in removed if subject not in kept)


def hold(plan: Plan, held: Iterable[Removal]) -> Plan:
    """
    Return the plan with these removals held back: the people concerned stay where they are.

    A shrink keeps them in the object; a delete of an object that still holds one becomes a shrink to just them. An
    old shard that holds one stays until the hold ends, so make-before-break still holds.
    """
    keep: dict[Family, set[str]] = {}
    for family, subject in held:
        keep.setdefault(family, set()).add(subject)
    changes: list[Change] = []
    waiting: list[Change] = []
    for change in plan.changes:
        kept = keep.get(change.binding.key.family, set()) & set(change.lost)
        if not kept:
            changes.append(change)
            continue
        waiting.append(replace(change, removed=tuple(sorted(kept)), lost=tuple(sorted(kept))))
        changes += keeping(change, kept)
    return Plan(plan.cluster_id, tuple(sorted(changes, key=lambda c: c.sort_key)), (*plan.held, *waiting))


def keeping(change: Change, kept: set[str]) -> list[Change]:
    """Return what is left to do of a shrink or delete when ``kept``, who are not nobody, stay."""
    removed = tuple(subject for subject in change.removed if subject not in kept)
    if not removed:
        return []
    remaining = set(change.binding.subjects) - set(change.removed) | kept
    lost = tuple(subject for subject in change.lost if subject not in kept)
    binding = replace(change.binding, subjects=tuple(sorted(remaining)))
    return [replace(change, action=Action.SHRINK, binding=binding, removed=removed, lost=lost)]


def after_failures(changes: Iterable[Change], failed: Iterable[Change]) -> tuple[Change, ...]:
    """
    Return what may still be taken away when some creates and grows failed.

    A failed write stops only itself, with one exception: whoever only moves to a shard that could not be written
    stays in the old one, or they would be without what desired had all along.
    """
    unwritten: dict[Family, set[str]] = defaultdict(set)
    for change in failed:
        family = change.binding.key.family
        unwritten[family].update(change.added)
        unwritten[family.of_users].update(change.moving)
    found: list[Change] = []
    for change in changes:
        family = change.binding.key.family
        staying = unwritten[family] & (set(change.removed) - set(change.lost))
        if unwritten[family.of_users] & change.moving:
            # Somebody for whom a group stands is not named yet: it goes on standing for them.
            staying = set(change.removed)
        found += keeping(change, staying) if staying else [change]
    return tuple(found)


def hold_everything(plan: Plan) -> Plan:
    """Return the plan with all of it waiting: a cluster that nobody approved yet is not written to."""
    return Plan(plan.cluster_id, (), tuple(sorted((*plan.changes, *plan.held), key=lambda c: c.sort_key)))


def without_additions(plan: Plan, subjects: Collection[str]) -> Plan:
    """
    Return the plan with these subjects added nowhere; who would only have moved to another shard stays where they are.

    For people whose removal was asked for after the plan's snapshot: what they should have is for the next pass to say.
    """
    refused: dict[BindingKey, set[str]] = {}
    for change in plan.of(Action.CREATE, Action.GROW):
        if change.binding.key.family.subject_kind is SubjectKind.GROUP:
            # A group may be called as a person is.
            continue
        found = set(subjects) & set(change.added)
        if found:
            refused[change.binding.key] = found
    if not refused:
        return plan
    changes = [left for change in plan.changes for left in not_adding(change, refused.get(change.binding.key, set()))]
    adding = [change for change in changes if change.action in (Action.CREATE, Action.GROW)]
    taking = [change for change in changes if change.action in (Action.SHRINK, Action.DELETE)]
    not_moved = [
        replace(change, added=tuple(refused[change.binding.key]))
        for change in plan.of(Action.CREATE, Action.GROW)
        if change.binding.key in refused
    ]
    changes = [*adding, *after_failures(taking, not_moved)]
    return Plan(plan.cluster_id, tuple(sorted(changes, key=lambda c: c.sort_key)), plan.held)


def not_adding(change: Change, refused: set[str]) -> list[Change]:
    """Return what is left to do of a change when ``refused`` do not come into its object."""
    if not refused or change.action is Action.DELETE:
        return [change]
    subjects = tuple(subject for subject in change.binding.subjects if subject not in refused)
    added = tuple(subject for subject in change.added if subject not in refused)
    if not subjects:
        # A binding without subjects is none: there is nothing to create, and what would be emptied is deleted.
        return [replace(change, action=Action.DELETE)] if change.action is Action.SHRINK else []
    return [replace(change, binding=replace(change.binding, subjects=subjects), added=added)]
