"""
How far a change may reach before somebody has to have seen what it does.

A rule set that nobody previewed is applied while it touches a few people and nobody's power; above that it waits as a
draft, and whoever applies the draft names the preview that they have read.
"""

from collections.abc import Iterable

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.effects import BoundSubject, Effects, RoleHeld
from scim_bridge.domain.roles import ApiRole, KubernetesRole

POWERFUL = frozenset({ApiRole.OWNER.value, ApiRole.ADMIN.value})


def reasons_to_wait(effects: Effects, active_people: int, limits: BrakeLimits) -> tuple[str, ...]:
    """Return in sentences why a change should be seen by somebody first; none for one that reaches few people."""
    reasons = []
    most = limits.allowance(active_people)
    touched = len(effects.people)
    if touched > most:
        reasons.append(f"It changes the access of {touched} people; at most {most} of {active_people} go unseen.")
    for verb, side in (("gain", effects.gains), ("lose", effects.losses)):
        powerful = _powerful(side.api_roles) | _administering(side.bindings)
        if powerful:
            reasons.append(f"{len(powerful)} people {verb} admin rights.")
    return tuple(reasons)


def _powerful(roles: Iterable[RoleHeld]) -> set[str]:
    return {each.member_id for each in roles if each.role in POWERFUL}


def _administering(bindings: Iterable[BoundSubject]) -> set[str]:
    return {each.member_id for each in bindings if each.role == KubernetesRole.CLUSTER_ADMIN.value}
