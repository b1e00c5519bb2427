"""How the whole installation is doing, in a few numbers that cost a few look-ups by index."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.store.day_numbers import NOTHING, DayNumbers
from scim_bridge.store.schema import (
    audit_entry,
    change_row,
    cluster,
    cluster_sync,
    directory,
    directory_condition,
    directory_token,
    mail,
    membership,
    organization,
    plan,
    removal_request,
    removal_request_cluster,
)


@dataclass(frozen=True, slots=True)
class ClusterNumbers:
    """One cluster; times are None for what has not happened yet."""

    organization: str
    cluster: str
    health: str
    is_behind: bool
    failures: int
    last_success_at: datetime | None
    waiting_removals: int
    held_removals: int
    day: DayNumbers


@dataclass(frozen=True, slots=True)
class DirectoryNumbers:
    """One directory; ``expires_at`` is the end of the live token that ends last, None for one that never does."""

    organization: str
    directory: str
    state: str
    last_request_at: datetime | None
    live_tokens: int
    expires_at: datetime | None
    alarms: int


@dataclass(frozen=True, slots=True)
class Queues:
    """What waits, and since when the oldest of it does."""

    changes: int
    changes_since: datetime | None
    unsealed: int
    unsealed_since: datetime | None
    held_members: int
    mails: int
    mails_since: datetime | None


def cluster_numbers(connection: sa.Connection, days: Mapping[str, DayNumbers]) -> list[ClusterNumbers]:
    """Return every cluster that is registered, with what is known of its day by its id."""
    waiting = (
        sa.select(sa.func.count())
        .select_from(removal_request_cluster)
        .join(removal_request, removal_request.c.id == removal_request_cluster.c.removal_request_id)
        .where(removal_request_cluster.c.cluster_id == cluster.c.id, removal_request_cluster.c.state == "open")
        .scalar_subquery()
    )
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(plan.c.removals), 0))
        .where(plan.c.cluster_id == cluster.c.id, plan.c.state == "waiting")
        .scalar_subquery()
    )
    query = (
        sa.select(
            organization.c.slug,
            cluster.c.name,
            sa.func.coalesce(cluster_sync.c.health, "unknown"),
            sa.func.coalesce(cluster_sync.c.generation > cluster_sync.c.done_generation, sa.true()),
            sa.func.coalesce(cluster_sync.c.failures, 0),
            cluster_sync.c.last_success_at,
            waiting,
            held,
            cluster.c.id,
        )
        .join(organization, organization.c.id == cluster.c.organization_id)
        .outerjoin(cluster_sync, cluster_sync.c.cluster_id == cluster.c.id)
        .where(cluster.c.removed_at.is_(None), organization.c.removed_at.is_(None))
        .order_by(organization.c.slug, cluster.c.name)
    )
    return [
        ClusterNumbers(
            organization=row[0],
            cluster=row[1],
            health=row[2],
            is_behind=bool(row[3]),
            failures=row[4],
            last_success_at=row[5],
            waiting_removals=int(row[6]),
            held_removals=int(row[7]),
            day=days.get(row[8], NOTHING),
        )
        for row in connection.execute(query)
    ]


def directory_numbers(connection: sa.Connection, at: datetime) -> list[DirectoryNumbers]:
    """Return every directory that is connected, with its tokens as they are at a moment."""
    token = directory_token.c
    live = sa.and_(token.revoked_at.is_(None), sa.or_(token.expires_at.is_(None), token.expires_at > at))
    endless = sa.func.max(sa.case((sa.and_(live, token.expires_at.is_(None)), 1), else_=0))
    alarms = (
        sa.select(sa.func.count())
        .where(directory_condition.c.directory_id == directory.c.id)
        .correlate(directory)
        .scalar_subquery()
    )
    query = (
        sa.select(
            organization.c.slug,
            directory.c.name,
            directory.c.state,
            sa.func.max(token.last_used_at),
            sa.func.sum(sa.case((live, 1), else_=0)),
            sa.func.max(sa.case((live, token.expires_at))),
            endless,
            alarms,
        )
        .join(organization, organization.c.id == directory.c.organization_id)
        .outerjoin(directory_token, token.directory_id == directory.c.id)
        .where(organization.c.removed_at.is_(None), directory.c.state != "detached")
        .group_by(organization.c.slug, directory.c.id, directory.c.name, directory.c.state)
        .order_by(organization.c.slug, directory.c.name)
    )
    return [
        DirectoryNumbers(row[0], row[1], row[2], row[3], int(row[4] or 0), None if row[6] else row[5], int(row[7]))
        for row in connection.execute(query)
    ]


def queues(connection: sa.Connection) -> Queues:
    """Return what waits to be taken up by the scheduler, and for a person."""
    changes = connection.execute(
        sa.select(sa.func.count(), sa.func.min(change_row.c.created_at)).where(change_row.c.dispatched_at.is_(None))
    ).one()
    unsealed = connection.execute(
        sa.select(sa.func.count(), sa.func.min(audit_entry.c.at)).where(audit_entry.c.sequence.is_(None))
    ).one()
    held = connection.execute(
        sa.select(sa.func.count()).where(membership.c.held.is_(sa.true()), membership.c.valid_to.is_(None))
    ).scalar_one()
    mails = connection.execute(
        sa.select(sa.func.count(), sa.func.min(mail.c.created_at)).where(mail.c.state == "queued")
    ).one()
    return Queues(int(changes[0]), changes[1], int(unsealed[0]), unsealed[1], int(held), int(mails[0]), mails[1])
