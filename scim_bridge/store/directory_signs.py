"""Signs of life of directories, and what was found about them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from scim_bridge.domain.directory_alarms import DirectoryCondition
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    directory,
    directory_condition,
    directory_silence,
    directory_token,
    provisioning_log,
)

_LAST_USE = sa.select(sa.func.max(directory_token.c.last_used_at)).where(
    directory_token.c.directory_id == sa.bindparam("directory")
)


def last_use(connection: sa.Connection, directory_id: DirectoryId) -> datetime | None:
    """Return when a directory's tokens were used last."""
    found: datetime | None = connection.execute(_LAST_USE, {"directory": directory_id}).scalar_one()
    return found


def add_silence(
    connection: sa.Connection, organization_id: OrganizationId, directory_id: DirectoryId, at: datetime, gap: timedelta
) -> None:
    """Note that a directory, silent until now, was so for this long."""
    row = {"id": new_id(), "organization_id": organization_id, "directory_id": directory_id}
    connection.execute(sa.insert(directory_silence).values(**row, ended_at=at, seconds=int(gap.total_seconds())))


def silences_since(connection: sa.Connection, directory_id: DirectoryId, since: datetime) -> list[timedelta]:
    """Return how long a directory was silent each time, since a moment."""
    query = sa.select(directory_silence.c.seconds).where(
        directory_silence.c.directory_id == directory_id, directory_silence.c.ended_at >= since
    )
    return [timedelta(seconds=seconds) for seconds in connection.execute(query).scalars()]


def forget_silences(connection: sa.Connection, before: datetime) -> None:
    """Drop what is too old to say anything of a rhythm."""
    connection.execute(sa.delete(directory_silence).where(directory_silence.c.ended_at < before))


def newest_answers(connection: sa.Connection, directory_id: DirectoryId, count: int) -> list[int]:
    """Return the newest statuses that a directory was answered with, latest first."""
    query = (
        sa.select(provisioning_log.c.status)
        .where(provisioning_log.c.directory_id == directory_id)
        .order_by(provisioning_log.c.id.desc())
        .limit(count)
    )
    return [int(status) for status in connection.execute(query).scalars()]


def keep_conditions(
    connection: sa.Connection,
    organization_id: OrganizationId,
    directory_id: DirectoryId,
    found: Iterable[DirectoryCondition],
    at: datetime,
) -> list[DirectoryCondition]:
    """Make these the directory's conditions and return those that are new, or say something new."""
    # Two processes look at the same time: the second one sees what the first has noted.
    connection.execute(sa.select(directory.c.id).where(directory.c.id == directory_id).with_for_update(key_share=True))
    stored = directory_condition.c
    rows = connection.execute(
        sa.select(stored.id, stored.kind, stored.about, stored.message).where(stored.directory_id == directory_id)
    ).all()
    known = {DirectoryCondition(kind, about, message): id_ for id_, kind, about, message in rows}
    wanted = set(found)
    gone = [id_ for condition, id_ in known.items() if condition not in wanted]
    if gone:
        connection.execute(sa.delete(directory_condition).where(stored.id.in_(gone)))
    new = sorted(wanted - known.keys())
    owner = {"organization_id": organization_id, "directory_id": directory_id, "since": at}
    for each in new:
        named = {"id": new_id(), "kind": each.kind, "about": each.about, "message": each.message}
        connection.execute(sa.insert(directory_condition).values(**owner, **named))
    return new
