"""Projects and services as drafts: rename, move, change what a project owns, delete."""

from dataclasses import dataclass

from scim_bridge.domain.namespaces import parse_selector
from scim_bridge.domain.organizations import (
    ClusterId,
    NamespaceClaim,
    Project,
    ProjectId,
    Scope,
    ScopeKind,
    Service,
    ServiceId,
    Tree,
)
from scim_bridge.errors import Conflict, Invalid
from scim_bridge.identity.names import checked_name, the_scope, the_unit, unit_path
from scim_bridge.identity.tree import check_namespace, cluster_id_named, refuse_owned
from scim_bridge.identity.tree_drafts import Desk, Outcome
from scim_bridge.identity.unit_changes import unit_scope
from scim_bridge.store import tree_changes as store

WRITE = "organization:projects:write"
MOVE = "organization:units:write"
WRITE_SERVICES = "project:services:write"


@dataclass(frozen=True, slots=True)
class RenameProject:
    """Give a project another name; mapping rules that name it, or a service of it, follow."""

    project: str
    name: str
    kind: str = "project.renamed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Rename it; raises Conflict where the name is taken."""
        checked_name("a project", self.name)
        present, scope = project_named(desk.tree, self.project)
        desk.require(WRITE, scope)
        if present.name == self.name:
            return _same(scope, present)
        if any(each.name == self.name for each in desk.tree.projects.values()):
            raise Conflict(f"There is a project {self.name} already.")
        desk.begin(present.name)
        store.rename_project(desk.connection, present.id, self.name)
        desk.audit(scope, {"from": present.name, "to": self.name})
        moved = [(f"{kind}:{present.name}", f"{kind}:{self.name}") for kind in ("project", "service")]
        desk.follow(*moved)
        return Outcome(scope, *moved[0])


@dataclass(frozen=True, slots=True)
class MoveProject:
    """Put a project into another unit; ``to`` None: below the organization itself."""

    project: str
    to: str | None
    kind: str = "project.moved"

    def carry_out(self, desk: Desk) -> Outcome:
        """Move it; raises Conflict where a namespace of it has another owner on a cluster that it comes to."""
        present, scope = project_named(desk.tree, self.project)
        unit_id = the_unit(desk.tree, self.to)
        desk.require(MOVE, scope)
        desk.require(MOVE, unit_scope(desk.tree, unit_id))
        if unit_id == present.unit_id:
            return _same(scope, present)
        moved = Project(present.id, unit_id, present.name, present.cluster_ids, present.namespaces)
        refuse_owned(desk.tree, moved, owned(desk.tree, present))
        desk.require_inherited(scope, unit_id, MOVE)
        if not present.cluster_ids:
            desk.require_reach(scopes_of(desk.tree, present), unit_scope(desk.tree, unit_id), MOVE)
        desk.begin(present.name)
        store.move_project(desk.connection, desk.change, present.id, unit_id)
        detail = {"name": present.name, "from": unit_path(desk.tree, present.unit_id), "to": self.to or ""}
        desk.audit(scope, detail)
        desk.follow()
        return Outcome(scope, f"project:{present.name}", f"project:{present.name}")


@dataclass(frozen=True, slots=True)
class ChangeProject:
    """Give a project other namespaces, selectors or clusters; None leaves each as it is, () takes all away."""

    project: str
    namespaces: tuple[str, ...] | None = None
    selectors: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None
    kind: str = "project.changed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Change it; raises Conflict for a namespace that another project has on a cluster of both."""
        present, scope = project_named(desk.tree, self.project)
        desk.require(WRITE, scope)
        claims, listed = self._claims(present), self._listed(desk, present)
        if set(claims) == set(present.namespaces) and listed == present.cluster_ids:
            return _same(scope, present)
        changed = Project(present.id, present.unit_id, present.name, listed, claims)
        if set(claims) - set(present.namespaces) or listed - present.cluster_ids:
            desk.require_reach(scopes_of(desk.tree, present), scope, WRITE)
        kept = {each.namespace for each in services_of(desk.tree, present)}
        refuse_owned(desk.tree, changed, kept | {claim.name for claim in claims if claim.name})
        desk.begin(present.name)
        store.set_claims(desk.connection, desk.change, present, claims)
        store.set_listed(desk.connection, desk.change, present, listed)
        desk.audit(scope, {"name": present.name, "old": _owns(desk.tree, present), "new": _owns(desk.tree, changed)})
        return Outcome(scope, f"project:{present.name}", f"project:{present.name}")

    def _claims(self, present: Project) -> tuple[NamespaceClaim, ...]:
        for name in self.namespaces or ():
            check_namespace(name)
        for selector in self.selectors or ():
            parse_selector(selector)
        names = [each for each in present.namespaces if each.name is not None]
        selectors = [each for each in present.namespaces if each.selector is not None]
        if self.namespaces is not None:
            names = [NamespaceClaim(name=name) for name in dict.fromkeys(self.namespaces)]
        if self.selectors is not None:
            selectors = [NamespaceClaim(selector=text) for text in dict.fromkeys(self.selectors)]
        return (*names, *selectors)

    def _listed(self, desk: Desk, present: Project) -> frozenset[ClusterId]:
        if self.clusters is None:
            return present.cluster_ids
        listed = frozenset(cluster_id_named(desk.tree, name) for name in self.clusters)
        for cluster_id in sorted(listed - present.cluster_ids):
            # Listing a cluster gives the project's people a place on it: whoever does so must have a say there.
            desk.require(WRITE, Scope(ScopeKind.CLUSTER, cluster_id))
        return listed


@dataclass(frozen=True, slots=True)
class DeleteProject:
    """Delete a project with its services; grants at them end, and what they gave on clusters goes."""

    project: str
    kind: str = "project.deleted"

    def carry_out(self, desk: Desk) -> Outcome:
        """Delete it; raises Refused while a mapping rule names it or a service of it."""
        present, scope = project_named(desk.tree, self.project)
        desk.require(WRITE, scope)
        services = services_of(desk.tree, present)
        desk.refuse_named_by_rules(
            [f"project:{present.name}", *(f"service:{present.name}/{each.name}" for each in services)]
        )
        desk.begin(present.name)
        ended = desk.end_grants(scopes_of(desk.tree, present))
        for each in services:
            store.remove_service(desk.connection, desk.change, each.id)
        store.remove_project(desk.connection, desk.change, present)
        names = sorted(each.name for each in services)
        desk.audit(scope, {"name": present.name, "services": names, "grants_ended": ended})
        desk.follow()
        return Outcome(scope, f"project:{present.name}", None)


@dataclass(frozen=True, slots=True)
class RenameService:
    """Give a service of a project another name; mapping rules that name it follow."""

    project: str
    service: str
    name: str
    kind: str = "service.renamed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Rename it; raises Conflict where the name is taken."""
        checked_name("a service", self.name)
        present, scope, text = service_named(desk.tree, self.project, self.service)
        desk.require(WRITE_SERVICES, scope)
        if present.name == self.name:
            return Outcome(scope, text, text, changed=False)
        owner = desk.tree.projects[present.project_id]
        if any(each.name == self.name for each in services_of(desk.tree, owner)):
            raise Conflict(f"There is a service {owner.name}/{self.name} already.")
        becomes = f"service:{owner.name}/{self.name}"
        desk.begin(text)
        store.rename_service(desk.connection, present.id, self.name)
        desk.audit(scope, {"project": owner.name, "from": present.name, "to": self.name})
        desk.follow((text, becomes))
        return Outcome(scope, text, becomes)


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Give a service another namespace; its grants stay and reach that one from now on."""

    project: str
    service: str
    namespace: str
    kind: str = "service.changed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Change it; raises Conflict for a namespace that another project has on a cluster of both."""
        check_namespace(self.namespace)
        present, scope, text = service_named(desk.tree, self.project, self.service)
        owner = desk.tree.projects[present.project_id]
        require_service(desk, owner, self.namespace, scope)
        if present.namespace == self.namespace:
            return Outcome(scope, text, text, changed=False)
        refuse_owned(desk.tree, owner, (self.namespace,))
        desk.begin(text)
        store.set_namespace(desk.connection, desk.change, present.id, self.namespace)
        desk.audit(scope, {"name": text, "from": present.namespace, "to": self.namespace})
        return Outcome(scope, text, text)


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Delete a service: its namespace is the project's no more, unless the project claims it itself."""

    project: str
    service: str
    kind: str = "service.deleted"

    def carry_out(self, desk: Desk) -> Outcome:
        """Delete it; raises Refused while a mapping rule names it."""
        present, scope, text = service_named(desk.tree, self.project, self.service)
        desk.require(WRITE_SERVICES, scope)
        desk.refuse_named_by_rules([text])
        desk.begin(text)
        ended = desk.end_grants([scope])
        store.remove_service(desk.connection, desk.change, present.id)
        desk.audit(scope, {"name": text, "namespace": present.namespace, "grants_ended": ended})
        desk.follow()
        return Outcome(scope, text, None)


def project_named(tree: Tree, name: str) -> tuple[Project, Scope]:
    """Return a project by its name and its scope; raises NotFound."""
    scope = the_scope(tree, f"project:{name}")
    return tree.projects[ProjectId(scope.id)], scope


def service_named(tree: Tree, project: str, service: str) -> tuple[Service, Scope, str]:
    """Return a service of a project, its scope and that scope's text; raises NotFound."""
    text = f"service:{project}/{service}"
    if not project or not service:
        raise Invalid("A service is named by its project and its own name.", field="service")
    scope = the_scope(tree, text)
    return tree.services[ServiceId(scope.id)], scope, text


def require_service(desk: Desk, owner: Project, namespace: str, scope: Scope) -> None:
    """Raise Refused unless the actor may have a service in a namespace; one that the project has not is more."""
    desk.require(WRITE_SERVICES, scope)
    if namespace not in owned(desk.tree, owner):
        desk.require(WRITE, scope)


def services_of(tree: Tree, project: Project) -> list[Service]:
    """Return the services of a project."""
    return [each for each in tree.services.values() if each.project_id == project.id]


def scopes_of(tree: Tree, project: Project) -> list[Scope]:
    """Return the scopes of a project and of its services."""
    return [
        Scope(ScopeKind.PROJECT, project.id),
        *(Scope(ScopeKind.SERVICE, each.id) for each in services_of(tree, project)),
    ]


def owned(tree: Tree, project: Project) -> set[str]:
    """Return the namespaces that a project has by name, its services' too."""
    names = {claim.name for claim in project.namespaces if claim.name is not None}
    return names | {each.namespace for each in services_of(tree, project)}


def _owns(tree: Tree, project: Project) -> dict[str, list[str]]:
    return {
        "namespaces": [claim.name for claim in project.namespaces if claim.name],
        "selectors": [claim.selector for claim in project.namespaces if claim.selector],
        "clusters": sorted(tree.clusters[each].name for each in project.cluster_ids if each in tree.clusters),
    }


def _same(scope: Scope, present: Project) -> Outcome:
    return Outcome(scope, f"project:{present.name}", f"project:{present.name}", changed=False)
