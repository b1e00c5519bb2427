"""
How many inferred removals may flow: an IdP that lost its assignments looks like a company that fired everybody.

Counted over a sliding hour, in subjects for a cluster and in people for an organization. What is over the limit waits
for an approval, however long that takes; the rest flows. Removals that somebody asked for by name, or approved, are
not counted and never wait.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.bindings import SubjectKind
from scim_bridge.domain.planning import Change, Plan, Removal, hold

NOBODY: frozenset[str] = frozenset()
NOTHING: frozenset[Removal] = frozenset()


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """Above the larger of ``subjects`` and ``percent`` of the subjects at the hour's start, removals wait."""

    subjects: int = 10
    percent: float = 10.0
    to_zero_from: int = 3

    def allowance(self, at_start: int) -> int:
        """Return how many an hour may take away."""
        return max(self.subjects, int(at_start * self.percent / 100))


@dataclass(frozen=True, slots=True)
class Window:
    """
    The past hour of one cluster or organization, and what the plan would leave there.

    ``most`` is how many there were at any moment of it. ``removed`` are those taken away unasked within the hour: who
    loses something more counts once. ``persons`` says whom a subject is counted as: one person has a subject on every
    cluster, and counts once in the organization.
    """

    at_start: int
    most: int
    left: int
    removed: frozenset[str] = NOBODY
    persons: Mapping[str, str] = field(default_factory=dict)

    def empties(self, limits: BrakeLimits) -> bool:
        """Tell whether the plan leaves nobody where there were more than a few."""
        return self.left == 0 and self.most >= limits.to_zero_from

    def person(self, subject: str) -> str:
        """Return whom a subject is counted as here."""
        return self.persons.get(subject, subject)


def brake(
    plan: Plan,
    windows: Iterable[Window],
    limits: BrakeLimits,
    *,
    is_asked_for: Callable[[Removal], bool] = lambda removal: False,
    ceiling: frozenset[Removal] = NOTHING,
    waiting: frozenset[Removal] = NOTHING,
) -> Plan:
    """
    Hold back the surplus of a plan's inferred removals.

    ``ceiling`` are exactly the removals that somebody approved, ``waiting`` those that an earlier pass held: an hour
    that has passed frees none of them. Who flows under the limit follows the plan's order: the same every time. A group
    counts as all who lose something with it, and is not taken away in parts.
    """
    inferred = [removal for removal in plan.removals if not is_asked_for(removal) and removal not in ceiling]
    if not inferred:
        return plan
    checked = list(windows)
    stay = {_whom(removal) for removal in inferred if removal in waiting}
    losing = {(change.binding.key.family, each): people for change in plan.changes for each, people in _losing(change)}
    candidates: dict[_Whom, set[str]] = {}
    for removal in inferred:
        if _whom(removal) not in stay:
            candidates.setdefault(_whom(removal), set()).update(losing.get(removal, (removal[1],)))
    if any(each.empties(limits) for each in checked):
        stay.update(candidates)
    else:
        stay.update(_surplus(candidates, checked, limits))
    return hold(plan, [removal for removal in inferred if _whom(removal) in stay])


_Whom = tuple[SubjectKind, str]
"""A subject as it is held or goes, in all families at once: a group may be called as a person is."""


def _whom(removal: Removal) -> _Whom:
    return (removal[0].subject_kind, removal[1])


def _losing(change: Change) -> Iterable[tuple[str, frozenset[str]]]:
    return [(each, people) for each, people in change.losing.items() if people]


def _surplus(candidates: Mapping[_Whom, Collection[str]], windows: Iterable[Window], limits: BrakeLimits) -> set[_Whom]:
    """Return those with whom more people than one of the windows allows would lose something."""
    counted = [(window, set(window.removed), limits.allowance(window.at_start)) for window in windows]
    surplus = set()
    for whom, people in candidates.items():
        more = [{window.person(each) for each in people} - gone for window, gone, _ in counted]
        if all(not new or len(gone) + len(new) <= most for new, (_, gone, most) in zip(more, counted, strict=True)):
            for new, (_, gone, _) in zip(more, counted, strict=True):
                gone |= new
        else:
            surplus.add(whom)
    return surplus


def hold_everything_inferred(plan: Plan, is_asked_for: Callable[[Removal], bool]) -> Plan:
    """Hold every removal that nobody asked for: one side could not be read, and unknown is not empty."""
    return hold(plan, [removal for removal in plan.removals if not is_asked_for(removal)])
