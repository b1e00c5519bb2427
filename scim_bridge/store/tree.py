"""An organization's tree: units, projects with their namespaces and clusters, services."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import (
    CaseRule,
    Cluster,
    ClusterId,
    EnvironmentType,
    NamespaceClaim,
    OrganizationId,
    Project,
    ProjectId,
    Service,
    ServiceId,
    SubjectMode,
    Tree,
    Unit,
    UnitId,
)
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.history import record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.moments import AT, NOW, THEN, Moment
from scim_bridge.store.schema import cluster, metadata, project, project_cluster, project_namespace, service, unit


def read_tree(connection: sa.Connection, organization_id: OrganizationId, at: datetime | None = None) -> Tree:
    """Return the whole tree as it is now, or was at a moment; names are always today's."""
    moment = NOW if at is None else THEN
    values = {"organization": organization_id, AT: at}
    rows = {table.name: connection.execute(_rows(moment, table.name), values).all() for table in _PLACES}
    return Tree(
        organization_id,
        units={row.id: _unit(row) for row in rows[unit.name]},
        projects=_projects(rows),
        services={
            row.id: Service(ServiceId(row.id), ProjectId(row.project_id), row.name, row.namespace)
            for row in rows[service.name]
        },
        clusters={row.id: cluster_of(row) for row in rows[cluster.name]},
    )


def selects_by_label(connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId) -> bool:
    """Tell whether somebody selects a cluster's namespaces by label, and the cluster's policy lets that count."""
    allows = sa.select(cluster.c.id).where(cluster.c.id == cluster_id, cluster.c.allow_label_selectors.is_(sa.true()))
    claims = sa.select(project_namespace.c.id).where(
        project_namespace.c.organization_id == organization_id,
        project_namespace.c.selector.is_not(None),
        project_namespace.c.valid_to.is_(None),
        sa.or_(project_namespace.c.cluster_id.is_(None), project_namespace.c.cluster_id == cluster_id),
    )
    return bool(connection.execute(sa.select(sa.and_(allows.exists(), claims.exists()))).scalar_one())


def insert_unit(
    connection: sa.Connection, change: Change, parent_id: UnitId | None, name: str, kind: EnvironmentType | None
) -> Unit:
    """Add a unit below a parent, or below the organization."""
    made = Unit(UnitId(new_id()), parent_id, name, kind)
    connection.execute(
        sa.insert(unit).values(
            id=made.id,
            organization_id=change.organization_id,
            parent_id=parent_id,
            name=name,
            environment_type=None if kind is None else kind.value,
            created_at=change.at,
        )
    )
    record_fact(connection, change, "unit", made.id, "parent", parent_id)
    return made


def insert_project(
    connection: sa.Connection,
    change: Change,
    unit_id: UnitId | None,
    name: str,
    namespaces: Iterable[NamespaceClaim],
    clusters: Iterable[ClusterId],
) -> ProjectId:
    """Add a project with the namespaces it owns and the clusters it lists."""
    project_id = ProjectId(new_id())
    connection.execute(
        sa.insert(project).values(
            id=project_id,
            organization_id=change.organization_id,
            unit_id=unit_id,
            name=name,
            created_at=change.at,
        )
    )
    record_fact(connection, change, "project", project_id, "unit", unit_id)
    shared = {"organization_id": change.organization_id, "project_id": project_id, "valid_from": change.at}
    for claim in namespaces:
        connection.execute(
            sa.insert(project_namespace).values(
                id=new_id(), namespace=claim.name, selector=claim.selector, cluster_id=claim.cluster_id, **shared
            )
        )
        claimed = {"namespace": claim.name, "selector": claim.selector, "cluster": claim.cluster_id}
        note(connection, change, "namespace.began", project=project_id, **claimed)
    for cluster_id in clusters:
        connection.execute(sa.insert(project_cluster).values(id=new_id(), cluster_id=cluster_id, **shared))
        note(connection, change, "project_cluster.began", project=project_id, cluster=cluster_id)
    return project_id


def insert_service(
    connection: sa.Connection, change: Change, project_id: ProjectId, name: str, namespace: str
) -> Service:
    """Add a service to a project."""
    made = Service(ServiceId(new_id()), project_id, name, namespace)
    connection.execute(
        sa.insert(service).values(
            id=made.id,
            organization_id=change.organization_id,
            project_id=project_id,
            name=name,
            namespace=namespace,
            created_at=change.at,
        )
    )
    record_fact(connection, change, "service", made.id, "project", project_id)
    record_fact(connection, change, "service", made.id, "namespace", namespace)
    return made


def cluster_of(row: sa.Row[Any]) -> Cluster:
    """Return a cluster's place and policy from its row."""
    return Cluster(
        ClusterId(row.id),
        row.unit_id,
        row.name,
        user_template=row.user_template,
        case_rule=CaseRule(row.case_rule),
        allow_cluster_admin=row.allow_cluster_admin,
        allow_label_selectors=row.allow_label_selectors,
        bridge_namespace=row.bridge_namespace,
        subject_mode=SubjectMode(row.subject_mode),
        group_template=row.group_template or "",
        group_case=CaseRule(row.group_case),
        group_directory=row.group_directory or "",
        group_filter=row.group_filter,
        group_limit=row.group_limit,
        token_minutes=row.token_minutes,
        excluded_namespaces=row.excluded_namespaces,
    )


_PLACES = (unit, project, service, cluster, project_cluster, project_namespace)
# What is moved or set anew, and the fact that keeps what it was.
_FACTS = {
    unit.c.parent_id: "parent",
    project.c.unit_id: "unit",
    service.c.namespace: "namespace",
    cluster.c.unit_id: "unit",
    cluster.c.user_template: "user_template",
    cluster.c.case_rule: "case_rule",
    cluster.c.allow_cluster_admin: "allow_cluster_admin",
    cluster.c.allow_label_selectors: "allow_label_selectors",
    cluster.c.excluded_namespaces: "excluded_namespaces",
}


def _then(moment: Moment, table: sa.Table, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if not moment.is_past or not isinstance(column.type, sa.Boolean):
        return sa.label(column.name, moment.value(table.c.id, _FACTS[column], column))
    present = sa.case((column.is_(sa.true()), "true"), else_="false")
    return sa.label(column.name, moment.value(table.c.id, _FACTS[column], present) == "true")


@lru_cache
def _rows(moment: Moment, name: str) -> sa.Select[Any]:
    table = metadata.tables[name]
    is_place = "removed_at" in table.c
    columns = [_then(moment, table, column) if column in _FACTS else column for column in table.c]
    return (
        sa.select(*columns)
        .where(
            table.c.organization_id == sa.bindparam("organization"),
            moment.was_there(table) if is_place else moment.in_force(table),
        )
        .order_by(table.c.id)
    )


def _unit(row: sa.Row[Any]) -> Unit:
    kind = None if row.environment_type is None else EnvironmentType(row.environment_type)
    return Unit(UnitId(row.id), row.parent_id, row.name, kind)


def _projects(rows: Mapping[str, Sequence[sa.Row[Any]]]) -> dict[ProjectId, Project]:
    clusters: dict[str, list[ClusterId]] = {}
    for row in rows[project_cluster.name]:
        clusters.setdefault(row.project_id, []).append(ClusterId(row.cluster_id))
    claims: dict[str, list[NamespaceClaim]] = {}
    for row in rows[project_namespace.name]:
        claim = NamespaceClaim(row.namespace, row.selector, row.cluster_id)
        claims.setdefault(row.project_id, []).append(claim)
    return {
        row.id: Project(
            ProjectId(row.id), row.unit_id, row.name, frozenset(clusters.get(row.id, ())), tuple(claims.get(row.id, ()))
        )
        for row in rows[project.name]
    }
