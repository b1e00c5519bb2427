"""Whom a sign-in names among a directory's people, and which of its groups."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import member, membership, scim_user, user_group

LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Match:
    """A user of the directory that carries the declared value; ``removed``: the directory deleted it."""

    member_id: MemberId
    active: bool
    removed: bool


def matching_users(connection: sa.Connection, directory_id: DirectoryId, attribute: str, value: str) -> list[Match]:
    """Return the directory's users, deleted ones too, whose declared attribute has this very value."""
    is_named = {
        "externalId": scim_user.c.external_id == value,
        "userName": scim_user.c.user_name_key == fold(value),
        "id": scim_user.c.id == value,
    }[attribute]
    query = sa.select(scim_user.c.member_id, scim_user.c.active, scim_user.c.removed_at)
    found = connection.execute(query.where(scim_user.c.directory_id == directory_id, is_named))
    return [Match(MemberId(row.member_id), bool(row.active), row.removed_at is not None) for row in found]


def was_removed(connection: sa.Connection, organization_id: OrganizationId, email: str) -> bool:
    """Say whether somebody with this address was a member and was removed."""
    query = sa.select(member.c.id).where(
        member.c.organization_id == organization_id,
        member.c.email_key == fold(email),
        member.c.state == MemberState.REMOVED.value,
    )
    return connection.execute(query).first() is not None


def groups_called(
    connection: sa.Connection, directory_id: DirectoryId, attribute: str, values: Iterable[str]
) -> dict[str, GroupId]:
    """Return the directory's present groups by the values of an attribute; one that names two groups names none."""
    wanted = {fold(each): each for each in values} if attribute == "displayName" else {each: each for each in values}
    column = {
        "displayName": user_group.c.display_name_key,
        "externalId": user_group.c.external_id,
        "id": user_group.c.id,
    }[attribute]
    query = sa.select(column, user_group.c.id).where(
        user_group.c.directory_id == directory_id, user_group.c.removed_at.is_(None), column.in_(listed("values"))
    )
    found: dict[str, set[GroupId]] = {}
    for value, group_id in connection.execute(query, {"values": as_list(wanted)}):
        found.setdefault(wanted[value], set()).add(GroupId(group_id))
    return {value: next(iter(ids)) for value, ids in found.items() if len(ids) == 1}


def login_groups_of(connection: sa.Connection, directory_id: DirectoryId, member_id: MemberId) -> set[GroupId]:
    """Return the directory's groups in which sign-ins have put a member."""
    query = (
        sa.select(membership.c.group_id)
        .join(user_group, membership.c.group_id == user_group.c.id)
        .where(
            membership.c.member_id == member_id,
            membership.c.origin == LOGIN,
            membership.c.valid_to.is_(None),
            user_group.c.directory_id == directory_id,
        )
    )
    return {GroupId(each) for each in connection.execute(query).scalars()}


def enter_groups(connection: sa.Connection, change: Change, member_id: MemberId, group_ids: Iterable[GroupId]) -> None:
    """Put a member into groups because a sign-in said so."""
    rows = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "group_id": group_id,
            "member_id": member_id,
            "origin": LOGIN,
            "valid_from": change.at,
        }
        for group_id in group_ids
    ]
    if rows:
        connection.execute(sa.insert(membership), rows)
    for row in rows:
        note(connection, change, "memberships.began", group=row["group_id"], origin=LOGIN, members=[member_id])


def leave_groups(connection: sa.Connection, change: Change, member_id: MemberId, group_ids: Iterable[GroupId]) -> None:
    """Take a member out of groups that a sign-in no longer lists: nobody named it, so the brakes count it."""
    query = (
        sa.update(membership)
        .where(
            membership.c.member_id == member_id,
            membership.c.origin == LOGIN,
            membership.c.valid_to.is_(None),
            membership.c.group_id.in_(listed("groups")),
        )
        .values(valid_to=change.at, inferred=True)
        .returning(membership.c.group_id)
    )
    for group_id in connection.execute(query, {"groups": as_list(group_ids)}).scalars():
        note(connection, change, "memberships.ended", group=group_id, origin=LOGIN, members=[member_id])
