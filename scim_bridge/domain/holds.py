"""
Whom a new member list may leave out at once, and whose membership is held until somebody approves it.

An identity provider that lost its assignments sends short lists, in perfect form. Counted in people over a sliding
hour, as `domain.brakes` counts subjects on clusters; a member that a request names for removal is never counted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.people import MemberId

GROUP_TO_ZERO_FROM = 10


@dataclass(frozen=True, slots=True)
class Departure:
    """
    What a new list takes away, and from how much.

    ``leaving`` are the active people that it leaves out, in a stable order; ``left_before`` those that other lists
    left out within the hour. ``subjects_at_start`` are the organization's people in groups when that hour began.
    """

    leaving: Sequence[MemberId]
    left_before: frozenset[MemberId] = frozenset()
    subjects_at_start: int = 0
    empties_group: bool = False
    empties_organization: bool = False


def surplus(departure: Departure, limits: BrakeLimits) -> frozenset[MemberId]:
    """Return whose membership stays in force; more subjects at the hour's start never hold more."""
    everybody = frozenset(departure.leaving)
    if departure.empties_group and len(everybody) >= GROUP_TO_ZERO_FROM:
        return everybody
    if departure.empties_organization and len(everybody | departure.left_before) >= limits.to_zero_from:
        return everybody
    # A person counts once within the hour, from however many groups they go.
    new = [member_id for member_id in dict.fromkeys(departure.leaving) if member_id not in departure.left_before]
    room = limits.allowance(departure.subjects_at_start) - len(departure.left_before)
    return frozenset(new[max(0, room) :])
