"""Memberships that a directory no longer sees and that are still in force, waiting for an approval."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId
from scim_bridge.store.schema import directory, member, membership, nesting, user_group


@dataclass(frozen=True, slots=True)
class HeldMember:
    """A person, or a group with all who are in it, held in a group."""

    group_id: GroupId
    group: str
    directory: str
    kind: str
    id: str
    name: str
    since: datetime


def held_members(
    connection: sa.Connection, organization_id: OrganizationId, group_id: GroupId | None = None
) -> list[HeldMember]:
    """Return what is held in an organization, or in one group of it, by group and name."""
    child = user_group.alias()
    people = (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            directory.c.name,
            sa.literal("person"),
            member.c.id,
            member.c.user_name,
            membership.c.held_since,
        )
        .select_from(membership)
        .join(user_group, user_group.c.id == membership.c.group_id)
        .join(directory, directory.c.id == user_group.c.directory_id)
        .join(member, member.c.id == membership.c.member_id)
        .where(membership.c.organization_id == organization_id, membership.c.held.is_(sa.true()))
        .where(membership.c.valid_to.is_(None))
    )
    groups = (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            directory.c.name,
            sa.literal("group"),
            child.c.id,
            child.c.display_name,
            nesting.c.held_since,
        )
        .select_from(nesting)
        .join(user_group, user_group.c.id == nesting.c.parent_id)
        .join(directory, directory.c.id == user_group.c.directory_id)
        .join(child, child.c.id == nesting.c.child_id)
        .where(nesting.c.organization_id == organization_id, nesting.c.held.is_(sa.true()))
        .where(nesting.c.valid_to.is_(None))
    )
    if group_id is not None:
        people, groups = (each.where(user_group.c.id == group_id) for each in (people, groups))
    found = [HeldMember(*row) for query in (people, groups) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.group, each.group_id, each.kind, each.name, each.id))
