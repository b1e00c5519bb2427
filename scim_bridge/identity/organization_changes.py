"""Use cases of an organization as a whole: rename it, set it up, delete it."""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organization_settings import (
    OrganizationSettings,
    checked_display_name,
    read_settings,
)
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryState, MemberState
from scim_bridge.errors import Invalid, Refused
from scim_bridge.identity.authority import require
from scim_bridge.identity.names import checked_name, the_organization, unit_path
from scim_bridge.store import cluster_registry, directories
from scim_bridge.store import organizations as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organization_end import end_organization
from scim_bridge.store.organizations import Organization, lock_for_rules
from scim_bridge.store.tree import read_tree

SHOWN = 5


@dataclass(frozen=True, slots=True)
class OrganizationSetUp:
    """An organization as it is called and set up now; ``changed`` False: it was so already."""

    id: OrganizationId
    slug: str
    name: str
    settings: OrganizationSettings
    changed: bool = True


@dataclass(frozen=True, slots=True)
class OrganizationDeleted:
    """An organization that is no more, and how many people were in it."""

    id: OrganizationId
    slug: str
    members: int


def set_up(
    database: Database,
    actor: Actor,
    organization: str,
    *,
    name: str | None = None,
    slug: str | None = None,
    settings: Mapping[str, object] | None = None,
    request_id: str | None = None,
) -> OrganizationSetUp:
    """
    Give an organization another name, slug or settings; what is left out stays, the same again changes nothing.

    Raises Conflict where another organization has the slug. Whoever uses the old slug finds nothing there any more.
    """
    with database.write() as connection:
        found = the_organization(connection, organization)
        lock_for_rules(connection, found.id, exclusive=True)
        require(connection, actor, found.id, "org:update")
        new_name = found.name if name is None else checked_display_name(name)
        new_slug = found.slug if slug is None else checked_name("an organization", slug)
        present = read_settings(found.settings)
        wanted = present.with_values(settings or {})
        if (new_name, new_slug, wanted) == (found.name, found.slug, present):
            return OrganizationSetUp(found.id, found.slug, found.name, present, changed=False)
        change = new_change(found.id, actor, "organization.updated", now(), request_id)
        add_change(connection, change, new_slug)
        store.set_organization(connection, found.id, slug=new_slug, name=new_name, settings=wanted.text)
        detail = {
            "old": {"slug": found.slug, "name": found.name, "settings": present.text},
            "new": {"slug": new_slug, "name": new_name, "settings": wanted.text},
        }
        add_audit(connection, change, change.kind, "organization", found.id, detail)
        return OrganizationSetUp(found.id, new_slug, new_name, wanted)


def delete(
    database: Database, actor: Actor, organization: str, repeated: str, request_id: str | None = None
) -> OrganizationDeleted:
    """
    Delete an organization that is empty; ``repeated`` is its slug once more, so that nobody deletes another one.

    Raises Refused while projects, units, clusters or directories are left, and says which. Its people, groups, grants
    and tokens end with it; what happened in it stays in the audit.
    """
    with database.write() as connection:
        found = the_organization(connection, organization)
        lock_for_rules(connection, found.id, exclusive=True)
        require(connection, actor, found.id, "org:delete")
        if repeated != found.slug:
            raise Invalid(f"Repeat the name of the organization to delete it: {found.slug}.", field="repeated")
        _refuse_full(connection, found)
        change = new_change(found.id, actor, "organization.deleted", now(), request_id)
        add_change(connection, change, found.slug)
        members = end_organization(connection, change)
        detail = {"slug": found.slug, "name": found.name, "members": members}
        add_audit(connection, change, change.kind, "organization", found.id, detail)
        return OrganizationDeleted(found.id, found.slug, members)


def why_not(state: MemberState | None) -> str | None:
    """Return what keeps a member in this state from opening an organization; None: nothing does."""
    if state is MemberState.INVITED:
        return "You are invited and have not accepted yet."
    if state not in (None, MemberState.ACTIVE):
        return "You are deactivated here: an admin of the organization can change that."
    return None


def _refuse_full(connection: Connection, found: Organization) -> None:
    """Raise Refused for what is left, the projects first: they are deleted first."""
    tree = read_tree(connection, found.id)
    connected = [
        each.name
        for each in directories.list_directories(connection, found.id)
        if each.state is not DirectoryState.DETACHED
    ]
    left = {
        "projects": sorted(each.name for each in tree.projects.values()),
        "units": sorted(unit_path(tree, each) for each in tree.units),
        "clusters": [each.name for each in cluster_registry.list_clusters(connection, found.id)],
        "directories that are not detached": connected,
    }
    for noun, names in left.items():
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise Refused(f"The organization {found.slug} still has {noun}: {', '.join(names[:SHOWN])}{more}.")
