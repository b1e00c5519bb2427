"""
The sealed read that passes, previews and explanations share: all that access is derived from, at one moment.

Call it inside one `Database.read()` and close that before the first network call.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.access import Grant, GrantId, Origin, OriginKind, Snapshot
from scim_bridge.domain.default_roles import with_defaults
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import DirectoryState, GroupId, Member, MemberId, MemberSource, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.default_roles import defaults_for
from scim_bridge.store.schema import (
    change_row,
    directory,
    grant,
    grant_origin,
    member,
    membership,
    nesting,
    rule,
    scim_user,
    user_group,
)
from scim_bridge.store.tree import read_tree
from scim_bridge.store.users import counts_for_access


def read_organization(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> Snapshot:
    """Return the whole organization; ``at`` decides what has expired."""
    return _read(connection, organization_id, at, None)


def read_members(
    connection: sa.Connection, organization_id: OrganizationId, member_ids: Iterable[MemberId], at: datetime
) -> Snapshot:
    """Return the whole tree and all groups' grants, but only these people; the cost follows their number."""
    return _read(connection, organization_id, at, list(member_ids))


def reread_grants(
    connection: sa.Connection, snapshot: Snapshot, at: datetime, only: Iterable[MemberId] | None = None
) -> Snapshot:
    """Return a snapshot as it is after grants, rules or default roles have changed and nothing else has."""
    people = None if only is None else list(only)
    of_member, of_group = _grants(connection, snapshot.organization_id, at, people)
    read = replace(snapshot, grants_of_member=of_member, grants_of_group=of_group)
    return with_defaults(read, defaults_for(connection, snapshot.organization_id, people))


def _read(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, only: list[MemberId] | None
) -> Snapshot:
    of_member, of_group = _grants(connection, organization_id, at, only)
    read = Snapshot(
        organization_id,
        revision=_revision(connection, organization_id),
        tree=read_tree(connection, organization_id),
        members=_members(connection, organization_id, only),
        groups_of=_memberships(connection, organization_id, at, only),
        parents_of=_nestings(connection, organization_id),
        grants_of_member=of_member,
        grants_of_group=of_group,
    )
    return with_defaults(read, defaults_for(connection, organization_id, only))


def _revision(connection: sa.Connection, organization_id: OrganizationId) -> str:
    newest = sa.select(sa.func.max(change_row.c.id)).where(change_row.c.organization_id == organization_id)
    return str(connection.execute(newest).scalar_one_or_none() or "")


def _members(
    connection: sa.Connection, organization_id: OrganizationId, only: list[MemberId] | None
) -> dict[MemberId, Member]:
    query = sa.select(
        member.c.id,
        member.c.state,
        member.c.user_name,
        member.c.email,
        member.c.external_id,
        member.c.display_name,
        member.c.source != MemberSource.APPLICATION.value,
    ).where(member.c.organization_id == organization_id)
    if only is not None:
        query = query.where(member.c.id.in_(only))
    return {
        MemberId(key): Member(
            MemberId(key), MemberState(state), user_name, email, external_id, display_name, bool(person)
        )
        for key, state, user_name, email, external_id, display_name, person in connection.execute(query).all()
    }


def _grants_something() -> sa.ColumnElement[bool]:
    """
    Leave out what a pending directory brought: its writes land and grant nothing until it is activated.

    A paused directory's groups stay in force, and a detached one's too: its members are kept as if made by hand, so
    that cutting a connection takes nothing away that a preview did not show.
    """
    return sa.or_(directory.c.id.is_(None), directory.c.state != DirectoryState.PENDING.value)


def _memberships(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, only: list[MemberId] | None
) -> dict[MemberId, tuple[GroupId, ...]]:
    query = (
        sa.select(membership.c.member_id, membership.c.group_id)
        .join(user_group, user_group.c.id == membership.c.group_id)
        .join(member, member.c.id == membership.c.member_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .outerjoin(scim_user, scim_user.c.id == membership.c.scim_user_id)
        .where(
            membership.c.organization_id == organization_id,
            membership.c.valid_to.is_(None),
            sa.or_(membership.c.expires_at.is_(None), membership.c.expires_at > at),
            user_group.c.removed_at.is_(None),
            sa.or_(membership.c.scim_user_id.is_(None), counts_for_access()),
            _grants_something(),
        )
        .distinct()
        .order_by(membership.c.member_id, membership.c.group_id)
    )
    if only is not None:
        query = query.where(membership.c.member_id.in_(only))
    found: dict[MemberId, list[GroupId]] = {}
    for member_id, group_id in connection.execute(query).all():
        found.setdefault(member_id, []).append(group_id)
    return {member_id: tuple(groups) for member_id, groups in found.items()}


def _nestings(connection: sa.Connection, organization_id: OrganizationId) -> dict[GroupId, tuple[GroupId, ...]]:
    query = (
        sa.select(nesting.c.child_id, nesting.c.parent_id)
        .join(user_group, user_group.c.id == nesting.c.parent_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(
            nesting.c.organization_id == organization_id,
            nesting.c.valid_to.is_(None),
            user_group.c.removed_at.is_(None),
            _grants_something(),
        )
        .distinct()
    )
    found: dict[GroupId, list[GroupId]] = {}
    for child_id, parent_id in connection.execute(query).all():
        found.setdefault(child_id, []).append(parent_id)
    return {child_id: tuple(sorted(parents)) for child_id, parents in found.items()}


def _grants(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, only: list[MemberId] | None
) -> tuple[dict[MemberId, tuple[Grant, ...]], dict[GroupId, tuple[Grant, ...]]]:
    query = (
        sa.select(
            grant.c.id,
            grant.c.member_id,
            grant.c.group_id,
            grant.c.scope_kind,
            grant.c.scope_id,
            grant.c.api_role,
            grant.c.kubernetes_role,
            grant_origin.c.kind,
            rule.c.name,
            rule.c.priority,
        )
        .join(grant_origin, grant_origin.c.grant_id == grant.c.id)
        .outerjoin(rule, rule.c.id == grant_origin.c.rule_id)
        .outerjoin(directory, directory.c.id == rule.c.directory_id)
        .where(
            grant.c.organization_id == organization_id,
            grant.c.valid_to.is_(None),
            grant_origin.c.valid_to.is_(None),
            sa.or_(grant_origin.c.expires_at.is_(None), grant_origin.c.expires_at > at),
            _grants_something(),
        )
        .order_by(grant.c.id, grant_origin.c.id)
    )
    if only is not None:
        query = query.where(sa.or_(grant.c.member_id.is_(None), grant.c.member_id.in_(only)))
    made: dict[str, Grant] = {}
    rows = connection.execute(query).all()
    for key, member_id, group_id, kind, place, api, kubernetes, origin, name, priority in rows:
        origins = (*made[key].origins, Origin(OriginKind(origin), name, priority)) if key in made else ()
        made[key] = Grant(
            GrantId(key),
            Scope(ScopeKind(kind), place),
            member_id,
            group_id,
            api,
            KubernetesRole(kubernetes) if kubernetes else None,
            origins or (Origin(OriginKind(origin), name, priority),),
        )
    return _by_holder(made.values())


def _by_holder(
    grants: Iterable[Grant],
) -> tuple[dict[MemberId, tuple[Grant, ...]], dict[GroupId, tuple[Grant, ...]]]:
    of_member: dict[MemberId, tuple[Grant, ...]] = {}
    of_group: dict[GroupId, tuple[Grant, ...]] = {}
    for each in grants:
        if each.member_id is not None:
            of_member[each.member_id] = (*of_member.get(each.member_id, ()), each)
        elif each.group_id is not None:
            of_group[each.group_id] = (*of_group.get(each.group_id, ()), each)
    return of_member, of_group
