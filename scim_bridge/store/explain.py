"""What `access explain` reads beside the snapshot: since when, which objects hold somebody, what is being removed."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    membership,
    removal_request,
    removal_request_cluster,
)


@dataclass(frozen=True, slots=True)
class HeldBinding:
    """An object on a cluster that holds somebody's subject; ``written_at`` is its last confirmed write."""

    cluster_id: ClusterId
    name: str
    namespace: str
    key: str
    subject: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class OpenRemoval:
    """An asked-for removal that is not done; ``cluster_id`` None: its clusters are not known yet."""

    cause: str
    requested_at: datetime
    cluster_id: ClusterId | None
    attempts: int
    last_error: str | None


def memberships_since(connection: sa.Connection, member_id: MemberId) -> dict[GroupId, datetime]:
    """Return since when a person is in each of their groups, by the oldest origin in force."""
    query = (
        sa.select(membership.c.group_id, membership.c.valid_from)
        .where(membership.c.member_id == member_id, membership.c.valid_to.is_(None))
        .order_by(membership.c.valid_from.desc())
    )
    return {GroupId(row.group_id): row.valid_from for row in connection.execute(query)}


def bindings_holding(connection: sa.Connection, member_id: MemberId) -> list[HeldBinding]:
    """Return every object that holds a subject rendered for a person, on any cluster."""
    query = (
        sa.select(
            applied_subject.c.cluster_id,
            applied_binding.c.name,
            applied_binding.c.namespace,
            applied_binding.c.key,
            applied_subject.c.subject,
            applied_binding.c.applied_at,
        )
        .join(applied_binding, applied_binding.c.id == applied_subject.c.binding_id)
        # An object without a uid was announced and is not confirmed.
        .where(applied_subject.c.member_id == member_id, applied_binding.c.uid != "")
        .order_by(applied_binding.c.namespace, applied_binding.c.name)
    )
    return [HeldBinding(*row) for row in connection.execute(query)]


def open_removals(connection: sa.Connection, member_id: MemberId) -> list[OpenRemoval]:
    """Return the asked-for removals of a person that some cluster has not confirmed."""
    parts = removal_request_cluster
    query = (
        sa.select(
            removal_request.c.cause,
            removal_request.c.requested_at,
            parts.c.cluster_id,
            sa.func.coalesce(parts.c.attempts, 0),
            parts.c.last_error,
        )
        .outerjoin(parts, sa.and_(parts.c.removal_request_id == removal_request.c.id, parts.c.state == "open"))
        .where(removal_request.c.member_id == member_id, removal_request.c.closed_at.is_(None))
        .order_by(removal_request.c.id)
    )
    return [OpenRemoval(*row) for row in connection.execute(query)]
