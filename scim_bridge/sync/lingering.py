"""
What outlasts an asked-for removal: access by a group's subject, for as long as tokens that carry the group last.

There is nothing that the bridge could do about it. A group's subject stands for all its members, and the API server
believes the token; the identity provider gives no new one. So it is told, and until when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.people import MemberId
from scim_bridge.store.group_subjects import Standing
from scim_bridge.store.removal_queue import Removal

Strengths = Mapping[tuple[str | None, MemberId], int]
"""How strong a role a member has a right to in each place; the place None is the whole cluster."""


@dataclass(frozen=True, slots=True)
class Lingering:
    """The groups by whose subjects somebody is let in a while longer, and to what."""

    groups: tuple[str, ...]
    families: tuple[Family, ...]


def lingering(removal: Removal, standing: Iterable[Standing], has: Strengths) -> tuple[Lingering | None, bool]:
    """Return what a removal cannot end at once, and whether it concerns something that the member has a right to."""
    ends: list[Standing] = []
    keeps = False
    for each in standing:
        if not removal.covers(each.family) or (each.left_at is not None and each.left_at < removal.requested_at):
            continue
        if has.get((each.family.namespace, removal.member_id), -1) >= each.family.role.strength:
            keeps = True
        else:
            ends.append(each)
    if not ends:
        return None, keeps
    families = sorted({each.family.of_users for each in ends}, key=lambda each: each.sort_key)
    return Lingering(tuple(sorted({each.subject for each in ends})), tuple(families)), keeps
