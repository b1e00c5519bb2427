"""What organizations, units, projects, services, directories and clusters may be called, and how they are found."""

import re

from scim_bridge.domain.mapping import find_scope
from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.organizations import (
    OrganizationId,
    ProjectId,
    Scope,
    ScopeKind,
    ServiceId,
    Tree,
    UnitId,
)
from scim_bridge.domain.people import Member
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.store import people
from scim_bridge.store.database import Connection
from scim_bridge.store.directories import Directory, find_directory
from scim_bridge.store.organizations import Organization, find_organization
from scim_bridge.store.people import NamedGroup

LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def checked_name(noun: str, name: str) -> str:
    """
    Return the name, or raise Invalid: names appear in paths and in namespaces, so they are DNS labels.

    None looks like an id: whoever names a thing by its id must never be led to another one of that name.
    """
    if LIKE_AN_ID.fullmatch(name):
        raise Invalid(f"{name!r} cannot be the name of {noun}: it looks like an id.", field="name")
    if not is_namespace_name(name):
        raise Invalid(
            f"{name!r} cannot be the name of {noun}: use small letters, digits and - inside, at most 63.", field="name"
        )
    return name


def the_organization(connection: Connection, named: str) -> Organization:
    """Return the organization with this slug or id; raises NotFound."""
    found = find_organization(connection, named)
    if found is None:
        raise NotFound(f"There is no organization {named!r}.")
    return found


def the_directory(connection: Connection, organization: str, named: str) -> Directory:
    """Return the directory of an organization with this name or id; raises NotFound."""
    owner = the_organization(connection, organization)
    found = find_directory(connection, owner.id, named)
    if found is None:
        raise NotFound(f"There is no directory {named!r} in the organization {owner.slug}.")
    return found


def the_scope(tree: Tree, text: str) -> Scope:
    """Return the place that a scope's text names; raises Invalid for a text that is none, NotFound for no place."""
    if text != "organization" and text.partition(":")[0] not in ("unit", "project", "service", "cluster"):
        raise Invalid(
            f"{text!r} is not a scope: write organization, unit:a/b, project:p, service:p/s or cluster:c.",
            field="scope",
        )
    found = find_scope(text, tree)
    if found is None:
        raise NotFound(f"There is no {text} in this organization.")
    return found


def the_unit(tree: Tree, path: str | None) -> UnitId | None:
    """Return the unit at a path like ``production/payments``; None and "" are the organization itself."""
    return UnitId(the_scope(tree, f"unit:{path}").id) if path else None


def unit_path(tree: Tree, unit_id: UnitId | None) -> str:
    """Return a unit's path; "" for the organization itself."""
    return "/".join(reversed([tree.units[each].name for each in tree.units_above(unit_id)]))


def scope_text(tree: Tree, scope: Scope) -> str:
    """Return what names a scope, as `the_scope` reads it; its id where the place is gone."""
    match scope.kind:
        case ScopeKind.UNIT if scope.id in tree.units:
            return f"unit:{unit_path(tree, UnitId(scope.id))}"
        case ScopeKind.PROJECT if scope.id in tree.projects:
            return f"project:{tree.projects[ProjectId(scope.id)].name}"
        case ScopeKind.SERVICE if scope.id in tree.services:
            service = tree.services[ServiceId(scope.id)]
            return f"service:{tree.projects[service.project_id].name}/{service.name}"
        case ScopeKind.CLUSTER if scope.id in tree.clusters:
            return f"cluster:{next(c.name for c in tree.clusters.values() if c.id == scope.id)}"
        case ScopeKind.ORGANIZATION:
            return "organization"
    return f"{scope.kind.value}:{scope.id}"


def the_member(connection: Connection, organization_id: OrganizationId, named: str) -> Member:
    """Return the person with this id, userName or e-mail address; raises NotFound, or Conflict for more than one."""
    found = people.find_members(connection, organization_id, named)
    if not found:
        raise NotFound(f"There is no person {named!r} in this organization.")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise Conflict(f"{named!r} names {len(found)} people; name one by its id: {ids}.")
    return found[0]


def the_group(connection: Connection, organization_id: OrganizationId, named: str) -> NamedGroup:
    """Return the group with this id or name; ``directory/name`` says whose; raises NotFound or Conflict."""
    found = people.find_groups(connection, organization_id, named)
    if not found and "/" in named:
        directory, _, name = named.partition("/")
        found = [each for each in people.find_groups(connection, organization_id, name) if each.directory == directory]
    if not found:
        raise NotFound(f"There is no group {named!r} in this organization.")
    if len(found) > 1:
        owners = " or ".join(f"{each.directory or 'by hand'}/{each.name}" for each in found)
        raise Conflict(f"{named!r} names {len(found)} groups; say which: {owners}, or its id.")
    return found[0]
