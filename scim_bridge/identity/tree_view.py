"""The tree as people look at it: what lies where, and who has access there, given there or inherited."""

from dataclasses import dataclass

from scim_bridge.domain.access import Grant
from scim_bridge.domain.organizations import EnvironmentType, Scope, ScopeKind, Tree, UnitId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.tree_nodes import TreeNode, tree_nodes
from scim_bridge.identity.names import scope_text, the_organization
from scim_bridge.store import people
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.people import NamedGroup
from scim_bridge.store.snapshot import read_organization


@dataclass(frozen=True, slots=True)
class AccessHere:
    """One grant as it concerns a node; ``scope`` is where it is made."""

    holder: str
    holder_kind: str
    scope: str
    api_role: str | None
    kubernetes_role: str | None


@dataclass(frozen=True, slots=True)
class NodeView:
    """One place of the tree in words; ``contents`` counts all below it, by kind."""

    scope: str
    id: str
    kind: ScopeKind
    name: str
    depth: int
    environment_type: EnvironmentType | None
    contents: dict[str, int]
    people: int
    access: tuple[AccessHere, ...]
    inherited: tuple[AccessHere, ...]


def show(database: Database, organization: str) -> list[NodeView]:
    """Return the nodes of an organization's tree, each before what lies in it."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        snapshot = read_organization(connection, owner.id, now())
        holders = _Holders(connection, snapshot.tree)
        return [_view(snapshot.tree, holders, owner.slug, node) for node in tree_nodes(snapshot)]


class _Holders:
    """Puts grants in words; every name is read once."""

    def __init__(self, connection: Connection, tree: Tree) -> None:
        self._tree = tree
        self._members: dict[MemberId, str] = people.names_of_members(connection, tree.organization_id)
        self._groups: dict[GroupId, NamedGroup] = people.names_of_groups(connection, tree.organization_id)

    def words(self, grant: Grant) -> AccessHere:
        """Return one grant with its holder's name."""
        if grant.group_id is not None:
            group = self._groups.get(grant.group_id)
            holder, kind = (group.name if group else grant.group_id), "group"
        else:
            holder, kind = self._members.get(MemberId(grant.member_id or ""), ""), "person"
        role = grant.kubernetes_role.value if grant.kubernetes_role else None
        return AccessHere(holder, kind, scope_text(self._tree, grant.scope), grant.api_role, role)


def _view(tree: Tree, holders: _Holders, slug: str, node: TreeNode) -> NodeView:
    text = scope_text(tree, node.scope)
    unit = tree.units.get(UnitId(node.scope.id)) if node.scope.kind is ScopeKind.UNIT else None
    return NodeView(
        text,
        node.scope.id,
        node.scope.kind,
        _name(node.scope, text, slug),
        node.depth,
        unit.environment_type if unit else None,
        dict(node.contents),
        node.people,
        _sorted(holders, node.own),
        tuple(holders.words(grant) for grant in node.inherited),
    )


def _name(scope: Scope, text: str, slug: str) -> str:
    return slug if scope.kind is ScopeKind.ORGANIZATION else text.partition(":")[2].rpartition("/")[2]


def _sorted(holders: _Holders, grants: tuple[Grant, ...]) -> tuple[AccessHere, ...]:
    return tuple(sorted((holders.words(grant) for grant in grants), key=lambda each: (each.holder_kind, each.holder)))
