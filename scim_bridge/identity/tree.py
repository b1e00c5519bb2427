"""Use cases of an organization's tree: units, projects, services."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.namespaces import is_namespace_name, parse_selector
from scim_bridge.domain.organizations import (
    MAX_UNIT_DEPTH,
    ClusterId,
    EnvironmentType,
    NamespaceClaim,
    Project,
    ProjectId,
    Scope,
    ScopeKind,
    Service,
    Tree,
    Unit,
    UnitId,
)
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity.authority import opened_organization, require
from scim_bridge.identity.mapping import tree_grew
from scim_bridge.identity.names import checked_name, the_organization, the_unit, unit_path
from scim_bridge.store import tree as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import lock_for_rules


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit by its path."""

    id: UnitId
    path: str
    environment_type: EnvironmentType | None
    created: bool = False


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project with what it owns; ``listed`` are clusters it names itself, ``clusters`` those it reaches."""

    id: ProjectId
    name: str
    unit: str
    namespaces: tuple[str, ...]
    selectors: tuple[str, ...]
    listed: tuple[str, ...]
    clusters: tuple[str, ...]
    services: tuple[str, ...]
    created: bool = False


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a project is created with; ``unit`` is a path, ``clusters`` are names."""

    name: str
    unit: str | None = None
    namespaces: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()


def create_unit(
    database: Database,
    actor: Actor,
    organization: str,
    path: str,
    kind: EnvironmentType | None = None,
    request_id: str | None = None,
) -> UnitView:
    """Create the last unit of a path; those before it exist. The same unit again changes nothing."""
    above, _, name = path.rpartition("/")
    checked_name("a unit", name)
    with database.write() as connection:
        change, tree = _begin(connection, actor, organization, "unit.created", request_id)
        parent_id = the_unit(tree, above)
        place = tree.scopes_of_unit(parent_id)[0]
        needed = "organization:units:write" if kind is None else "environments:create"
        require(connection, actor, change.organization_id, needed, place)
        present = _child(tree, parent_id, name)
        if present is not None:
            if kind not in (None, present.environment_type):
                now_is = present.environment_type.value if present.environment_type else "without a type"
                raise Conflict(f"The unit {path} exists already and is {now_is}.")
            return UnitView(present.id, path, present.environment_type)
        if len(list(tree.units_above(parent_id))) >= MAX_UNIT_DEPTH:
            raise Refused(f"Units are nested at most {MAX_UNIT_DEPTH} deep.")
        add_change(connection, change, path)
        made = store.insert_unit(connection, change, parent_id, name, kind)
        add_audit(connection, change, "unit.created", "unit", made.id, {"path": path, "environment_type": kind})
        tree_grew(connection, change)
        return UnitView(made.id, path, kind, created=True)


def list_units(database: Database, organization: str, actor: Actor | None = None) -> list[UnitView]:
    """Return the units by path; to an actor, those that they may see."""
    with database.read() as connection:
        tree, sees = _opened(connection, organization, actor, "environments:read")
    views = (
        UnitView(each.id, unit_path(tree, each.id), each.environment_type)
        for each in tree.units.values()
        if sees(Scope(ScopeKind.UNIT, each.id))
    )
    return sorted(views, key=lambda view: view.path)


def create_project(
    database: Database, actor: Actor, organization: str, wanted: NewProject, request_id: str | None = None
) -> ProjectView:
    """Create a project; the same again changes nothing, another of that name is a Conflict."""
    checked_name("a project", wanted.name)
    claims = _claims(wanted)
    with database.write() as connection:
        change, tree = _begin(connection, actor, organization, "project.created", request_id)
        unit_id = the_unit(tree, wanted.unit)
        clusters = frozenset(cluster_id_named(tree, name) for name in wanted.clusters)
        for place in (tree.scopes_of_unit(unit_id)[0], *(Scope(ScopeKind.CLUSTER, each) for each in sorted(clusters))):
            # Listing a cluster gives the project's people a place on it: whoever does so must have a say there.
            require(connection, actor, change.organization_id, "organization:projects:write", place)
        present = next((each for each in tree.projects.values() if each.name == wanted.name), None)
        if present is not None:
            if (present.unit_id, present.cluster_ids, set(present.namespaces)) != (unit_id, clusters, set(claims)):
                raise Conflict(f"A project {wanted.name} exists already, with another unit, namespaces or clusters.")
            return _view(tree, present)
        refuse_owned(tree, Project(ProjectId(""), unit_id, wanted.name, clusters, claims), wanted.namespaces)
        add_change(connection, change, wanted.name)
        made = store.insert_project(connection, change, unit_id, wanted.name, claims, sorted(clusters))
        add_audit(connection, change, "project.created", "project", made, _project_detail(wanted))
        tree_grew(connection, change)
        tree = store.read_tree(connection, change.organization_id)
        return _view(tree, tree.projects[made], created=True)


def list_projects(database: Database, organization: str, actor: Actor | None = None) -> list[ProjectView]:
    """Return the projects by name; to an actor, those that they may see."""
    with database.read() as connection:
        tree, sees = _opened(connection, organization, actor, "project:services:read")
    found = [each for each in tree.projects.values() if sees(Scope(ScopeKind.PROJECT, each.id))]
    return [_view(tree, each) for each in sorted(found, key=lambda each: each.name)]


def list_services(database: Database, organization: str, project: str, actor: Actor | None = None) -> list[Service]:
    """Return the services of a project by name; raises NotFound for a project that the actor may not see."""
    with database.read() as connection:
        tree, sees = _opened(connection, organization, actor, "project:services:read")
    owner = next((each for each in tree.projects.values() if each.name == project), None)
    if owner is None or not sees(Scope(ScopeKind.PROJECT, owner.id)):
        raise NotFound(f"There is no project {project!r} in this organization.")
    return sorted((each for each in tree.services.values() if each.project_id == owner.id), key=lambda each: each.name)


def create_service(
    database: Database,
    actor: Actor,
    organization: str,
    project: str,
    name: str,
    namespace: str,
    request_id: str | None = None,
) -> Service:
    """Create a service of a project: exactly one namespace, which is then the project's too."""
    checked_name("a service", name)
    check_namespace(namespace)
    with database.write() as connection:
        change, tree = _begin(connection, actor, organization, "service.created", request_id)
        owner = next((each for each in tree.projects.values() if each.name == project), None)
        if owner is None:
            raise NotFound(f"There is no project {project!r} in this organization.")
        place = Scope(ScopeKind.PROJECT, owner.id)
        require(connection, actor, change.organization_id, "project:services:write", place)
        if namespace not in {claim.name for claim in owner.namespaces}:
            # A service's namespace is then the project's too.
            require(connection, actor, change.organization_id, "organization:projects:write", place)
        for each in tree.services.values():
            if each.project_id == owner.id and each.name == name:
                if each.namespace == namespace:
                    return each
                raise Conflict(f"The service {project}/{name} exists already, with the namespace {each.namespace}.")
        refuse_owned(tree, owner, (namespace,))
        add_change(connection, change, f"{project}/{name}")
        made = store.insert_service(connection, change, owner.id, name, namespace)
        detail = {"project": project, "name": name, "namespace": namespace}
        add_audit(connection, change, "service.created", "service", made.id, detail)
        tree_grew(connection, change)
        return made


def _begin(
    connection: Connection, actor: Actor, organization: str, kind: str, request_id: str | None
) -> tuple[Change, Tree]:
    """Take the tree for this transaction alone: two moves at once could make a cycle that neither sees."""
    found = the_organization(connection, organization)
    lock_for_rules(connection, found.id, exclusive=True)
    return new_change(found.id, actor, kind, now(), request_id), store.read_tree(connection, found.id)


def _opened(
    connection: Connection, organization: str, actor: Actor | None, permission: str
) -> tuple[Tree, Callable[[Scope], bool]]:
    """Return the tree, and what tells whether an actor sees a place; nobody in particular sees every one."""
    if actor is None or actor.is_trusted:
        return store.read_tree(connection, the_organization(connection, organization).id), lambda _scope: True
    _, authority = opened_organization(connection, actor, organization)
    return authority.tree, partial(authority.may, permission)


def _child(tree: Tree, parent_id: UnitId | None, name: str) -> Unit | None:
    return next((each for each in tree.units.values() if each.parent_id == parent_id and each.name == name), None)


def _claims(wanted: NewProject) -> tuple[NamespaceClaim, ...]:
    for name in wanted.namespaces:
        check_namespace(name)
    for selector in wanted.selectors:
        parse_selector(selector)
    names = (NamespaceClaim(name=name) for name in dict.fromkeys(wanted.namespaces))
    return (*names, *(NamespaceClaim(selector=text) for text in dict.fromkeys(wanted.selectors)))


def check_namespace(name: str) -> None:
    """Raise Invalid for a namespace that no project may have."""
    if not is_namespace_name(name):
        raise Invalid(f"{name!r} cannot be the name of a namespace.", field="namespace")
    if name.startswith("kube-") or name == "default":
        raise Invalid(f"No project may have the namespace {name}: it is Kubernetes' own.", field="namespace")


def refuse_owned(tree: Tree, project: Project, namespaces: Iterable[str]) -> None:
    """Raise Conflict when another project claims one of these namespaces on a cluster that both reach."""
    mine = tree.clusters_of_project(project)
    for other in tree.projects.values():
        if other.id == project.id or not mine & tree.clusters_of_project(other):
            continue
        held = {claim.name for claim in other.namespaces}
        held |= {each.namespace for each in tree.services.values() if each.project_id == other.id}
        for name in namespaces:
            if name in held:
                raise Conflict(f"The namespace {name} belongs to the project {other.name} on a cluster of both.")


def cluster_id_named(tree: Tree, name: str) -> ClusterId:
    """Return the id of a cluster; raises NotFound."""
    found = next((each.id for each in tree.clusters.values() if each.name == name), None)
    if found is None:
        raise NotFound(f"There is no cluster {name!r} in this organization.")
    return found


def _view(tree: Tree, project: Project, *, created: bool = False) -> ProjectView:
    def names(ids: Iterable[ClusterId]) -> tuple[str, ...]:
        return tuple(sorted(tree.clusters[each].name for each in ids if each in tree.clusters))

    return ProjectView(
        project.id,
        project.name,
        unit_path(tree, project.unit_id),
        tuple(claim.name for claim in project.namespaces if claim.name is not None),
        tuple(claim.selector for claim in project.namespaces if claim.selector is not None),
        names(project.cluster_ids),
        names(tree.clusters_of_project(project)),
        tuple(sorted(each.name for each in tree.services.values() if each.project_id == project.id)),
        created,
    )


def _project_detail(wanted: NewProject) -> dict[str, object]:
    return {
        "name": wanted.name,
        "unit": wanted.unit,
        "namespaces": wanted.namespaces,
        "selectors": wanted.selectors,
        "clusters": wanted.clusters,
    }
