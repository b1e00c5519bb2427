"""
What an actor may do: asked by use cases inside the very transaction in which they act.

Whoever is trusted (`Actor.is_trusted`) is not asked: the terminal of the installation, its scheduler, a directory at
its own door. All others may do what their grants give them at a scope and above it, within the limits of their token.
"""

from collections.abc import Iterable
from contextlib import suppress

from scim_bridge.domain.access import Grant, Snapshot, api_roles
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind, Tree
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.permissions import Catalogue, grant_permission, permissions
from scim_bridge.domain.roles import ApiRole, KubernetesRole
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity.acceptance import require_accepted
from scim_bridge.identity.catalogue import catalogue_of
from scim_bridge.store.api_tokens import active_member_of
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection
from scim_bridge.store.organizations import Organization, find_organization
from scim_bridge.store.snapshot import read_members
from scim_bridge.store.tree import read_tree

GRANTING = "organization:permissions:write"
MANAGING_DIRECTORIES = "organization:directories:write"
GRANTING_IN_PROJECT = "project:permissions:write"


class Authority:
    """One actor's permissions in one organization, as one transaction sees them."""

    def __init__(
        self,
        tree: Tree,
        catalogue: Catalogue,
        grants: Iterable[Grant],
        *,
        member_id: MemberId | None = None,
        within: frozenset[str] | None = None,
        trusted: bool = False,
    ) -> None:
        self.tree = tree
        self.catalogue = catalogue
        self.member_id = member_id
        self._grants = list(grants)
        self._within = within
        self._trusted = trusted

    def at(self, scope: Scope) -> frozenset[str]:
        """Return what the actor may do at a scope; nothing at one that is not in the tree."""
        if self._trusted:
            return frozenset(self.catalogue.descriptions)
        held = permissions(self.catalogue, api_roles(self.tree, scope, self._grants))
        return held if self._within is None else held & self._within

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return the scopes at which the actor's grants sit, and the organization: below them it is the same."""
        return frozenset({self.tree.root, *(grant.scope for grant in self._grants)})

    def anywhere(self) -> frozenset[str]:
        """Return what the actor may do somewhere in the organization."""
        return frozenset().union(*(self.at(scope) for scope in self.scopes))

    def may(self, permission: str, scope: Scope | None = None) -> bool:
        """Say whether the actor holds a permission at a scope; at the organization if none is named."""
        return permission in self.at(scope or self.tree.root)

    def require(self, permission: str, scope: Scope | None = None) -> None:
        """Raise Refused unless the actor holds a permission at a scope; at the organization if none is named."""
        if not self.may(permission, scope):
            raise Refused(f"You lack the permission {permission} here.")

    def require_grantable(
        self,
        scope: Scope,
        api_role: str | None = None,
        kubernetes_role: KubernetesRole | None = None,
        *,
        asking: str | None = None,
    ) -> None:
        """
        Raise Refused for whoever may not grant these roles at a scope: nobody grants what they do not hold.

        ``asking`` is the permission that the door in question needs instead of the one to grant. Raises Invalid for a
        role that is not in the catalogue.
        """
        if self._trusted:
            self._known(api_role)
            return
        self._require_granting(scope, asking)
        if api_role is not None:
            self._require_all(scope, api_role)
        if kubernetes_role is not None:
            self.require(grant_permission(kubernetes_role), scope)

    def _require_granting(self, scope: Scope, asking: str | None) -> None:
        inside = scope.kind in (ScopeKind.PROJECT, ScopeKind.SERVICE)
        if asking is None and inside and self.may(GRANTING_IN_PROJECT, scope):
            return
        self.require(asking or GRANTING, scope)

    def _require_all(self, scope: Scope, api_role: str) -> None:
        if api_role == ApiRole.OWNER:
            self.require("owners:manage", scope)
        missing = self._known(api_role) - self.at(scope)
        if missing:
            named = ", ".join(sorted(missing)[:3])
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise Refused(f"Nobody grants what they do not hold: {api_role} allows {named}{more}, and you do not.")

    def _known(self, api_role: str | None) -> frozenset[str]:
        if api_role is not None and api_role not in self.catalogue.roles:
            names = ", ".join(sorted(self.catalogue.roles))
            raise Invalid(f"There is no API role {api_role!r}; there are {names}.", field="api_role")
        return self.catalogue.roles[api_role] if api_role is not None else frozenset()


def authority_of(connection: Connection, actor: Actor, organization_id: OrganizationId) -> Authority:
    """Return what an actor may do in an organization; raises NotFound for whoever is no active member of it."""
    catalogue = catalogue_of(connection, organization_id)
    if actor.is_trusted:
        return Authority(read_tree(connection, organization_id), catalogue, (), trusted=True)
    member_id = the_member_of(connection, actor, organization_id)
    snapshot = read_members(connection, organization_id, [member_id], now())
    return authority_in(snapshot, catalogue, actor, member_id)


def authority_in(snapshot: Snapshot, catalogue: Catalogue, actor: Actor, member_id: MemberId) -> Authority:
    """Return what an actor may do, from a snapshot that holds the member that they are."""
    grants = snapshot.grants_for(member_id)
    return Authority(snapshot.tree, catalogue, grants, member_id=member_id, within=actor.permissions)


def the_member_of(connection: Connection, actor: Actor, organization_id: OrganizationId) -> MemberId:
    """
    Return the active member that an actor is; raises NotFound for whoever is none.

    Raises SignInNotAccepted for one who did not come in as the organization asks for.
    """
    if actor.account_id is not None and actor.organization_id in (None, organization_id):
        member_id = active_member_of(connection, actor.account_id, organization_id)
        if member_id is not None:
            require_accepted(connection, actor, organization_id, member_id)
            return member_id
    raise NotFound("There is no such organization.")


def opened_organization(connection: Connection, actor: Actor, named: str) -> tuple[Organization, Authority]:
    """
    Return an organization and what an actor may do in it.

    Raises NotFound in the same words for one that is not there and one that is somebody else's.
    """
    found = find_organization(connection, named)
    if found is not None:
        with suppress(NotFound):
            return found, authority_of(connection, actor, found.id)
    raise NotFound(f"There is no organization {named!r}.")


def require(
    connection: Connection, actor: Actor, organization_id: OrganizationId, permission: str, scope: Scope | None = None
) -> None:
    """Raise Refused unless an actor holds a permission at a scope; costs a trusted actor nothing."""
    if not actor.is_trusted:
        authority_of(connection, actor, organization_id).require(permission, scope)


def require_grantable(
    connection: Connection,
    actor: Actor,
    organization_id: OrganizationId,
    grants: Iterable[tuple[Scope, str | None, KubernetesRole | None]],
    *,
    asking: str | None = None,
) -> None:
    """Raise Refused for whoever may not grant all of this; what `Authority.require_grantable` says holds here too."""
    held = authority_of(connection, actor, organization_id)
    for scope, api_role, kubernetes_role in grants:
        held.require_grantable(scope, api_role, kubernetes_role, asking=asking)
