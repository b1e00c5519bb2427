"""
The sealed read that passes, previews and explanations share: all that access is derived from, at one moment.

Call it inside one `Database.read()` and close that before the first network call.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.access import Grant, GrantId, Origin, OriginKind, Snapshot
from scim_bridge.domain.default_roles import DefaultRole, with_defaults
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind, Tree
from scim_bridge.domain.people import DirectoryState, GroupId, Member, MemberId, MemberSource, MemberState, groups_above
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.default_roles import defaults_in_force, defaults_of, given_to
from scim_bridge.store.group_facts import with_groups
from scim_bridge.store.listing import as_list, beside, listed
from scim_bridge.store.members import DIRECTORY
from scim_bridge.store.moments import AT, NOW, THEN, Moment
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
from scim_bridge.store.users import ACTIVE, counts_for_access

OF_ORGANIZATION, OF_MEMBERS, OF_GROUPS = "organization", "members", "groups"


def read_organization(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, *, is_past: bool = False
) -> Snapshot:
    """Return the whole organization; ``at`` decides what has expired, and with ``is_past`` everything else too."""
    return _Reader(connection, organization_id, at, THEN if is_past else NOW).everybody()


def read_members(
    connection: sa.Connection,
    organization_id: OrganizationId,
    member_ids: Iterable[MemberId],
    at: datetime,
    *,
    is_past: bool = False,
    tree: Tree | None = None,
) -> Snapshot:
    """
    Return the whole tree, and of people and groups only these and what they are in.

    The cost follows them and what they have, not how many others there are. ``tree``: as the same read has it already.
    """
    reader = _Reader(connection, organization_id, at, THEN if is_past else NOW, tree)
    return reader.only(list(member_ids))


def reread_grants(
    connection: sa.Connection,
    snapshot: Snapshot,
    at: datetime,
    only: Collection[MemberId] | None = None,
    groups: Collection[GroupId] = (),
) -> Snapshot:
    """
    Return a snapshot as it is after grants, rules or default roles have changed and nothing else has.

    ``only`` are those whom the snapshot was read for; the grants of ``groups`` are read along, whoever is in them.
    """
    reader = _Reader(connection, snapshot.organization_id, at, NOW)
    return reader.everybodys_grants(snapshot) if only is None else reader.grants_again(snapshot, only, groups)


def parents_of_groups(
    connection: sa.Connection, organization_id: OrganizationId, groups: Iterable[GroupId], at: datetime
) -> dict[GroupId, tuple[GroupId, ...]]:
    """Return which groups these are in, and those that those are in."""
    return _Reader(connection, organization_id, at, NOW).parents_above(set(groups))


def defaults_for(
    connection: sa.Connection, organization_id: OrganizationId, member_ids: Iterable[MemberId], at: datetime
) -> dict[MemberId, list[DefaultRole]]:
    """Return what these people get if no rule maps them."""
    return _Reader(connection, organization_id, at, NOW).defaults(list(member_ids))


class _Reader:
    """Reads one organization at one moment."""

    def __init__(
        self,
        connection: sa.Connection,
        organization_id: OrganizationId,
        at: datetime,
        moment: Moment,
        tree: Tree | None = None,
    ) -> None:
        self._tree = tree
        self._connection = connection
        self._organization_id = organization_id
        self._moment = moment
        self._then = at if moment.is_past else None
        self._values = {"organization": organization_id, AT: at}

    def everybody(self) -> Snapshot:
        """Read all there is."""
        of_member, of_group = _by_holder(_grants_of(self._rows(_grants, OF_ORGANIZATION)))
        read = self._snapshot(
            _members_of(self._rows(_members, OF_ORGANIZATION)),
            _collected(self._rows(_memberships, OF_ORGANIZATION)),
            _collected(self._rows(_nestings, OF_ORGANIZATION)),
            of_member,
            of_group,
        )
        return self._with_groups(with_defaults(read, self.defaults()))

    def _with_groups(self, read: Snapshot) -> Snapshot:
        # Who may be named by a group does not change what anybody has, so nobody asks it of the past.
        return read if self._moment.is_past else with_groups(self._connection, read)

    def everybodys_grants(self, snapshot: Snapshot) -> Snapshot:
        """Read every grant anew."""
        of_member, of_group = _by_holder(_grants_of(self._rows(_grants, OF_ORGANIZATION)))
        read = replace(snapshot, grants_of_member=of_member, grants_of_group=of_group)
        return self._with_groups(with_defaults(read, self.defaults()))

    def grants_again(self, snapshot: Snapshot, member_ids: Collection[MemberId], more: Collection[GroupId]) -> Snapshot:
        """Read the grants of these people and of all groups that they are in anew, and those of more groups."""
        direct = {group_id for groups in snapshot.groups_of.values() for group_id in groups}
        groups = groups_above(direct, snapshot.parents_of) | set(more)
        of_member, of_group = self._grants_held(as_list(sorted(member_ids)), groups)
        read = replace(snapshot, grants_of_member=of_member, grants_of_group=of_group)
        return with_defaults(read, self.defaults(list(member_ids)))

    def defaults(self, only: list[MemberId] | None = None) -> dict[MemberId, list[DefaultRole]]:
        """Return what provisioned people get if no rule maps them; little is read while nobody gets anything."""
        stored = defaults_of(self._connection.execute(defaults_in_force(self._moment), self._values))
        if all(role.is_nothing for role in stored.values()):
            return {}
        part = OF_ORGANIZATION if only is None else OF_MEMBERS
        rows = self._rows(_provisioned, part, **({} if only is None else {"members": as_list(only)}))
        return given_to(stored, self._organization_id, rows)

    def _grants_held(
        self, members: str, groups: Collection[GroupId]
    ) -> tuple[dict[MemberId, tuple[Grant, ...]], dict[GroupId, tuple[Grant, ...]]]:
        rows = self._rows(_grants, OF_MEMBERS, members=members)
        if groups:
            rows = [*rows, *self._rows(_grants, OF_GROUPS, groups=as_list(sorted(groups)))]
        return _by_holder(_grants_of(rows))

    def only(self, member_ids: list[MemberId]) -> Snapshot:
        """Read what concerns these people."""
        wanted = as_list(member_ids)
        groups_of = _collected(self._rows(_memberships, OF_MEMBERS, members=wanted))
        direct = {group_id for groups in groups_of.values() for group_id in groups}
        parents_of = self.parents_above(direct)
        of_member, of_group = self._grants_held(wanted, groups_above(direct, parents_of))
        members = _members_of(self._rows(_members, OF_MEMBERS, members=wanted))
        read = self._snapshot(members, groups_of, parents_of, of_member, of_group)
        return with_defaults(read, self.defaults(member_ids))

    def parents_above(self, groups: set[GroupId]) -> dict[GroupId, tuple[GroupId, ...]]:
        """Return the groups that these are in, and those that those are in: a statement a level, most are in none."""
        found: dict[GroupId, tuple[GroupId, ...]] = {}
        seen: set[GroupId] = set()
        waiting = set(groups)
        while waiting:
            seen |= waiting
            level = _collected(self._rows(_nestings, OF_GROUPS, groups=as_list(sorted(waiting))))
            found |= level
            waiting = {parent for parents in level.values() for parent in parents} - seen
        return found

    def _snapshot(
        self,
        members: dict[MemberId, Member],
        groups_of: dict[MemberId, tuple[GroupId, ...]],
        parents_of: dict[GroupId, tuple[GroupId, ...]],
        of_member: dict[MemberId, tuple[Grant, ...]],
        of_group: dict[GroupId, tuple[Grant, ...]],
    ) -> Snapshot:
        tree = self._tree or read_tree(self._connection, self._organization_id, self._then)
        revision = self._connection.execute(_REVISION, {"organization": self._organization_id}).scalar_one_or_none()
        return Snapshot(
            self._organization_id, str(revision or ""), tree, members, groups_of, parents_of, of_member, of_group
        )

    def _rows(self, statement: Any, part: str, **values: str) -> list[Any]:
        return list(self._connection.execute(statement(self._moment, part), {**self._values, **values}).all())


_REVISION = sa.select(sa.func.max(change_row.c.id)).where(change_row.c.organization_id == sa.bindparam("organization"))


@lru_cache
def _members(moment: Moment, part: str) -> sa.Select[Any]:
    query = sa.select(
        member.c.id,
        moment.value(member.c.id, "state", member.c.state).label("state"),
        member.c.user_name,
        member.c.email,
        member.c.external_id,
        member.c.display_name,
        (member.c.source != MemberSource.APPLICATION.value).label("is_person"),
    ).where(_is_of(member, part))
    if moment.is_past:
        query = query.where(member.c.created_at <= sa.bindparam(AT, type_=member.c.created_at.type))
    return query if part == OF_ORGANIZATION else query.where(member.c.id.in_(listed("members")))


@lru_cache
def _memberships(moment: Moment, part: str) -> sa.Select[Any]:
    found = _in_force(membership, moment, part, membership.c.member_id)
    return (
        sa.select(found.c.member_id, found.c.group_id)
        .join(user_group, user_group.c.id == found.c.group_id)
        .join(member, member.c.id == found.c.member_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .outerjoin(scim_user, scim_user.c.id == found.c.scim_user_id)
        .where(
            _has_not_expired(found.c.expires_at),
            moment.was_there(user_group),
            sa.or_(found.c.scim_user_id.is_(None), _counted(moment)),
            _grants_something(moment),
        )
        .distinct()
        .order_by(found.c.member_id, found.c.group_id)
    )


def _counted(moment: Moment) -> sa.ColumnElement[bool]:
    """Say what `counts_for_access` says, of a moment."""
    if not moment.is_past:
        return counts_for_access()
    present = sa.case((scim_user.c.active.is_(sa.true()), "true"), else_="false")
    authority = moment.value(member.c.id, DIRECTORY, member.c.directory_id)
    return sa.or_(
        moment.value(scim_user.c.id, ACTIVE, present) == "true",
        authority.is_(None),
        authority == scim_user.c.directory_id,
    )


@lru_cache
def _provisioned(moment: Moment, part: str) -> sa.Select[Any]:
    query = (
        sa.select(scim_user.c.member_id, scim_user.c.directory_id)
        .join(member, member.c.id == scim_user.c.member_id)
        .join(directory, directory.c.id == scim_user.c.directory_id)
        .where(
            scim_user.c.organization_id == sa.bindparam("organization"),
            moment.was_there(scim_user),
            _counted(moment),
            _grants_something(moment),
        )
        .order_by(scim_user.c.member_id, scim_user.c.directory_id)
    )
    return query if part == OF_ORGANIZATION else query.where(scim_user.c.member_id.in_(listed("members")))


@lru_cache
def _nestings(moment: Moment, part: str) -> sa.Select[Any]:
    found = _in_force(nesting, moment, part, nesting.c.child_id)
    return (
        sa.select(found.c.child_id, found.c.parent_id)
        .join(user_group, user_group.c.id == found.c.parent_id)
        .outerjoin(directory, directory.c.id == user_group.c.directory_id)
        .where(moment.was_there(user_group), _grants_something(moment))
        .distinct()
        .order_by(found.c.child_id, found.c.parent_id)
    )


@lru_cache
def _grants(moment: Moment, part: str) -> sa.Select[Any]:
    holder = grant.c.group_id if part == OF_GROUPS else grant.c.member_id
    found = _in_force(grant, moment, part, holder)
    return (
        sa.select(
            found.c.id,
            found.c.member_id,
            found.c.group_id,
            found.c.scope_kind,
            found.c.scope_id,
            found.c.api_role,
            found.c.kubernetes_role,
            grant_origin.c.kind,
            rule.c.name,
            rule.c.priority,
        )
        .join(grant_origin, grant_origin.c.grant_id == found.c.id)
        .outerjoin(rule, rule.c.id == grant_origin.c.rule_id)
        .outerjoin(directory, directory.c.id == rule.c.directory_id)
        .where(
            moment.in_force(grant_origin),
            _has_not_expired(grant_origin.c.expires_at),
            _grants_something(moment),
        )
        .order_by(found.c.id, grant_origin.c.id)
    )


def _in_force(table: sa.Table, moment: Moment, part: str, key: sa.ColumnElement[Any]) -> sa.FromClause:
    """
    Return the rows of a table that were in force, of the organization or only those whose key is in the part's list.

    A part is read whole before anything is joined to it: what a join leaves over PostgreSQL guesses far too low, and
    then it begins at the other end, with everybody.
    """
    query = sa.select(table).where(_is_of(table, part), moment.in_force(table))
    if part == OF_ORGANIZATION:
        return query.subquery()
    among = "members" if part == OF_MEMBERS else "groups"
    return query.where(key.in_(listed(among))).cte("the_part").prefix_with("MATERIALIZED")


def _is_of(table: sa.Table, part: str) -> sa.ColumnElement[bool]:
    owner = table.c.organization_id
    return (owner if part == OF_ORGANIZATION else beside(owner)) == sa.bindparam("organization")


def _has_not_expired(expires_at: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.or_(expires_at.is_(None), expires_at > sa.bindparam(AT, type_=expires_at.type))


def _grants_something(moment: Moment) -> sa.ColumnElement[bool]:
    """
    Leave out what a pending directory brought: its writes land and grant nothing until it is activated.

    A paused directory's groups stay in force, and a detached one's too: its members are kept as if made by hand, so
    that cutting a connection takes nothing away that a preview did not show.
    """
    state = moment.value(directory.c.id, "state", directory.c.state)
    return sa.or_(directory.c.id.is_(None), state != DirectoryState.PENDING.value)


def _members_of(rows: Iterable[Any]) -> dict[MemberId, Member]:
    return {
        MemberId(key): Member(
            MemberId(key), MemberState(state), user_name, email, external_id, display_name, bool(is_person)
        )
        for key, state, user_name, email, external_id, display_name, is_person in rows
    }


def _collected(rows: Iterable[Any]) -> dict[Any, tuple[GroupId, ...]]:
    found: dict[Any, list[GroupId]] = {}
    for owner, group_id in rows:
        found.setdefault(owner, []).append(group_id)
    return {owner: tuple(groups) for owner, groups in found.items()}


def _grants_of(rows: Iterable[Any]) -> Iterable[Grant]:
    made: dict[str, Grant] = {}
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
    return made.values()


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
