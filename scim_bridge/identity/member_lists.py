"""Use case: list and search an organization's people, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from scim_bridge.domain.adoption import domain_of
from scim_bridge.domain.keys import fold
from scim_bridge.domain.member_filters import PRESENT, MemberFilter, Place
from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind, Tree, UnitId
from scim_bridge.domain.people import MemberSource, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.searching import search_terms
from scim_bridge.errors import Invalid
from scim_bridge.identity.names import the_directory, the_organization, the_scope
from scim_bridge.store import member_lists as store
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.domains import list_domains
from scim_bridge.store.member_lists import ListedMember as ListedMember
from scim_bridge.store.tree import read_tree

MOST_A_PAGE = 1000
Word = TypeVar("Word", bound=Enum)


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """
    What a person asks a list of members for, in words; what is None does not matter.

    ``search`` are beginnings of words in name, e-mail address or userName. ``unit`` is a path: whoever has a role in
    it, because of a grant in it, in what lies in it, or above it. Times are ``90d`` (ago) or ISO 8601.
    """

    search: str | None = None
    state: str | None = None
    source: str | None = None
    directory: str | None = None
    api_role: str | None = None
    kubernetes_role: str | None = None
    unit: str | None = None
    active_before: str | None = None
    active_since: str | None = None
    never_active: bool = False
    dormant_days: int | None = None


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Some of the people, and where the next page begins; ``managed`` are those in a domain of the organization."""

    members: tuple[ListedMember, ...]
    managed: frozenset[str]
    after: Place | None


def list_page(
    database: Database, organization: str, query: MemberQuery, count: int = 100, after: Place | None = None
) -> MemberPage:
    """Return a page of an organization's people; raises Invalid or NotFound for a condition that makes no sense."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        at = now()
        wanted = read_query(connection, owner.id, query, at)
        found, place = store.list_members(connection, owner.id, wanted, at, min(max(count, 1), MOST_A_PAGE), after)
        domains = {each.domain for each in list_domains(connection, owner.id)}
        managed = frozenset(each.id for each in found if is_managed(each.email, domains))
        return MemberPage(tuple(found), managed, place)


def is_managed(email: str | None, domains: set[str]) -> bool:
    """Say whether an address lies in one of an organization's domains: the organization manages that person."""
    return email is not None and domain_of(fold(email)) in domains


def read_query(
    connection: Connection, organization_id: OrganizationId, query: MemberQuery, at: datetime
) -> MemberFilter:
    """Return what a query asks for, with names resolved."""
    directory = None if query.directory is None else the_directory(connection, organization_id, query.directory)
    tree = read_tree(connection, organization_id) if query.unit is not None else None
    state = _word(MemberState, query.state, "state")
    days = query.dormant_days
    if days is not None and not 1 <= days <= 3650:
        raise Invalid("Dormant is said in days: 1 to 3650.", field="dormant_days")
    return MemberFilter(
        search_terms(query.search or ""),
        PRESENT if state is None else (state,),
        _word(MemberSource, query.source, "source"),
        None if directory is None else directory.id,
        query.api_role,
        _word(KubernetesRole, query.kubernetes_role, "kubernetes_role"),
        None if tree is None else scopes_in(tree, query.unit or ""),
        _moment(query.active_before, at, "active_before"),
        _moment(query.active_since, at, "active_since"),
        query.never_active,
        None if days is None else read_moment(f"{days}d", at),
    )


def scopes_in(tree: Tree, path: str) -> frozenset[Scope]:
    """Return the scopes at which a grant gives something in a unit: above it, itself, and all that lies in it."""
    unit = the_scope(tree, f"unit:{path}")
    places = [Scope(ScopeKind.UNIT, each) for each in tree.units]
    places += [Scope(ScopeKind.PROJECT, each) for each in tree.projects]
    places += [Scope(ScopeKind.SERVICE, each) for each in tree.services]
    places += [Scope(ScopeKind.CLUSTER, each) for each in tree.clusters]
    inside = {place for place in places if unit in tree.lineage(place)}
    return frozenset(inside | set(tree.scopes_of_unit(UnitId(unit.id))))


def _word(words: type[Word], text: str | None, field: str) -> Word | None:
    if text is None:
        return None
    try:
        return words(text)
    except ValueError:
        known = ", ".join(str(each.value) for each in words)
        raise Invalid(f"{text!r} is no {field.replace('_', ' ')}; there are {known}.", field=field) from None


def _moment(text: str | None, at: datetime, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        return read_moment(text, at)
    except Invalid as error:
        raise Invalid(str(error), field=field) from None
