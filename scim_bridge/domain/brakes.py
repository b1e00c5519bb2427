"""
How many inferred removals may flow: an IdP that lost its assignments looks like a company that fired everybody.

Counted in subjects over a sliding hour. What is over the limit waits for an approval; the rest flows. Removals that
somebody asked for by name are not counted and never wait.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.planning import Plan, hold

Removal = tuple[Family, str]


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """Above the larger of ``subjects`` and ``percent`` of the subjects at the hour's start, removals wait."""

    subjects: int = 10
    percent: float = 10.0
    to_zero_from: int = 3

    def allowance(self, subjects_at_start: int) -> int:
        """Return how many subjects an hour may take away."""
        return max(self.subjects, int(subjects_at_start * self.percent / 100))


@dataclass(frozen=True, slots=True)
class Window:
    """The past hour of one cluster or organization: subjects at its start, and inferred removals since."""

    subjects_at_start: int
    removed: int = 0


def brake(
    plan: Plan,
    windows: Iterable[Window],
    limits: BrakeLimits,
    *,
    subjects_left: int,
    is_asked_for: Callable[[Removal], bool] = lambda removal: False,
    ceiling: frozenset[Removal] = frozenset(),
) -> Plan:
    """
    Hold back the surplus of a plan's inferred removals.

    ``subjects_left`` is how many subjects the cluster has after the plan. ``ceiling`` are exactly the removals that
    somebody approved. A person counts once, whatever they lose; who flows under the limit follows the plan's order,
    so it is the same every time.
    """
    inferred = [removal for removal in plan.removals if not is_asked_for(removal) and removal not in ceiling]
    if not inferred:
        return plan
    checked = list(windows)
    room = min((limits.allowance(each.subjects_at_start) - each.removed for each in checked), default=len(inferred))
    # One subject more or less is one person more or less, in however many namespaces.
    subjects = list(dict.fromkeys(subject for _, subject in inferred))
    if subjects_left == 0 and any(each.subjects_at_start >= limits.to_zero_from for each in checked):
        room = 0
    waiting = set(subjects[max(0, room) :])
    return hold(plan, [(family, subject) for family, subject in inferred if subject in waiting])


def hold_everything_inferred(plan: Plan, is_asked_for: Callable[[Removal], bool]) -> Plan:
    """Hold every removal that nobody asked for: one side could not be read, and unknown is not empty."""
    return hold(plan, [removal for removal in plan.removals if not is_asked_for(removal)])
