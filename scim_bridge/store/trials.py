"""Directories that are made to be tried out and thrown away, with everything that they brought."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId
from scim_bridge.store.members import DIRECTORY
from scim_bridge.store.schema import directory, fact, member, metadata, scim_user

TRIAL = '{"trial":true}'
"""What the settings of such a directory say, so that one that was left behind is known again."""


def mark_trial(connection: sa.Connection, directory_id: DirectoryId) -> None:
    """Say of a directory that it is one to be thrown away."""
    connection.execute(sa.update(directory).where(directory.c.id == directory_id).values(settings=TRIAL))


def find_trials(connection: sa.Connection, organization_id: OrganizationId, before: datetime) -> list[DirectoryId]:
    """Return the trials of an organization that were made before a moment and are still there."""
    query = sa.select(directory.c.id).where(
        directory.c.organization_id == organization_id, directory.c.settings == TRIAL, directory.c.created_at < before
    )
    return [DirectoryId(each) for each in connection.execute(query).scalars()]


def delete_trial(connection: sa.Connection, directory_id: DirectoryId) -> None:
    """
    Delete a trial with all that hangs on it; the audit keeps that it was there.

    Whoever was there before it is not its own, whatever it said about them.
    """
    query = sa.select(directory.c.created_at).where(directory.c.id == directory_id, directory.c.settings == TRIAL)
    made_at = connection.execute(query.with_for_update()).scalar_one_or_none()
    if made_at is None:
        return
    doomed = _doomed(connection, directory_id, made_at)
    # Somebody else's member may have been claimed by it: that one stays, and is nobody's again.
    connection.execute(sa.delete(fact).where(fact.c.attribute == DIRECTORY, fact.c.value == directory_id))
    claimed = sa.update(member).where(member.c.directory_id == directory_id, member.c.id.not_in(doomed[member.name]))
    connection.execute(claimed.values(directory_id=None))
    for name, ids in reversed(doomed.items()):
        table = metadata.tables[name]
        connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
        connection.execute(sa.delete(fact).where(fact.c.object_id.in_(ids)))


def _doomed(connection: sa.Connection, directory_id: DirectoryId, made_at: datetime) -> dict[str, Sequence[str]]:
    """Return the ids of all rows that have to go, by table, parents first."""
    doomed: dict[str, Sequence[str]] = {directory.name: [directory_id]}
    for table in metadata.sorted_tables:
        conditions = [] if table is directory or "id" not in table.c else _conditions(table, doomed, made_at)
        if conditions:
            doomed[table.name] = connection.execute(sa.select(table.c.id).where(sa.or_(*conditions))).scalars().all()
    return doomed


def _conditions(
    table: sa.Table, doomed: Mapping[str, Sequence[str]], made_at: datetime
) -> list[sa.ColumnElement[bool]]:
    [directory_id] = doomed[directory.name]
    if table is member:
        brought = sa.select(scim_user.c.member_id).where(scim_user.c.directory_id == directory_id)
        own = (member.c.directory_id == directory_id, member.c.created_at >= made_at, member.c.id.in_(brought))
        return [sa.and_(*own)]
    if "directory_id" in table.c:
        return [table.c.directory_id == directory_id]
    return [
        key.parent.in_(doomed[key.column.table.name])
        for key in table.foreign_keys
        if key.column.table.name in doomed and key.column.name == "id"
    ]
