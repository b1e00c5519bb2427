"""
Freezes: what somebody stopped the bridge from doing, where, and for how long.

A freeze stops grants and inferred removals. Who is asked to leave leaves all the same, unless it says so too.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scim_bridge.domain.bindings import BindingKey, Family
from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Action, Change, Plan, Removal, keeping, not_adding
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

LONGEST_WITH_REVOCATIONS = timedelta(hours=24)
"""Who was asked to leave stays in for no longer than this."""


@dataclass(frozen=True, slots=True)
class FrozenPlace:
    """All shards of one binding: a role in a namespace, or in the whole cluster."""

    role: KubernetesRole
    namespace: str | None = None

    def __str__(self) -> str:
        return self.role.value if self.namespace is None else f"{self.role.value}@{self.namespace}"

    def covers(self, family: Family) -> bool:
        """Tell whether a family is this place's."""
        return (family.role, family.namespace) == (self.role, self.namespace)


@dataclass(frozen=True, slots=True)
class Freeze:
    """One freeze; no organization: the installation, no cluster: all of them, no place: all bindings there."""

    id: str
    organization_id: OrganizationId | None
    cluster_id: ClusterId | None
    place: FrozenPlace | None
    including_revocations: bool
    reason: str
    begun_by: str
    begun_at: datetime
    ends_at: datetime | None = None

    def covers(self, family: Family) -> bool:
        """Tell whether a family of a cluster that this is about is frozen by it."""
        return self.place is None or self.place.covers(family)


@dataclass(frozen=True, slots=True)
class Freezes:
    """What is frozen on one cluster."""

    in_force: tuple[Freeze, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.in_force)

    def covers(self, family: Family) -> bool:
        """Tell whether nothing may be granted to, or inferred away from, a family."""
        return any(each.covers(family) for each in self.in_force)

    def holds_leavers(self, family: Family) -> bool:
        """Tell whether not even asked-for removals run in a family."""
        return any(each.including_revocations and each.covers(family) for each in self.in_force)

    @property
    def sentence(self) -> str:
        """Return who froze what and why, for people."""
        return "; ".join(_sentence(each) for each in self.in_force)


NOT_FROZEN = Freezes()


def parse_place(text: str) -> FrozenPlace:
    """Read ``edit`` or ``edit@namespace``; raises Invalid."""
    name, at, namespace = text.partition("@")
    roles = [role.value for role in KubernetesRole if role is not KubernetesRole.NONE]
    if name not in roles or (at and not is_namespace_name(namespace)):
        raise Invalid(f"A binding is named by its role ({', '.join(roles)}), or role@namespace.", field="binding")
    return FrozenPlace(KubernetesRole(name), namespace or None)


def thaw_after(begun_at: datetime, length: timedelta | None, *, including_revocations: bool) -> datetime | None:
    """Return when a freeze ends by itself; raises Invalid for one that would keep leavers in for too long."""
    if length is not None and length <= timedelta():
        raise Invalid("A freeze ends in the future.", field="hours")
    if including_revocations and (length is None or length > LONGEST_WITH_REVOCATIONS):
        raise Invalid("A freeze that keeps leavers in ends within 24 hours: say after how many.", field="hours")
    return None if length is None else begun_at + length


def frozen_plan(plan: Plan, freezes: Freezes, is_asked_for: Callable[[Removal], bool]) -> Plan:
    """
    Return what may still be done: nothing in a frozen family, but that leavers leave it.

    Who was to be added is added nowhere there, also not by the write that takes a leaver out.
    """
    if not freezes:
        return plan
    refused = {c.binding.key: set(c.added) for c in plan.of(*_ADDING) if freezes.covers(c.binding.key.family)}
    changes = [left for change in plan.changes for left in _allowed(change, freezes, refused, is_asked_for)]
    return replace(plan, changes=tuple(sorted(changes, key=lambda change: change.sort_key)))


_ADDING = (Action.CREATE, Action.GROW)


def _allowed(
    change: Change,
    freezes: Freezes,
    refused: Mapping[BindingKey, set[str]],
    is_asked_for: Callable[[Removal], bool],
) -> Iterable[Change]:
    family = change.binding.key.family
    if not freezes.covers(family):
        return [change]
    if change.action in _ADDING or freezes.holds_leavers(family):
        return []
    stay = {s for s in change.removed if s not in change.lost or not is_asked_for((family, s))}
    left = keeping(change, stay) if stay else [change]
    return [each for found in left for each in not_adding(found, refused.get(change.binding.key, set()))]


def _sentence(each: Freeze) -> str:
    what = str(each.place) if each.place else "the cluster" if each.cluster_id else "everything"
    until = f" until {each.ends_at:%Y-%m-%d %H:%M} UTC" if each.ends_at else ""
    leavers = ", leavers included" if each.including_revocations else ""
    return f"{each.begun_by} froze {what}{until}{leavers}{f': {each.reason}' if each.reason else ''}"
