"""Changes of what is in an organization's tree already: places are moved, renamed and taken out, and all is kept."""

from collections.abc import Iterable
from enum import StrEnum

import sqlalchemy as sa

from scim_bridge.domain.organizations import (
    Cluster,
    ClusterId,
    EnvironmentType,
    NamespaceClaim,
    Project,
    ProjectId,
    ServiceId,
    UnitId,
)
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.history import change_fact, end_facts, record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import cluster, project, project_cluster, project_namespace, service, unit

POLICIES = (
    "user_template",
    "case_rule",
    "allow_cluster_admin",
    "allow_label_selectors",
    "subject_mode",
    "group_template",
    "group_case",
    "group_directory",
    "group_filter",
    "group_limit",
    "token_minutes",
    "excluded_namespaces",
)
"""What of a cluster decides whom it knows by which name and what is bound: kept with from/to, like its place."""


def move_unit(connection: sa.Connection, change: Change, unit_id: UnitId, parent_id: UnitId | None) -> None:
    """Put a unit, with all that is in it, below another parent."""
    connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(parent_id=parent_id))
    record_fact(connection, change, "unit", unit_id, "parent", parent_id)


def set_unit(connection: sa.Connection, unit_id: UnitId, name: str, kind: EnvironmentType | None) -> None:
    """Give a unit a name and say what sort of environment it is."""
    values = {"name": name, "environment_type": None if kind is None else kind.value}
    connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(values))


def remove_unit(connection: sa.Connection, change: Change, unit_id: UnitId) -> None:
    """Take a unit out; whoever calls it has seen that nothing is in it."""
    connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(removed_at=change.at))
    end_facts(connection, change, unit_id)


def move_project(connection: sa.Connection, change: Change, project_id: ProjectId, unit_id: UnitId | None) -> None:
    """Put a project into another unit, or directly below the organization."""
    connection.execute(sa.update(project).where(project.c.id == project_id).values(unit_id=unit_id))
    record_fact(connection, change, "project", project_id, "unit", unit_id)


def rename_project(connection: sa.Connection, project_id: ProjectId, name: str) -> None:
    """Give a project another name."""
    connection.execute(sa.update(project).where(project.c.id == project_id).values(name=name))


def set_claims(connection: sa.Connection, change: Change, present: Project, claims: Iterable[NamespaceClaim]) -> None:
    """Give a project the namespaces it claims from now on; a claim that stays keeps its row, and so its "since"."""
    wanted = set(claims)
    rows = project_namespace.c
    for claim in set(present.namespaces) - wanted:
        connection.execute(
            sa.update(project_namespace)
            .where(
                rows.project_id == present.id,
                rows.valid_to.is_(None),
                rows.namespace.is_not_distinct_from(claim.name),
                rows.selector.is_not_distinct_from(claim.selector),
                rows.cluster_id.is_not_distinct_from(claim.cluster_id),
            )
            .values(valid_to=change.at)
        )
        ended = {"namespace": claim.name, "selector": claim.selector, "cluster": claim.cluster_id}
        note(connection, change, "namespace.ended", project=present.id, **ended)
    for claim in sorted(wanted - set(present.namespaces), key=str):
        values = {"namespace": claim.name, "selector": claim.selector, "cluster_id": claim.cluster_id}
        _start(connection, change, project_namespace, present.id, **values)
        began = {"namespace": claim.name, "selector": claim.selector, "cluster": claim.cluster_id}
        note(connection, change, "namespace.began", project=present.id, **began)


def set_listed(connection: sa.Connection, change: Change, present: Project, clusters: Iterable[ClusterId]) -> None:
    """Give a project the clusters it lists from now on; none means those of its own unit."""
    wanted = set(clusters)
    for cluster_id in present.cluster_ids - wanted:
        end_listings(connection, change, cluster_id, present.id)
    for cluster_id in sorted(wanted - present.cluster_ids):
        _start(connection, change, project_cluster, present.id, cluster_id=cluster_id)
        note(connection, change, "project_cluster.began", project=present.id, cluster=cluster_id)


def end_listings(
    connection: sa.Connection, change: Change, cluster_id: ClusterId, project_id: ProjectId | None = None
) -> None:
    """Let a project, or every project, list a cluster no more."""
    rows = project_cluster.c
    query = sa.update(project_cluster).where(rows.cluster_id == cluster_id, rows.valid_to.is_(None))
    if project_id is not None:
        query = query.where(rows.project_id == project_id)
    connection.execute(query.values(valid_to=change.at))
    note(connection, change, "project_cluster.ended", project=project_id, cluster=cluster_id)


def remove_project(connection: sa.Connection, change: Change, present: Project) -> None:
    """Take a project out with what it claims and lists; its services go by `remove_service`."""
    for table in (project_namespace, project_cluster):
        rows = table.c
        connection.execute(
            sa.update(table).where(rows.project_id == present.id, rows.valid_to.is_(None)).values(valid_to=change.at)
        )
    connection.execute(sa.update(project).where(project.c.id == present.id).values(removed_at=change.at))
    end_facts(connection, change, present.id)


def rename_service(connection: sa.Connection, service_id: ServiceId, name: str) -> None:
    """Give a service another name."""
    connection.execute(sa.update(service).where(service.c.id == service_id).values(name=name))


def set_namespace(connection: sa.Connection, change: Change, service_id: ServiceId, namespace: str) -> None:
    """Give a service another namespace; what it had before stays readable."""
    row = connection.execute(
        sa.select(service.c.namespace, service.c.created_at).where(service.c.id == service_id)
    ).one()
    was = (row.namespace, row.created_at)
    change_fact(connection, change, "service", service_id, "namespace", namespace, was)
    connection.execute(sa.update(service).where(service.c.id == service_id).values(namespace=namespace))


def remove_service(connection: sa.Connection, change: Change, service_id: ServiceId) -> None:
    """Take a service out."""
    connection.execute(sa.update(service).where(service.c.id == service_id).values(removed_at=change.at))
    end_facts(connection, change, service_id)


def move_cluster(connection: sa.Connection, change: Change, cluster_id: ClusterId, unit_id: UnitId | None) -> None:
    """Put a cluster into another unit, or directly below the organization."""
    connection.execute(sa.update(cluster).where(cluster.c.id == cluster_id).values(unit_id=unit_id))
    record_fact(connection, change, "cluster", cluster_id, "unit", unit_id)


def set_policy(connection: sa.Connection, change: Change, present: Cluster, policy: Cluster) -> None:
    """Give a cluster another name or policy; what it was before stays readable, from when on too."""
    created = connection.execute(sa.select(cluster.c.created_at).where(cluster.c.id == present.id)).scalar_one()
    for attribute in POLICIES:
        was, becomes = policy_text(getattr(present, attribute)), policy_text(getattr(policy, attribute))
        if was != becomes:
            change_fact(connection, change, "cluster", present.id, attribute, becomes, (was, created))
    values = {"name": policy.name} | {attribute: _plain(getattr(policy, attribute)) for attribute in POLICIES}
    connection.execute(sa.update(cluster).where(cluster.c.id == present.id).values(values))


def _plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def policy_text(value: object) -> str:
    """Return a policy's value as facts hold it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _start(connection: sa.Connection, change: Change, table: sa.Table, project_id: ProjectId, **values: object) -> None:
    shared = {"organization_id": change.organization_id, "project_id": project_id, "valid_from": change.at}
    connection.execute(sa.insert(table).values(id=new_id(), **shared, **values))
