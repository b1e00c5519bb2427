"""What is so now and deserves an alert, over all organizations: a few look-ups by index."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.alerts import OF_CLUSTERS, OF_DIRECTORIES, USE_LASTS, AlertKind, Level
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.schema import (
    break_glass,
    cluster,
    cluster_condition,
    cluster_sync,
    directory,
    directory_condition,
    member,
    organization,
    webhook,
)

LONGEST_ABOUT = 255
_LIVE = organization.c.removed_at.is_(None)


def levels(connection: sa.Connection, at: datetime) -> list[Level]:
    """Return everything that is so at a moment and deserves an alert."""
    found = (_of_directories, _of_clusters, _failing_clusters, _break_glass_uses, _disabled_webhooks)
    return [level for each in found for level in each(connection, at)]


def _of_directories(connection: sa.Connection, _at: datetime) -> Iterator[Level]:
    columns = directory_condition.c
    query = (
        sa.select(directory.c.organization_id, directory.c.id, directory.c.name, columns.kind, columns.about)
        .add_columns(columns.message)
        .join(directory, directory.c.id == columns.directory_id)
        .join(organization, organization.c.id == directory.c.organization_id)
        .where(_LIVE, columns.kind.in_(list(OF_DIRECTORIES)))
    )
    for owner, directory_id, name, kind, about, message in connection.execute(query):
        alert = OF_DIRECTORIES[kind]
        # A token that has ended is the same thing as when it was to end.
        thing = about if alert is AlertKind.EXPIRING_TOKEN else f"{kind}:{about}"
        key = f"{directory_id}:{thing}"[:LONGEST_ABOUT]
        yield Level(OrganizationId(owner), alert, key, f"directory {name}", message)


def _of_clusters(connection: sa.Connection, _at: datetime) -> Iterator[Level]:
    columns = cluster_condition.c
    query = (
        sa.select(cluster.c.organization_id, cluster.c.id, cluster.c.name, columns.kind, columns.about)
        .add_columns(columns.message)
        .join(cluster, cluster.c.id == columns.cluster_id)
        .join(organization, organization.c.id == cluster.c.organization_id)
        .where(_LIVE, cluster.c.removed_at.is_(None), columns.kind.in_(list(OF_CLUSTERS)))
    )
    for owner, cluster_id, name, kind, about, message in connection.execute(query):
        key = f"{cluster_id}:{kind}:{about}"[:LONGEST_ABOUT]
        yield Level(OrganizationId(owner), OF_CLUSTERS[kind], key, f"cluster {name}", message)


def _failing_clusters(connection: sa.Connection, _at: datetime) -> Iterator[Level]:
    query = (
        sa.select(cluster.c.organization_id, cluster.c.id, cluster.c.name, cluster_sync.c.last_error)
        .join(cluster_sync, cluster_sync.c.cluster_id == cluster.c.id)
        .join(organization, organization.c.id == cluster.c.organization_id)
        .where(_LIVE, cluster.c.removed_at.is_(None), cluster_sync.c.health == "failing")
    )
    for owner, cluster_id, name, error in connection.execute(query):
        message = f"It does not work: {error or 'its last pass failed'}"
        yield Level(OrganizationId(owner), AlertKind.FAILING_CLUSTER, cluster_id, f"cluster {name}", message)


def _break_glass_uses(connection: sa.Connection, at: datetime) -> Iterator[Level]:
    query = (
        sa.select(break_glass.c.organization_id, member.c.id, member.c.user_name, break_glass.c.last_used_at)
        .join(member, member.c.id == break_glass.c.member_id)
        .join(organization, organization.c.id == break_glass.c.organization_id)
        .where(_LIVE, break_glass.c.last_used_at > at - USE_LASTS)
    )
    for owner, member_id, name, used_at in connection.execute(query):
        message = f"{name} signed in with a break-glass account at {used_at:%Y-%m-%d %H:%M:%S} UTC."
        about = f"{member_id}@{used_at.isoformat()}"
        yield Level(OrganizationId(owner), AlertKind.BREAK_GLASS, about, name, message)


def _disabled_webhooks(connection: sa.Connection, _at: datetime) -> Iterator[Level]:
    columns = webhook.c
    query = (
        sa.select(columns.organization_id, columns.id, columns.name, columns.problem)
        .join(organization, organization.c.id == columns.organization_id)
        .where(_LIVE, columns.removed_at.is_(None), columns.state == "disabled", columns.problem.is_not(None))
    )
    for owner, webhook_id, name, problem in connection.execute(query):
        yield Level(OrganizationId(owner), AlertKind.DISABLED_WEBHOOK, webhook_id, f"webhook {name}", problem)
