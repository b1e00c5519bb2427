"""An organization's tree as a list of nodes: what lies in each, and who has access there, given there or above."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from scim_bridge.domain.access import Grant, Snapshot
from scim_bridge.domain.organizations import Project, Scope, ScopeKind, Tree, UnitId
from scim_bridge.domain.people import MemberId

NAME = attrgetter("name")


@dataclass(frozen=True, slots=True)
class TreeNode:
    """
    One place: ``depth`` 0 is the organization itself; ``contents`` counts everything below it, by kind.

    ``own`` are the grants at this very place, ``inherited`` those above it, the nearest first; ``people`` is how many
    active people have something here by either.
    """

    scope: Scope
    depth: int
    contents: Mapping[str, int]
    own: tuple[Grant, ...]
    inherited: tuple[Grant, ...]
    people: int


def tree_nodes(snapshot: Snapshot) -> list[TreeNode]:
    """Return the nodes of a tree, each before what lies in it; units before projects before clusters, by name."""
    tree = snapshot.tree
    grants, people = _grants_at(snapshot), _people_at(snapshot)
    places = list(_walk(tree))
    contents = _contents(tree, [scope for scope, _ in places])
    nodes = []
    for scope, depth in places:
        above = tree.lineage(scope)[1:]
        here = people.get(scope, set()).union(*(people.get(each, set()) for each in above))
        inherited = tuple(grant for each in above for grant in grants.get(each, ()))
        nodes.append(TreeNode(scope, depth, contents[scope], tuple(grants.get(scope, ())), inherited, len(here)))
    return nodes


def _grants_at(snapshot: Snapshot) -> dict[Scope, list[Grant]]:
    found: dict[Scope, list[Grant]] = {}
    for held in (*snapshot.grants_of_member.values(), *snapshot.grants_of_group.values()):
        for grant in held:
            found.setdefault(grant.scope, []).append(grant)
    return {scope: sorted(grants, key=attrgetter("id")) for scope, grants in found.items()}


def _people_at(snapshot: Snapshot) -> dict[Scope, set[MemberId]]:
    found: dict[Scope, set[MemberId]] = {}
    for member_id in snapshot.members:
        for grant in snapshot.grants_for(member_id):
            found.setdefault(grant.scope, set()).add(member_id)
    return found


def _contents(tree: Tree, scopes: list[Scope]) -> dict[Scope, dict[str, int]]:
    kinds = [kind.value for kind in ScopeKind if kind is not ScopeKind.ORGANIZATION]
    found = {scope: dict.fromkeys(kinds, 0) for scope in scopes}
    for scope in scopes:
        for above in tree.lineage(scope)[1:]:
            found[above][scope.kind.value] += 1
    return found


def _walk(tree: Tree) -> Iterator[tuple[Scope, int]]:
    yield tree.root, 0
    yield from _inside(tree, None, 1)


def _inside(tree: Tree, unit_id: UnitId | None, depth: int) -> Iterator[tuple[Scope, int]]:
    for unit in sorted((each for each in tree.units.values() if each.parent_id == unit_id), key=NAME):
        yield Scope(ScopeKind.UNIT, unit.id), depth
        yield from _inside(tree, unit.id, depth + 1)
    for project in sorted((each for each in tree.projects.values() if each.unit_id == unit_id), key=NAME):
        yield from _project(tree, project, depth)
    for cluster in sorted((each for each in tree.clusters.values() if each.unit_id == unit_id), key=NAME):
        yield Scope(ScopeKind.CLUSTER, cluster.id), depth


def _project(tree: Tree, project: Project, depth: int) -> Iterator[tuple[Scope, int]]:
    yield Scope(ScopeKind.PROJECT, project.id), depth
    for service in sorted((each for each in tree.services.values() if each.project_id == project.id), key=NAME):
        yield Scope(ScopeKind.SERVICE, service.id), depth + 1
