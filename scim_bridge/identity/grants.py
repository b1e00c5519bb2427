"""Use cases of grants made by hand: add, remove, list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.moments import read_deadline
from scim_bridge.domain.organizations import Scope, ScopeKind, Tree
from scim_bridge.domain.people import GroupId, MemberId, MemberState
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity.authority import require_grantable
from scim_bridge.identity.names import scope_text, the_group, the_member, the_organization, the_scope
from scim_bridge.identity.owners import keep_an_owner
from scim_bridge.store import grants as store
from scim_bridge.store import people, rules
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import GrantKey, OpenOrigin
from scim_bridge.store.memberships import people_below
from scim_bridge.store.organizations import Organization
from scim_bridge.store.removals import request_removals
from scim_bridge.store.tree import read_tree


@dataclass(frozen=True, slots=True)
class GrantWanted:
    """A grant as a person names it: exactly one of ``person`` and ``group``, at least one role."""

    scope: str
    person: str | None = None
    group: str | None = None
    api_role: str | None = None
    kubernetes_role: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class GrantRemoved:
    """What became of a grant: which origins give it still, in words."""

    still_granted_by: tuple[str, ...]
    removed: bool = True


@dataclass(frozen=True, slots=True)
class GrantView:
    """
    A grant in words, with where it comes from; ``since`` is its oldest origin's.

    ``expires_at`` is when its last origin ends by itself, None while one stays.
    """

    id: str
    holder: str
    holder_kind: str
    scope: str
    api_role: str | None
    kubernetes_role: str | None
    origins: tuple[str, ...]
    since: datetime
    changed: bool = False
    expires_at: datetime | None = None
    holder_id: str = ""

    @property
    def is_by_hand(self) -> bool:
        """Tell whether somebody gave it by hand, whatever else gives it too."""
        return any(each.startswith(OriginKind.MANUAL.value) for each in self.origins)


def add(
    database: Database, actor: Actor, organization: str, wanted: GrantWanted, request_id: str | None = None
) -> GrantView:
    """
    Grant by hand; a grant that a rule gives already gets a second origin, and then outlives the rule.

    The same again changes nothing, but for when it ends. Raises Refused for whoever grants what they do not hold.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        tree = read_tree(connection, owner.id)
        key = _key(connection, owner, tree, wanted)
        require_grantable(connection, actor, owner.id, [(key.scope, key.api_role, key.kubernetes_role)])
        _refuse_impossible(connection, owner, key, wanted)
        at = now()
        expires_at = None if wanted.expires is None else read_deadline(wanted.expires, at)
        present = _manual(connection, key)
        if present is not None and present.expires_at != expires_at:
            change = new_change(owner.id, actor, "grant.prolonged", at, request_id)
            add_change(connection, change, wanted.scope)
            store.set_expiry(connection, change, present.id, expires_at)
            add_audit(connection, change, "grant.prolonged", "grant", present.grant_id, _detail(wanted))
        if present is None:
            change = new_change(owner.id, actor, "grant.added", at, request_id)
            add_change(connection, change, wanted.scope)
            store.open_origins(connection, change, OriginKind.MANUAL, [(key, None)], actor.name, expires_at)
            added = _manual(connection, key)
            assert added is not None
            add_audit(connection, change, "grant.added", "grant", added.grant_id, _detail(wanted))
        return _view(connection, owner, tree, key, changed=present is None)


def remove(
    database: Database, actor: Actor, organization: str, wanted: GrantWanted, request_id: str | None = None
) -> tuple[str, ...]:
    """
    Take the manual origin of a grant away: an asked-for removal, unless another origin still holds it up.

    Return the origins that still do, in words. Raises NotFound when nobody granted it by hand and Refused for
    the last working owner.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        key = _key(connection, owner, read_tree(connection, owner.id), wanted)
        require_grantable(connection, actor, owner.id, [(key.scope, key.api_role, key.kubernetes_role)])
        present = _manual(connection, key)
        if present is None:
            raise NotFound("There is no such grant made by hand; a rule's grant goes with its rule or group.")
        _keep_an_owner(connection, owner, key)
        change = new_change(owner.id, actor, "grant.removed", now(), request_id)
        add_change(connection, change, wanted.scope)
        ended = store.close_origins(connection, change, [present])
        add_audit(connection, change, "grant.removed", "grant", present.grant_id, _detail(wanted))
        if ended and key.kubernetes_role is not None:
            request_removals(connection, change, _holders(connection, key), "grant", [key.scope])
        named = _rule_names(connection, owner)
        return tuple(_origin_text(each, named) for each in _held(connection, key))


def list_all(database: Database, organization: str) -> list[GrantView]:
    """Return every grant in force, by scope and holder."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        tree = read_tree(connection, owner.id)
        return _views(connection, owner, tree, store.origins_of_organization(connection, owner.id))


def list_of_group(database: Database, organization: str, group: str) -> list[GrantView]:
    """Return what is granted to one group itself, by scope; raises NotFound."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = the_group(connection, owner.id, group)
        held = store.origins_of_groups(connection, [found.id])
        return _views(connection, owner, read_tree(connection, owner.id), held)


def _key(connection: Connection, owner: Organization, tree: Tree, wanted: GrantWanted) -> GrantKey:
    if (wanted.person is None) == (wanted.group is None):
        raise Invalid("A grant is for one person or for one group.", field="person")
    member_id = None if wanted.person is None else the_member(connection, owner.id, wanted.person).id
    group_id = None if wanted.group is None else the_group(connection, owner.id, wanted.group).id
    scope = the_scope(tree, wanted.scope)
    api_role, kubernetes_role = _roles(wanted, scope)
    return GrantKey(scope, member_id, group_id, api_role, kubernetes_role)


def _roles(wanted: GrantWanted, scope: Scope) -> tuple[str | None, KubernetesRole | None]:
    if wanted.api_role is None and wanted.kubernetes_role is None:
        raise Invalid("A grant gives an API role, a Kubernetes role or both.", field="api_role")
    if wanted.api_role == ApiRole.OWNER and scope.kind is not ScopeKind.ORGANIZATION:
        raise Invalid("Owner is granted at the organization, nowhere below it.", field="scope")
    if wanted.kubernetes_role is None:
        return wanted.api_role, None
    if wanted.kubernetes_role not in set(KubernetesRole):
        words = ", ".join(KubernetesRole)
        raise Invalid(
            f"There is no Kubernetes role {wanted.kubernetes_role!r}; there are {words}.", field="kubernetes_role"
        )
    role = KubernetesRole(wanted.kubernetes_role)
    if role is KubernetesRole.CLUSTER_ADMIN and scope.kind in (ScopeKind.PROJECT, ScopeKind.SERVICE):
        raise Invalid("cluster-admin is not grantable at a project or service.", field="kubernetes_role")
    return wanted.api_role, role


def _refuse_impossible(connection: Connection, owner: Organization, key: GrantKey, wanted: GrantWanted) -> None:
    if key.member_id is not None and key.kubernetes_role is not None:
        named = the_member(connection, owner.id, key.member_id)
        if not named.is_person:
            raise Refused(f"{named.user_name} is a program: on clusters programs are ServiceAccounts.")
    if key.api_role != ApiRole.OWNER:
        return
    if wanted.expires is not None:
        raise Refused("Owner is granted without an end.")
    if key.member_id is None:
        raise Refused("Owner is granted to a person, never to a group.")
    member = the_member(connection, owner.id, key.member_id)
    if not member.is_person:
        raise Refused("Owner is granted to a person, never to a program.")
    if member.state is not MemberState.ACTIVE:
        raise Conflict(f"{member.user_name} is {member.state.value} and cannot become an owner.")


def _keep_an_owner(connection: Connection, owner: Organization, key: GrantKey) -> None:
    if key.api_role == ApiRole.OWNER and key.member_id is not None:
        keep_an_owner(connection, owner.id, [key.member_id])


def _manual(connection: Connection, key: GrantKey) -> OpenOrigin | None:
    held = _held(connection, key)
    return next((each for each in held if each.kind is OriginKind.MANUAL), None)


def _held(connection: Connection, key: GrantKey) -> list[OpenOrigin]:
    if key.member_id is not None:
        found = store.origins_of_members(connection, [key.member_id])
    else:
        found = store.origins_of_groups(connection, [GroupId(key.group_id or "")])
    return [each for each in found if each.key == key]


def _holders(connection: Connection, key: GrantKey) -> Iterable[MemberId]:
    """Return whom the grant gave something: a person, or everybody in the group and the groups in it."""
    return [key.member_id] if key.member_id is not None else people_below(connection, [GroupId(key.group_id or "")])


def _view(connection: Connection, owner: Organization, tree: Tree, key: GrantKey, *, changed: bool) -> GrantView:
    (view,) = _views(connection, owner, tree, _held(connection, key), changed=changed)
    return view


def _views(
    connection: Connection, owner: Organization, tree: Tree, origins: list[OpenOrigin], *, changed: bool = False
) -> list[GrantView]:
    is_personal = any(each.key.member_id is not None for each in origins)
    members = people.names_of_members(connection, owner.id) if is_personal else {}
    groups = people.names_of_groups(connection, owner.id)
    named = _rule_names(connection, owner)
    by_grant: dict[str, list[OpenOrigin]] = {}
    for origin in origins:
        by_grant.setdefault(origin.grant_id, []).append(origin)
    views = []
    for grant_id, held in by_grant.items():
        key = held[0].key
        group = groups.get(key.group_id) if key.group_id is not None else None
        holder = group.name if group else members.get(MemberId(key.member_id or ""), "")
        views.append(
            GrantView(
                grant_id,
                holder,
                "person" if key.group_id is None else "group",
                scope_text(tree, key.scope),
                key.api_role,
                key.kubernetes_role.value if key.kubernetes_role else None,
                tuple(_origin_text(each, named) for each in held),
                min(each.since for each in held),
                changed,
                None
                if any(each.expires_at is None for each in held)
                else max(e.expires_at for e in held if e.expires_at),
                key.group_id or key.member_id or "",
            )
        )
    return sorted(views, key=lambda view: (view.scope, view.holder_kind, view.holder))


def _rule_names(connection: Connection, owner: Organization) -> dict[str, str]:
    return {each.id: each.name for each in rules.rules_in_force(connection, owner.id)}


def _origin_text(origin: OpenOrigin, rule_names: dict[str, str]) -> str:
    if origin.kind is OriginKind.RULE:
        return f"rule {rule_names.get(origin.rule_id or '', origin.rule_id)}"
    return f"{origin.kind.value} by {origin.reference}" if origin.reference else origin.kind.value


def _detail(wanted: GrantWanted) -> dict[str, object]:
    return {
        "scope": wanted.scope,
        "person": wanted.person,
        "group": wanted.group,
        "api_role": wanted.api_role,
        "kubernetes_role": wanted.kubernetes_role,
        "expires": wanted.expires,
    }
