"""Use cases of organizations: create, list, show."""

from dataclasses import dataclass, field
from datetime import datetime

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organization_settings import OrganizationSettings, read_settings
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import NotUnique, Refused
from scim_bridge.identity.members import checked_email, is_owner, make_owner, own_it
from scim_bridge.identity.names import checked_name, the_organization
from scim_bridge.store import api_tokens, cluster_registry, directories, people
from scim_bridge.store import organizations as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.tree import read_tree


@dataclass(frozen=True, slots=True)
class OrganizationCreated:
    """An organization that exists now; ``created`` is False when it was there before."""

    id: OrganizationId
    slug: str
    name: str
    owner: str | None
    created: bool


@dataclass(frozen=True, slots=True)
class OrganizationSummary:
    """An organization and how much is in it."""

    id: OrganizationId
    slug: str
    name: str
    created_at: datetime
    owners: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    settings: OrganizationSettings = field(default_factory=OrganizationSettings)


def create(
    database: Database,
    actor: Actor,
    slug: str,
    *,
    name: str | None = None,
    owner: str | None = None,
    request_id: str | None = None,
) -> OrganizationCreated:
    """Create a tenant and its first owner; what is there already stays as it is."""
    checked_name("an organization", slug)
    email = None if owner is None else checked_email(owner)
    with database.write() as connection:
        found = store.find_organization(connection, slug)
        if found is not None and (email is None or is_owner(connection, found.id, email)):
            return OrganizationCreated(found.id, found.slug, found.name, email, created=False)
        organization_id = OrganizationId(new_id()) if found is None else found.id
        change = new_change(organization_id, actor, "organization.created", now(), request_id)
        made = found or store.insert_organization(connection, change, slug, name or slug)
        add_change(connection, change, slug)
        if found is None:
            add_audit(connection, change, "organization.created", "organization", made.id, {"slug": slug})
        if email is not None:
            make_owner(connection, change, email)
    return OrganizationCreated(made.id, made.slug, made.name, email, created=found is None)


def create_own(
    database: Database, actor: Actor, slug: str, *, name: str | None = None, request_id: str | None = None
) -> OrganizationCreated:
    """
    Create a tenant of which whoever asks becomes the owner.

    Raises Refused for programs, for tokens that are limited to some permissions, and for people behind whom a
    directory stands; NotUnique for a slug that is taken, by whomever.
    """
    if actor.is_trusted:
        return create(database, actor, slug, name=name, request_id=request_id)
    checked_name("an organization", slug)
    with database.write() as connection:
        email = None
        if actor.kind is ActorKind.PERSON and actor.permissions is None and actor.account_id is not None:
            email = people.own_address(connection, actor.account_id)
        if email is None or actor.account_id is None:
            raise Refused(
                "Only people with an account of their own create organizations, and no token with limits does."
            )
        if store.find_organization(connection, slug) is not None:
            raise NotUnique(f"The name {slug} is taken.")
        change = new_change(OrganizationId(new_id()), actor, "organization.created", now(), request_id)
        made = store.insert_organization(connection, change, slug, name or slug)
        add_change(connection, change, slug)
        add_audit(connection, change, "organization.created", "organization", made.id, {"slug": slug})
        own_it(connection, change, actor.account_id, email)
    return OrganizationCreated(made.id, made.slug, made.name, email, created=True)


def list_all(database: Database) -> list[OrganizationSummary]:
    """Return every organization, by slug."""
    with database.read() as connection:
        return [
            OrganizationSummary(each.id, each.slug, each.name, each.created_at)
            for each in store.list_organizations(connection)
        ]


def list_mine(database: Database, actor: Actor) -> list[tuple[OrganizationSummary, MemberState | None]]:
    """
    Return the organizations that an actor is a member of, or invited to, with what they are there, by slug.

    The installation's own hands see all of them, and are nobody there.
    """
    if actor.is_trusted:
        return [(each, None) for each in list_all(database)]
    with database.read() as connection:
        states = dict(api_tokens.organizations_of(connection, actor.account_id) if actor.account_id else ())
        return [
            (OrganizationSummary(each.id, each.slug, each.name, each.created_at), states[each.id])
            for each in store.list_organizations(connection)
            if each.id in states and actor.organization_id in (None, each.id)
        ]


def show(database: Database, organization: str) -> OrganizationSummary:
    """Return one organization with its owners and how much is in it."""
    with database.read() as connection:
        found = the_organization(connection, organization)
        tree = read_tree(connection, found.id)
        members = people.names_of_members(connection, found.id)
        counts = {
            "units": len(tree.units),
            "projects": len(tree.projects),
            "services": len(tree.services),
            "clusters": len(cluster_registry.list_clusters(connection, found.id)),
            "directories": len(directories.list_directories(connection, found.id)),
            "members": len(members),
            "groups": len(people.names_of_groups(connection, found.id)),
        }
        owners = people.working_owners(connection, found.id)
        return OrganizationSummary(
            found.id,
            found.slug,
            found.name,
            found.created_at,
            tuple(sorted(members[each] for each in owners)),
            counts,
            read_settings(found.settings),
        )
