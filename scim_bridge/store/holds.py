"""Memberships that a directory no longer sees and that are still in force, waiting for an approval."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    people = _held(membership, membership.c.group_id, "person", member.c.id, member.c.user_name)
    people = people.join(member, member.c.id == membership.c.member_id)
    groups = _held(nesting, nesting.c.parent_id, "group", child.c.id, child.c.display_name)
    groups = groups.join(child, child.c.id == nesting.c.child_id)
    found: list[HeldMember] = []
    for query, table in ((people, membership), (groups, nesting)):
        query = query.where(table.c.organization_id == organization_id)
        if group_id is not None:
            query = query.where(user_group.c.id == group_id)
        found += [HeldMember(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.group, each.group_id, each.kind, each.name, each.id))


def _held(
    table: sa.Table, group_id: sa.ColumnElement[str], kind: str, id_: sa.ColumnElement[str], name: sa.ColumnElement[str]
) -> sa.Select[Any]:
    """Return the query for what a table holds in groups; ``id_`` and ``name`` are of who it is, still to be joined."""
    return (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            directory.c.name,
            sa.literal(kind),
            id_,
            name,
            table.c.held_since,
        )
        .select_from(table)
        .join(user_group, user_group.c.id == group_id)
        .join(directory, directory.c.id == user_group.c.directory_id)
        .where(table.c.held.is_(sa.true()), table.c.valid_to.is_(None))
    )
