"""What people whose removal was asked for have a right to now on one cluster."""

from contextlib import suppress
from dataclasses import dataclass

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.bindings import Family
from scim_bridge.domain.desired import desired
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterError
from scim_bridge.sync.lingering import Strengths


@dataclass(frozen=True, slots=True)
class Rights:
    """What these members have a right to; ``pairs`` are families of users with their subjects."""

    pairs: frozenset[tuple[Family, str]]
    complete: bool
    active: frozenset[MemberId]
    strengths: Strengths

    def keeps(self, member_id: MemberId, family: Family, subject: str) -> bool | None:
        """Tell whether a member keeps a place; None when nobody knows, because namespaces could not be read."""
        if (family, subject) in self.pairs:
            return True
        # Unknown is not empty; but who is not active has a right to nothing, whatever a selector selects.
        unknown = not self.complete and family.namespace is not None and member_id in self.active
        return None if unknown else False


def rights_now(snapshot: Snapshot, cluster_id: ClusterId, gateway: Gateway) -> Rights:
    """Return what those have a right to whom a snapshot holds; it asks the cluster only where labels choose."""
    found = desired(snapshot, cluster_id)
    active = frozenset(id_ for id_, each in snapshot.members.items() if each.is_active)
    if not found.complete and active:
        # Selectors alone need the network here, and only for people who may keep something by them.
        with suppress(ClusterError):
            found = desired(snapshot, cluster_id, namespaces=gateway.namespaces())
    strengths: dict[tuple[str | None, MemberId], int] = {}
    for family, subject in found.everybody():
        at = (family.namespace, found.subjects[subject])
        strengths[at] = max(strengths.get(at, -1), family.role.strength)
    return Rights(frozenset(found.everybody()), found.complete, active, strengths)
