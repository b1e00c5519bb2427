"""Who holds a role, themselves or by a group, as a sub-select: read from the grants, never from the people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId, Scope
from scim_bridge.domain.people import DirectoryState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.schema import directory, grant, grant_origin, member, membership, nesting, scim_user, user_group
from scim_bridge.store.users import counts_for_access


def holders(
    organization_id: OrganizationId,
    at: datetime,
    *,
    api_role: str | None = None,
    kubernetes_role: KubernetesRole | None = None,
    scopes: Iterable[Scope] | None = None,
) -> sa.Select[Any]:
    """Return the ids of the people who hold a grant that is in force and has these roles at one of these scopes."""
    wanted = _grants(organization_id, at)
    if api_role is not None:
        wanted = wanted.where(grant.c.api_role == api_role)
    if kubernetes_role is not None:
        wanted = wanted.where(grant.c.kubernetes_role == kubernetes_role.value)
    if scopes is not None:
        wanted = wanted.where(grant.c.scope_id.in_(sorted({scope.id for scope in scopes})))
    found = wanted.cte("wanted")
    own = sa.select(found.c.member_id).where(found.c.member_id.is_not(None))
    return sa.select(sa.union_all(own, _by_groups(found, at)).subquery().c.member_id)


def _grants(organization_id: OrganizationId, at: datetime) -> sa.Select[Any]:
    return (
        sa.select(grant.c.member_id, grant.c.group_id)
        .join(grant_origin, grant_origin.c.grant_id == grant.c.id)
        .where(
            grant.c.organization_id == organization_id,
            grant.c.valid_to.is_(None),
            grant_origin.c.valid_to.is_(None),
            sa.or_(grant_origin.c.expires_at.is_(None), grant_origin.c.expires_at > at),
        )
    )


def _by_groups(found: sa.CTE, at: datetime) -> sa.Select[Any]:
    start = sa.select(found.c.group_id).where(found.c.group_id.is_not(None))
    below = start.cte("below", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    below = below.union(
        sa.select(nesting.c.child_id).where(nesting.c.parent_id == below.c.group_id, nesting.c.valid_to.is_(None))
    )
    return (
        sa.select(membership.c.member_id)
        .join(user_group, user_group.c.id == membership.c.group_id)
        .join(member, member.c.id == membership.c.member_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .outerjoin(scim_user, scim_user.c.id == membership.c.scim_user_id)
        .where(
            # Not a join: SQLite would go through every membership there is.
            membership.c.group_id.in_(sa.select(below.c.group_id)),
            membership.c.valid_to.is_(None),
            sa.or_(membership.c.expires_at.is_(None), membership.c.expires_at > at),
            sa.or_(membership.c.scim_user_id.is_(None), counts_for_access()),
            # What a pending directory brought gives nothing yet.
            sa.or_(directory.c.id.is_(None), directory.c.state != DirectoryState.PENDING.value),
        )
    )
