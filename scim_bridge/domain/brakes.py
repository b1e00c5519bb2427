"""
How many inferred removals may flow: an IdP that lost its assignments looks like a company that fired everybody.

Counted over a sliding hour, in subjects for a cluster and in people for an organization. What is over the limit waits
for an approval, however long that takes; the rest flows. Removals that somebody asked for by name, or approved, are
not counted and never wait.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.planning import Plan, Removal, hold

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
    that has passed frees none of them. Who flows under the limit follows the plan's order: the same every time.
    """
    inferred = [removal for removal in plan.removals if not is_asked_for(removal) and removal not in ceiling]
    if not inferred:
        return plan
    checked = list(windows)
    stay = {removal[1] for removal in inferred if removal in waiting}
    candidates = [subject for subject in dict.fromkeys(subject for _, subject in inferred) if subject not in stay]
    if any(each.empties(limits) for each in checked):
        stay.update(candidates)
    else:
        stay.update(_surplus(candidates, checked, limits))
    return hold(plan, [removal for removal in inferred if removal[1] in stay])


def _surplus(candidates: Iterable[str], windows: Iterable[Window], limits: BrakeLimits) -> set[str]:
    """Return the subjects that are too many for one of the windows."""
    counted = [(window, set(window.removed), limits.allowance(window.at_start)) for window in windows]
    surplus = set()
    for subject in candidates:
        if all(window.person(subject) in gone or len(gone) < most for window, gone, most in counted):
            for window, gone, _ in counted:
                gone.add(window.person(subject))
        else:
            surplus.add(subject)
    return surplus


def hold_everything_inferred(plan: Plan, is_asked_for: Callable[[Removal], bool]) -> Plan:
    """Hold every removal that nobody asked for: one side could not be read, and unknown is not empty."""
    return hold(plan, [removal for removal in plan.removals if not is_asked_for(removal)])
