"""The organization's tree: units, projects, services and clusters, and what lies above what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

OrganizationId = NewType("OrganizationId", str)
UnitId = NewType("UnitId", str)
ProjectId = NewType("ProjectId", str)
ServiceId = NewType("ServiceId", str)
ClusterId = NewType("ClusterId", str)

MAX_UNIT_DEPTH = 8


class EnvironmentType(StrEnum):
    """What a unit is for, where it is an environment."""

    PRODUCTION = "production"
    STAGING = "staging"
    TESTING = "testing"
    DEVELOPMENT = "development"
    DEMO = "demo"
    OTHER = "other"


class ScopeKind(StrEnum):
    """Where a grant may sit."""

    ORGANIZATION = "organization"
    UNIT = "unit"
    PROJECT = "project"
    SERVICE = "service"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One place in one organization's tree; ``id`` is that place's id."""

    kind: ScopeKind
    id: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of the tree; ``parent_id`` is None directly under the organization."""

    id: UnitId
    parent_id: UnitId | None
    name: str
    environment_type: EnvironmentType | None = None


@dataclass(frozen=True, slots=True)
class NamespaceClaim:
    """
    A project's or service's claim on namespaces: one name, or one label selector (``a=b,c=d``).

    ``cluster_id`` None means every cluster of the project. Selectors count only where the cluster allows them.
    """

    name: str | None = None
    selector: str | None = None
    cluster_id: ClusterId | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """Lives in the organization or a unit; ``cluster_ids`` empty means the clusters of its own unit."""

    id: ProjectId
    unit_id: UnitId | None
    name: str
    cluster_ids: frozenset[ClusterId] = frozenset()
    namespaces: tuple[NamespaceClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A grantable leaf in a project: exactly one namespace."""

    id: ServiceId
    project_id: ProjectId
    name: str
    namespace: str


class TargetKind(StrEnum):
    """What a cluster's bindings are written to."""

    KUBERNETES = "kubernetes"
    MANIFESTS = "manifests"


class CaseRule(StrEnum):
    """How a rendered subject's letters are kept; Kubernetes compares them exactly."""

    KEEP = "keep"
    LOWER = "lower"


class SubjectMode(StrEnum):
    """
    Whom a cluster's bindings name.

    GROUP lets a group stand for its members where it cannot give anybody more; AUTO names those beside it whose tokens
    would carry no groups, because they are in too many.
    """

    USER = "user"
    GROUP = "group"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Cluster:
    """
    A registered cluster and its policy.

    ``user_template`` renders a member into the subject the cluster's authenticator would produce, with
    ``{user_name}``, ``{email}``, ``{external_id}`` and ``{member_id}``; ``group_template`` a group, with ``{group}``
    and ``{external_id}``, and is empty where nobody said how. ``group_directory`` is the id of the directory whose
    groups its tokens carry: those whose name fits ``group_filter``, and none at all for who is in more than
    ``group_limit``. A token lives for ``token_minutes``. ``excluded_namespaces`` are patterns, joined by commas.
    """

    id: ClusterId
    unit_id: UnitId | None
    name: str
    user_template: str = "{user_name}"
    case_rule: CaseRule = CaseRule.KEEP
    allow_cluster_admin: bool = False
    allow_label_selectors: bool = False
    bridge_namespace: str = "scim-bridge"
    subject_mode: SubjectMode = SubjectMode.USER
    group_template: str = ""
    group_case: CaseRule = CaseRule.KEEP
    group_directory: str = ""
    group_filter: str = "*"
    group_limit: int = 200
    token_minutes: int = 60
    excluded_namespaces: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """One organization's tree as one moment saw it."""

    organization_id: OrganizationId
    units: Mapping[UnitId, Unit] = field(default_factory=dict)
    projects: Mapping[ProjectId, Project] = field(default_factory=dict)
    services: Mapping[ServiceId, Service] = field(default_factory=dict)
    clusters: Mapping[ClusterId, Cluster] = field(default_factory=dict)

    @property
    def root(self) -> Scope:
        """Return the organization's own scope."""
        return Scope(ScopeKind.ORGANIZATION, self.organization_id)

    def units_above(self, unit_id: UnitId | None) -> Iterator[UnitId]:
        """Yield a unit and its parents, nearest first; a cycle ends the walk instead of hanging it."""
        seen: set[UnitId] = set()
        while unit_id is not None and unit_id in self.units and unit_id not in seen:
            seen.add(unit_id)
            yield unit_id
            unit_id = self.units[unit_id].parent_id

    def scopes_of_unit(self, unit_id: UnitId | None) -> list[Scope]:
        """Return a unit's scope and all above it, nearest first, the organization last."""
        return [*(Scope(ScopeKind.UNIT, unit) for unit in self.units_above(unit_id)), self.root]

    def scopes_of_cluster(self, cluster_id: ClusterId) -> list[Scope]:
        """Return the scopes whose grants speak about a cluster, most specific first."""
        return [Scope(ScopeKind.CLUSTER, cluster_id), *self.scopes_of_unit(self.clusters[cluster_id].unit_id)]

    def lineage(self, scope: Scope) -> list[Scope]:
        """Return a scope and every scope above it, nearest first; empty when the scope is not in this tree."""
        match scope.kind:
            case ScopeKind.ORGANIZATION:
                return [self.root] if scope == self.root else []
            case ScopeKind.UNIT:
                return self.scopes_of_unit(UnitId(scope.id)) if scope.id in self.units else []
            case ScopeKind.CLUSTER:
                return self.scopes_of_cluster(ClusterId(scope.id)) if scope.id in self.clusters else []
            case ScopeKind.PROJECT:
                project = self.projects.get(ProjectId(scope.id))
                return [scope, *self.scopes_of_unit(project.unit_id)] if project else []
            case ScopeKind.SERVICE:
                service = self.services.get(ServiceId(scope.id))
                if service is None:
                    return []
                above = self.lineage(Scope(ScopeKind.PROJECT, service.project_id))
                return [scope, *above] if above else []

    def clusters_of_project(self, project: Project) -> frozenset[ClusterId]:
        """Return the clusters a project's bindings go to: those it lists, else those in its own unit."""
        if project.cluster_ids:
            return project.cluster_ids & self.clusters.keys()
        return frozenset(c.id for c in self.clusters.values() if c.unit_id == project.unit_id)
