"""All that a directory has brought, taken as a whole."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryId, GroupId, MemberId, ScimUserId
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.schema import membership, nesting, parked_member, scim_user, user_group


@dataclass(frozen=True, slots=True)
class BroughtUser:
    """A user of a directory and the person behind it."""

    id: ScimUserId
    member_id: MemberId
    user_name: str


@dataclass(frozen=True, slots=True)
class BroughtGroup:
    """A group of a directory."""

    id: GroupId
    name: str


def users_brought(connection: sa.Connection, directory_id: DirectoryId) -> list[BroughtUser]:
    """Return a directory's present users, in the order of their ids."""
    query = (
        sa.select(scim_user.c.id, scim_user.c.member_id, scim_user.c.user_name)
        .where(scim_user.c.directory_id == directory_id, scim_user.c.removed_at.is_(None))
        .order_by(scim_user.c.id)
    )
    return [BroughtUser(*row) for row in connection.execute(query)]


def groups_brought(connection: sa.Connection, directory_id: DirectoryId) -> list[BroughtGroup]:
    """Return a directory's present groups, in the order in which they are to be locked."""
    query = (
        sa.select(user_group.c.id, user_group.c.display_name)
        .where(user_group.c.directory_id == directory_id, user_group.c.removed_at.is_(None))
        .order_by(user_group.c.id)
    )
    return [BroughtGroup(*row) for row in connection.execute(query)]


def remove_contents(connection: sa.Connection, change: Change, directory_id: DirectoryId) -> set[MemberId]:
    """Take out every user and group of a directory with all memberships, and return whose memberships ended."""
    note(connection, change, "directory.emptied", directory=directory_id)
    own_groups = sa.select(user_group.c.id).where(user_group.c.directory_id == directory_id)
    own_users = sa.select(scim_user.c.id).where(scim_user.c.directory_id == directory_id)
    ended = connection.execute(
        sa.update(membership)
        .where(
            membership.c.organization_id == change.organization_id,
            membership.c.valid_to.is_(None),
            sa.or_(membership.c.group_id.in_(own_groups), membership.c.scim_user_id.in_(own_users)),
        )
        .values(valid_to=change.at)
        .returning(membership.c.member_id)
    ).scalars()
    people = {MemberId(member_id) for member_id in ended}
    nested = sa.or_(nesting.c.parent_id.in_(own_groups), nesting.c.child_id.in_(own_groups))
    connection.execute(sa.update(nesting).where(nesting.c.valid_to.is_(None), nested).values(valid_to=change.at))
    parked = sa.update(parked_member).where(
        parked_member.c.valid_to.is_(None), parked_member.c.group_id.in_(own_groups)
    )
    connection.execute(parked.values(valid_to=change.at))
    for table in (scim_user, user_group):
        present = sa.update(table).where(table.c.directory_id == directory_id, table.c.removed_at.is_(None))
        gone = {"removed_at": change.at, "updated_at": change.at, "version": table.c.version + 1}
        connection.execute(present.values(gone))
    return people
