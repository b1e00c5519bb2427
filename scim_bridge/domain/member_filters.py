"""What a list of members may be asked for."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.organizations import Scope
from scim_bridge.domain.people import DirectoryId, MemberSource, MemberState
from scim_bridge.domain.roles import KubernetesRole

PRESENT = (MemberState.INVITED, MemberState.ACTIVE, MemberState.DEACTIVATED)

Place = tuple[str, str]
"""Where a page of members ended: what its last row is ordered by, and that member's id."""


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """
    Conditions that all hold of everybody listed.

    ``terms`` are beginnings of words (`domain.searching.search_terms`). The roles are those that a person holds
    themselves or by a group, at one of the ``scopes``, or anywhere when that is None. Dormant is who was last
    active before then, or never was and is older than that.
    """

    terms: tuple[str, ...] = ()
    states: tuple[MemberState, ...] = PRESENT
    source: MemberSource | None = None
    directory_id: DirectoryId | None = None
    api_role: str | None = None
    kubernetes_role: KubernetesRole | None = None
    scopes: frozenset[Scope] | None = None
    active_before: datetime | None = None
    active_since: datetime | None = None
    never_active: bool = False
    dormant_before: datetime | None = None
