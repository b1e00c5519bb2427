"""Use case: say in one step which API role and which Kubernetes role a member has in the whole organization."""

from collections.abc import Iterable
from dataclasses import dataclass

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.domain.people import Member, MemberId, MemberState
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Conflict, Invalid, Refused
from scim_bridge.identity.authority import require_grantable
from scim_bridge.identity.member_states import require_over
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.identity.owners import keep_an_owner
from scim_bridge.store import grants as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import GrantKey, OpenOrigin
from scim_bridge.store.organizations import Organization
from scim_bridge.store.removals import request_removals

UPDATING = "members:update_role"
BY_HAND = (OriginKind.MANUAL, OriginKind.INVITATION)
INHERIT = "inherit"
"""Says of an axis that nothing is granted by hand there; `none` is a Kubernetes role and says "nothing"."""


@dataclass(frozen=True, slots=True)
class RolesWanted:
    """Roles as a person names them; None leaves an axis as it is, ``inherit`` takes away what hands gave."""

    api_role: str | None = None
    kubernetes_role: str | None = None


@dataclass(frozen=True, slots=True)
class RolesSet:
    """What a member holds at the organization now; ``by_others``: roles that rules give them there as well."""

    id: MemberId
    user_name: str
    api_roles: tuple[str, ...]
    kubernetes_roles: tuple[str, ...]
    by_others: tuple[str, ...]
    changed: bool


def set_roles(
    database: Database, actor: Actor, organization: str, person: str, wanted: RolesWanted, request_id: str | None = None
) -> RolesSet:
    """
    Give a member these roles in the whole organization, in place of those that hands or an invitation gave.

    Raises Invalid for a role that there is not, Conflict for somebody who cannot be an owner, and Refused for the last
    working owner.
    """
    api_role, kubernetes_role = read_roles(wanted)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        if api_role == ApiRole.OWNER and found.state is not MemberState.ACTIVE:
            raise Conflict(f"{found.user_name} is {found.state.value} and cannot become an owner.")
        scope = Scope(ScopeKind.ORGANIZATION, owner.id)
        held = _held(connection, found.id, scope)
        ending = [each for each in held if each.kind in BY_HAND and _speaks(each.key, wanted)]
        keys = {key for each in ending for key in _rest(each.key, wanted)}
        keys |= _new_keys(scope, found.id, api_role, kubernetes_role)
        _require(connection, actor, owner, found, keys | {each.key for each in ending})
        if {each.key for each in ending} == keys:
            return _roles_set(found, held, changed=False)
        if any(each.key.api_role == ApiRole.OWNER for each in ending) and not _has_owner(keys):
            keep_an_owner(connection, owner.id, [found.id])
        change = new_change(owner.id, actor, "member.roles_set", now(), request_id)
        add_change(connection, change, found.user_name)
        _replace(connection, change, found.id, ending, keys)
        if any(each.key.kubernetes_role is not None for each in ending):
            request_removals(connection, change, [found.id], "grant", [scope])
        detail = {"from": _words(held), "to": _words(_held(connection, found.id, scope))}
        add_audit(connection, change, "member.roles_set", "member", found.id, detail)
        return _roles_set(found, _held(connection, found.id, scope), changed=True)


def read_roles(wanted: RolesWanted) -> tuple[str | None, KubernetesRole | None]:
    """Return the roles to give; raises Invalid for none at all, and for a Kubernetes role that there is not."""
    if wanted.api_role is None and wanted.kubernetes_role is None:
        raise Invalid("Say an API role, a Kubernetes role or both.", field="api_role")
    api_role = None if wanted.api_role == INHERIT else wanted.api_role
    role = None if wanted.kubernetes_role == INHERIT else wanted.kubernetes_role
    if role is not None and role not in set(KubernetesRole):
        words = ", ".join(KubernetesRole)
        raise Invalid(f"There is no Kubernetes role {role!r}; there are {words}.", field="kubernetes_role")
    return api_role, None if role is None else KubernetesRole(role)


def _require(
    connection: Connection, actor: Actor, owner: Organization, found: Member, keys: Iterable[GrantKey]
) -> None:
    """Raise Refused for whoever may not give, or take, these roles, and for roles that programs never have."""
    given = sorted({(each.scope, each.api_role, each.kubernetes_role) for each in keys}, key=repr)
    require_over(connection, actor, owner.id, found.id, UPDATING)
    require_grantable(connection, actor, owner.id, given, asking=UPDATING)
    if found.is_person:
        return
    if any(key.kubernetes_role is not None for key in keys) or _has_owner(set(keys)):
        raise Refused(f"{found.user_name} is a program: it owns nothing, and on clusters programs are ServiceAccounts.")


def _held(connection: Connection, member_id: MemberId, scope: Scope) -> list[OpenOrigin]:
    return [each for each in store.origins_of_members(connection, [member_id]) if each.key.scope == scope]


def _speaks(key: GrantKey, wanted: RolesWanted) -> bool:
    of_api = wanted.api_role is not None and key.api_role is not None
    return of_api or (wanted.kubernetes_role is not None and key.kubernetes_role is not None)


def _rest(key: GrantKey, wanted: RolesWanted) -> list[GrantKey]:
    """Return what stays of a grant that speaks about both axes when only one of them is set anew."""
    if key.api_role is None or key.kubernetes_role is None:
        return []
    if wanted.api_role is None:
        return [GrantKey(key.scope, key.member_id, api_role=key.api_role)]
    if wanted.kubernetes_role is None:
        return [GrantKey(key.scope, key.member_id, kubernetes_role=key.kubernetes_role)]
    return []


def _new_keys(
    scope: Scope, member_id: MemberId, api_role: str | None, kubernetes_role: KubernetesRole | None
) -> set[GrantKey]:
    found = set()
    if api_role is not None:
        found.add(GrantKey(scope, member_id, api_role=api_role))
    if kubernetes_role is not None:
        found.add(GrantKey(scope, member_id, kubernetes_role=kubernetes_role))
    return found


def _has_owner(keys: set[GrantKey]) -> bool:
    return any(key.api_role == ApiRole.OWNER for key in keys)


def _replace(
    connection: Connection, change: Change, member_id: MemberId, ending: list[OpenOrigin], keys: set[GrantKey]
) -> None:
    present = {each.key for each in ending if each.kind is OriginKind.MANUAL}
    new = sorted(keys - present, key=lambda key: (key.api_role or "", key.kubernetes_role or ""))
    store.open_origins(connection, change, OriginKind.MANUAL, [(key, None) for key in new], change.actor.name)
    gone = [each for each in ending if each.key not in keys or each.kind is not OriginKind.MANUAL]
    store.close_origins(connection, change, gone)


def _roles_set(found: Member, held: list[OpenOrigin], *, changed: bool) -> RolesSet:
    api = sorted({each.key.api_role for each in held if each.key.api_role is not None})
    kubernetes = sorted({each.key.kubernetes_role.value for each in held if each.key.kubernetes_role is not None})
    others = [each for each in held if each.kind not in BY_HAND]
    return RolesSet(found.id, found.user_name, tuple(api), tuple(kubernetes), tuple(_words(others)), changed)


def _words(held: list[OpenOrigin]) -> list[str]:
    """Return the roles in these origins, in words."""
    roles = {each.key.api_role for each in held} | {each.key.kubernetes_role for each in held}
    return sorted(str(role) for role in roles if role is not None)
