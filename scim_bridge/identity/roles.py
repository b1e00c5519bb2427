"""Use cases of roles: the catalogue of what each allows, and the roles that an organization makes itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.permissions import Catalogue
from scim_bridge.domain.roles import ApiRole
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity.authority import GRANTING, Authority, authority_of
from scim_bridge.identity.catalogue import built_in, catalogue_of
from scim_bridge.identity.names import checked_name, scope_text, the_organization
from scim_bridge.store import roles as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import Organization, lock_for_rules

OWNERS_ALONE = frozenset({"org:transfer", "owners:manage", "break_glass:use"})


@dataclass(frozen=True, slots=True)
class RoleView:
    """One API role with all that it allows; ``scopes`` are where a custom role is granted, in words."""

    name: str
    built_in: bool
    permissions: tuple[str, ...]
    scopes: tuple[str, ...] = ()


def list_all(database: Database, organization: str) -> list[RoleView]:
    """Return the built-in roles and the organization's own."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        catalogue = catalogue_of(connection, owner.id)
    own = set(catalogue.roles) - set(built_in().roles)
    return [RoleView(name, name not in own, tuple(sorted(held))) for name, held in sorted(catalogue.roles.items())]


def catalogue(database: Database, organization: str) -> Catalogue:
    """Return every permission with what it allows, and what each role holds."""
    with database.read() as connection:
        return catalogue_of(connection, the_organization(connection, organization).id)


def put(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    permissions: Iterable[str],
    request_id: str | None = None,
) -> RoleView:
    """
    Make a custom role, or let it allow something else from now on; the same again changes nothing.

    Whoever adds a permission to a role that is granted somewhere grants it there, and must hold it there.
    """
    wanted = frozenset(permissions)
    checked_name("a role", name)
    with database.write() as connection:
        owner, authority = _begin(connection, actor, organization)
        _check(authority.catalogue, name, wanted)
        present = next((each for each in store.custom_roles(connection, owner.id) if each.name == name), None)
        scopes = store.scopes_of_role(connection, owner.id, name)
        before = present.permissions if present else frozenset[str]()
        for scope in scopes or [authority.tree.root]:
            missing = wanted - before - authority.at(scope)
            if missing:
                raise Refused(f"Nobody grants what they do not hold: {', '.join(sorted(missing))}.")
        if present is None or before != wanted:
            change = new_change(owner.id, actor, "role.changed" if present else "role.created", now(), request_id)
            add_change(connection, change, name)
            made = store.put_role(connection, change, name, wanted)
            detail = {"name": name, "was": sorted(before), "permissions": sorted(wanted)}
            add_audit(connection, change, change.kind, "role", made.id, detail)
        return RoleView(name, False, tuple(sorted(wanted)), tuple(scope_text(authority.tree, s) for s in scopes))


def delete(database: Database, actor: Actor, organization: str, name: str, request_id: str | None = None) -> None:
    """Delete a custom role; raises Conflict while somebody is granted it."""
    with database.write() as connection:
        owner, authority = _begin(connection, actor, organization)
        if name in built_in().roles:
            raise Refused(f"The role {name} is part of the bridge.")
        present = next((each for each in store.custom_roles(connection, owner.id) if each.name == name), None)
        if present is None:
            raise NotFound(f"There is no role {name!r} in this organization.")
        scopes = store.scopes_of_role(connection, owner.id, name)
        if scopes:
            where = ", ".join(scope_text(authority.tree, scope) for scope in scopes)
            raise Conflict(f"The role {name} is granted at {where}; take those grants away first.")
        change: Change = new_change(owner.id, actor, "role.deleted", now(), request_id)
        add_change(connection, change, name)
        store.end_role(connection, change, name)
        detail = {"name": name, "was": sorted(present.permissions)}
        add_audit(connection, change, "role.deleted", "role", present.id, detail)


def _begin(connection: Connection, actor: Actor, organization: str) -> tuple[Organization, Authority]:
    owner = the_organization(connection, organization)
    lock_for_rules(connection, owner.id, exclusive=True)
    authority = authority_of(connection, actor, owner.id)
    authority.require(GRANTING)
    return owner, authority


def _check(catalogue: Catalogue, name: str, wanted: frozenset[str]) -> None:
    if name in built_in().roles or name in set(ApiRole):
        raise Refused(f"The role {name} is part of the bridge.")
    unknown = sorted(wanted - set(catalogue.descriptions))
    if unknown:
        raise Invalid(f"There is no permission {unknown[0]!r}.", field="permissions")
    if not wanted:
        raise Invalid("A role allows something.", field="permissions")
    if wanted & OWNERS_ALONE:
        raise Refused(f"Only owners hold {', '.join(sorted(wanted & OWNERS_ALONE))}.")
