"""Memberships that a directory no longer sees and that are still in force, waiting for an approval."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, GroupId
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import audit_entry, directory, member, membership, nesting, user_group


@dataclass(frozen=True, slots=True)
class HeldMember:
    """
    A person, or a group with all who are in it, held in a group.

    ``together`` is how many one request left out beside them and were held, themselves too; ``request_id`` is that
    request, if the audit still knows it.
    """

    group_id: GroupId
    group: str
    directory: str
    kind: str
    id: str
    name: str
    since: datetime
    request_id: str | None = None
    together: int = 1

    @property
    def why(self) -> str:
        """Return in a sentence why it is held."""
        others = f" together with {self.together - 1} others" if self.together > 1 else ""
        return f"a new member list of {self.directory} left it out{others}: more than an hour may take away unnamed"


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
    causes = _causes(connection, organization_id, {each.group_id for each in found})
    told = [replace(each, **causes.get((each.group_id, each.since), {})) for each in found]
    return sorted(told, key=lambda each: (each.group, each.group_id, each.kind, each.name, each.id))


def count_held(connection: sa.Connection, directory_id: DirectoryId) -> int:
    """Return how many people and groups are held in a directory's groups."""
    found = 0
    for table, group_id in ((membership, membership.c.group_id), (nesting, nesting.c.parent_id)):
        query = (
            sa.select(sa.func.count())
            .select_from(table)
            .join(user_group, user_group.c.id == group_id)
            .where(table.c.held.is_(sa.true()), table.c.valid_to.is_(None))
            .where(user_group.c.directory_id == directory_id, table.c.organization_id == user_group.c.organization_id)
        )
        found += int(connection.execute(query).scalar_one())
    return found


def _causes(
    connection: sa.Connection, organization_id: OrganizationId, group_ids: Collection[GroupId]
) -> dict[tuple[str, datetime], dict[str, Any]]:
    """Return which request held somebody in a group at a moment, and how many it held."""
    if not group_ids:
        return {}
    query = sa.select(audit_entry).where(
        audit_entry.c.organization_id == organization_id,
        audit_entry.c.action == "group.held",
        audit_entry.c.object_id.in_(listed("groups")),
    )
    found = {}
    for row in connection.execute(query, {"groups": as_list(sorted(group_ids))}):
        detail = orjson.loads(row.detail or "{}")
        together = len(detail.get("held", ())) + len(detail.get("held_groups", ()))
        found[row.object_id, row.at] = {"request_id": row.request_id, "together": together}
    return found


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
