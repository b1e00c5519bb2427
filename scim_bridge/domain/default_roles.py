"""
The role of people whom a directory provisions and no rule maps; nobody has one unless it is switched on.

It is derived at every look and never stored with the person: whoever is mapped a moment later simply has it no more.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scim_bridge.domain.access import Grant, GrantId, Origin, OriginKind, Snapshot
from scim_bridge.domain.organizations import ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Invalid

_NEVER_BY_DEFAULT = (ApiRole.OWNER, ApiRole.ADMIN)


@dataclass(frozen=True, slots=True)
class DefaultRole:
    """What the unmapped get at the organization; both None: explicitly nothing."""

    api_role: str | None = None
    kubernetes_role: KubernetesRole | None = None

    @property
    def is_nothing(self) -> bool:
        """Tell whether it gives nothing."""
        return self.api_role is None and self.kubernetes_role is None

    @property
    def text(self) -> str:
        """Return it as it is stored."""
        role = self.kubernetes_role.value if self.kubernetes_role else None
        return json.dumps({"api_role": self.api_role, "kubernetes_role": role}, sort_keys=True)


def read_default(text: str) -> DefaultRole:
    """Return what `DefaultRole.text` wrote."""
    found = json.loads(text)
    role = found["kubernetes_role"]
    return DefaultRole(found["api_role"], KubernetesRole(role) if role else None)


def checked_default(api_role: str | None, kubernetes_role: str | None) -> DefaultRole:
    """Return the default that these words name; raises Invalid for a role that nobody gets without being named."""
    if api_role is not None and (api_role not in set(ApiRole) or api_role in _NEVER_BY_DEFAULT):
        raise Invalid(f"The API role {api_role!r} cannot be a default: use one below admin.", field="api_role")
    allowed = [each.value for each in KubernetesRole if each is not KubernetesRole.CLUSTER_ADMIN]
    if kubernetes_role is not None and kubernetes_role not in allowed:
        raise Invalid(
            f"The Kubernetes role {kubernetes_role!r} cannot be a default; there are {', '.join(allowed)}.",
            field="kubernetes_role",
        )
    return DefaultRole(api_role, KubernetesRole(kubernetes_role) if kubernetes_role else None)


def with_defaults(snapshot: Snapshot, defaults: Mapping[MemberId, Iterable[DefaultRole]]) -> Snapshot:
    """
    Return the snapshot in which provisioned people whom no rule maps have their directories' default roles.

    A Kubernetes role that anything else says at the organization stands instead, an explicit ``none`` too.
    """
    given: dict[MemberId, tuple[Grant, ...]] = {}
    for member_id, roles in defaults.items():
        held = snapshot.grants_for(member_id)
        if any(origin.kind is OriginKind.RULE for grant in held for origin in grant.origins):
            continue
        says_so = any(g.kubernetes_role is not None and g.scope.kind is ScopeKind.ORGANIZATION for g in held)
        made = [_grant(snapshot, member_id, role, silent=says_so) for role in dict.fromkeys(roles)]
        given[member_id] = (*snapshot.grants_of_member.get(member_id, ()), *(each for each in made if each))
    return replace(snapshot, grants_of_member={**snapshot.grants_of_member, **given}) if given else snapshot


def _grant(snapshot: Snapshot, member_id: MemberId, role: DefaultRole, *, silent: bool) -> Grant | None:
    kubernetes_role = None if silent else role.kubernetes_role
    if role.api_role is None and kubernetes_role is None:
        return None
    words = f"{role.api_role or ''}-{kubernetes_role.value if kubernetes_role else ''}"
    return Grant(
        GrantId(f"default-{member_id}-{words}"),
        snapshot.tree.root,
        member_id,
        api_role=role.api_role,
        kubernetes_role=kubernetes_role,
        origins=(Origin(OriginKind.DEFAULT),),
    )
