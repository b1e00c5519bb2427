"""Use cases over everybody: who has a role on a cluster or a permission at a scope, and the whole as one table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from scim_bridge.domain.access import Grant, OriginKind, Snapshot, Verdict, api_roles, cluster_role, scope_roles
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.namespaces import map_namespaces
from scim_bridge.domain.organizations import Cluster, Scope, ScopeKind, Tree
from scim_bridge.domain.people import GroupId, Member, MemberId, MemberState, groups_above
from scim_bridge.domain.permissions import Catalogue
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.spreadsheets import csv_line
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.access import SEEING
from scim_bridge.identity.access_moments import the_moment
from scim_bridge.identity.authority import opened_organization
from scim_bridge.identity.catalogue import catalogue_then
from scim_bridge.identity.names import scope_text, the_scope
from scim_bridge.store.database import Database
from scim_bridge.store.holders import members_reached
from scim_bridge.store.people import names_of_some_groups
from scim_bridge.store.snapshot import read_members, read_organization
from scim_bridge.store.tree import read_tree


@dataclass(frozen=True, slots=True)
class Question:
    """
    Who is asked for: on a cluster (with a role, in a namespace), or with a permission or API role at a scope; when.

    Without a namespace both who has a role cluster-wide and who has one in some namespace are found.
    """

    cluster: str | None = None
    role: str | None = None
    namespace: str | None = None
    permission: str | None = None
    scope: str | None = None
    at: str | None = None
    api_role: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has what was asked for: the role, where it was given, and through which grants."""

    id: MemberId
    user_name: str
    display_name: str | None
    role: str
    scope: str
    namespace: str | None
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    role: str
    scope: str
    namespace: str | None
    through: tuple[str, ...]


Decide = Callable[[list[Grant]], tuple[_Found, ...]]
Decided = TypeVar("Decided")


def who(database: Database, actor: Actor, organization: str, question: Question) -> list[Holder]:
    """
    Return who has a role on a cluster, or holds a permission or API role at a scope, with the grants that give it.

    Only whom grants at the places in question concern is read, and people with the same groups are decided once. Raises
    Refused for who may not see members, and Invalid and NotFound for a question that makes no sense.
    """
    if sum(each is not None for each in (question.cluster, question.permission, question.api_role)) != 1:
        raise Invalid("Ask for a cluster, for a permission or for an API role.", field="cluster")
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        asker.require(SEEING)
        when = the_moment(connection, owner, question.at)
        tree = read_tree(connection, owner.id, when.at) if when.is_past else asker.tree
        catalogue = catalogue_then(connection, owner.id, when)
        places = _places(tree, question)
        members = members_reached(connection, owner.id, places, when)
        snapshot = read_members(connection, owner.id, members, when.at, is_past=when.is_past, tree=tree)
        words = Words(snapshot, names_of_some_groups(connection, snapshot.grants_of_group))
    decide = _on_cluster(snapshot, words, question) if question.cluster else _at_scope(words, catalogue, question)
    holders = [
        Holder(member.id, member.user_name, member.display_name, each.role, each.scope, each.namespace, each.through)
        for member, found in _decided(snapshot, decide)
        for each in found
    ]
    return sorted(holders, key=lambda each: (each.user_name, each.id, each.namespace or "", each.role))


def matrix(database: Database, actor: Actor, organization: str, at: str | None = None) -> Iterator[str]:
    """
    Yield, as CSV, a line for everybody with what they have: API roles by scope, Kubernetes roles by cluster and place.

    Cells are safe to open in a spreadsheet. Raises, before the first line, what `who` raises.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        asker.require(SEEING)
        when = the_moment(connection, owner, at)
        snapshot = read_organization(connection, owner.id, when.at, is_past=when.is_past)
    return _lines(snapshot)


@dataclass
class Words:
    """What groups and scopes are called; each scope is spelt once."""

    snapshot: Snapshot
    groups: dict[GroupId, str]
    _scopes: dict[Scope, str] = field(default_factory=dict)

    def scope(self, scope: Scope) -> str:
        """Return a scope's text."""
        if scope not in self._scopes:
            self._scopes[scope] = scope_text(self.snapshot.tree, scope)
        return self._scopes[scope]

    def through(self, grants: Iterable[Grant]) -> tuple[str, ...]:
        """Say who holds these grants and where they come from."""
        return tuple(sorted({self._grant(grant) for grant in grants}))

    def _grant(self, grant: Grant) -> str:
        origins = (f"rule {o.rule}" if o.kind is OriginKind.RULE else o.kind.value for o in grant.origins)
        holder = "the person" if grant.group_id is None else f"group {self.groups.get(grant.group_id, grant.group_id)}"
        return f"{holder}, {', '.join(origins)}"


def _decided(snapshot: Snapshot, decide: Callable[[list[Grant]], Decided]) -> Iterator[tuple[Member, Decided]]:
    """Yield everybody who is active with what is decided for them; once for people with the same groups."""
    by_groups: dict[tuple[GroupId, ...], Decided] = {}
    for member_id, member in sorted(snapshot.members.items()):
        if member.state is not MemberState.ACTIVE:
            continue
        if snapshot.grants_of_member.get(member_id):
            yield member, decide(snapshot.grants_for(member_id))
            continue
        groups = snapshot.groups_of.get(member_id, ())
        if groups not in by_groups:
            above = sorted(groups_above(groups, snapshot.parents_of))
            by_groups[groups] = decide([grant for each in above for grant in snapshot.grants_of_group.get(each, ())])
        yield member, by_groups[groups]


def _places(tree: Tree, question: Question) -> list[Scope]:
    """Return the scopes whose grants can answer a question."""
    if question.cluster is None:
        return tree.lineage(the_scope(tree, question.scope or "organization"))
    cluster = _the_cluster(tree, question.cluster)
    return [*tree.scopes_of_cluster(cluster.id), *map_namespaces(tree, cluster).of_scope]


def _on_cluster(snapshot: Snapshot, words: Words, question: Question) -> Decide:
    cluster = _the_cluster(snapshot.tree, question.cluster or "")
    if question.role is not None and question.role not in set(KubernetesRole):
        named = ", ".join(KubernetesRole)
        raise Invalid(f"There is no Kubernetes role {question.role!r}; there are {named}.", field="role")
    mapped = map_namespaces(snapshot.tree, cluster).of_scope

    def decide(grants: list[Grant]) -> tuple[_Found, ...]:
        found = [] if question.namespace is not None else list(_cluster_wide(snapshot, cluster, words, grants))
        spoken = [grant for grant in grants if grant.kubernetes_role is not None and grant.scope in mapped]
        for scope, role in scope_roles(spoken).items():
            through = words.through(g for g in spoken if g.scope == scope and g.kubernetes_role is role)
            found += [_Found(role.value, words.scope(scope), each, through) for each in mapped[scope]]
        return tuple(
            each
            for each in found
            if question.role in (None, each.role) and question.namespace in (None, each.namespace)
        )

    return decide


def _cluster_wide(snapshot: Snapshot, cluster: Cluster, words: Words, grants: list[Grant]) -> Iterator[_Found]:
    decision = cluster_role(snapshot.tree, cluster.id, grants)
    if decision.role is None or decision.scope is None:
        return
    standing = (step.grant for step in decision.steps if step.verdict is Verdict.STANDS)
    yield _Found(decision.role.value, words.scope(decision.scope), None, words.through(standing))


def _at_scope(words: Words, catalogue: Catalogue, question: Question) -> Decide:
    tree = words.snapshot.tree
    scope = the_scope(tree, question.scope or "organization")
    giving = _giving(catalogue, question)
    above = frozenset(tree.lineage(scope))

    def decide(grants: list[Grant]) -> tuple[_Found, ...]:
        held = api_roles(tree, scope, grants) & giving
        return tuple(
            _Found(role, words.scope(place), None, words.through(there))
            for role in sorted(held)
            for place in sorted({g.scope for g in grants if g.api_role == role and g.scope in above})
            for there in [[g for g in grants if g.api_role == role and g.scope == place]]
        )

    return decide


def _giving(catalogue: Catalogue, question: Question) -> set[str]:
    if question.api_role is not None:
        if question.api_role not in catalogue.roles:
            raise Invalid(f"There is no API role {question.api_role!r}.", field="api_role")
        return {question.api_role}
    if question.permission not in catalogue.descriptions:
        raise Invalid(f"There is no permission {question.permission!r}.", field="permission")
    return {name for name, held in catalogue.roles.items() if question.permission in held}


def _the_cluster(tree: Tree, named: str) -> Cluster:
    for cluster in tree.clusters.values():
        if named in (cluster.name, cluster.id):
            return cluster
    raise NotFound(f"There is no cluster {named!r} in this organization.")


@dataclass(frozen=True, slots=True)
class _Columns:
    snapshot: Snapshot
    places: list[Scope]
    clusters: list[Cluster]
    inside: list[Scope]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Columns":
        """Choose a column for every place at which somebody is granted something, and for every cluster."""
        tree = snapshot.tree
        holders = (*snapshot.grants_of_member.values(), *snapshot.grants_of_group.values())
        grants = [grant for held in holders for grant in held]
        places = {tree.root, *(grant.scope for grant in grants if grant.api_role)}
        inside = {grant.scope for grant in grants if grant.kubernetes_role and grant.scope.kind in _IN_NAMESPACES}
        clusters = sorted(tree.clusters.values(), key=lambda each: each.name)
        return cls(snapshot, sorted(places, key=_by_text(tree)), clusters, sorted(inside, key=_by_text(tree)))

    def headings(self) -> Iterator[str]:
        """Return what stands above the columns."""
        tree = self.snapshot.tree
        yield from (f"api {scope_text(tree, each)}" for each in self.places)
        yield from (f"kubernetes cluster:{each.name}" for each in self.clusters)
        yield from (f"kubernetes {scope_text(tree, each)}" for each in self.inside)

    def cells(self, grants: list[Grant]) -> tuple[str, ...]:
        """Return one person's cells."""
        tree = self.snapshot.tree
        decided = [cluster_role(tree, each.id, grants).role for each in self.clusters]
        added = scope_roles(grants)
        return (
            *(" ".join(sorted(api_roles(tree, each, grants))) for each in self.places),
            *("" if role is None else role.value for role in decided),
            *(added[each].value if each in added else "" for each in self.inside),
        )


_IN_NAMESPACES = (ScopeKind.PROJECT, ScopeKind.SERVICE)


def _by_text(tree: Tree) -> Callable[[Scope], str]:
    return lambda scope: scope_text(tree, scope)


def _lines(snapshot: Snapshot) -> Iterator[str]:
    columns = _Columns.of(snapshot)
    yield csv_line(("id", "user_name", "display_name", "email", *columns.headings()))
    for member, cells in _decided(snapshot, columns.cells):
        yield csv_line((member.id, member.user_name, member.display_name, member.email, *cells))
