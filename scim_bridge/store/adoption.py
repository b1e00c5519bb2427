"""People who are here without a directory, and those who wait because they may be the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryState, MemberId, MemberState, ScimUserId
from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import adoption_conflict, directory, member, scim_user

OPEN = "open"

_IS_FREE = (
    member.c.organization_id == sa.bindparam("organization"),
    member.c.state != MemberState.REMOVED.value,
    sa.or_(member.c.directory_id.is_(None), directory.c.state == DirectoryState.DETACHED.value),
)
_FREE = sa.select(member.c.id, member.c.state, member.c.email_key).outerjoin(
    directory, directory.c.id == member.c.directory_id
)
# Two look-ups by index: an OR over both would read the organization.
_BY_ADDRESS = _FREE.where(
    *_IS_FREE, sa.or_(member.c.email_key == sa.bindparam("email"), member.c.email_key == sa.bindparam("name"))
)
_former = directory.alias("former")
_BY_FORMER_NAME = (
    sa.select(member.c.id, member.c.state, scim_user.c.user_name_key)
    .join(scim_user, scim_user.c.member_id == member.c.id)
    .join(_former, _former.c.id == scim_user.c.directory_id)
    .outerjoin(directory, directory.c.id == member.c.directory_id)
    .where(
        *_IS_FREE,
        _former.c.organization_id == sa.bindparam("organization"),
        _former.c.state == DirectoryState.DETACHED.value,
        scim_user.c.user_name_key == sa.bindparam("name"),
        scim_user.c.removed_at.is_(None),
    )
)
_OF_DIRECTORY = sa.select(scim_user.c.id).where(scim_user.c.directory_id == sa.bindparam("directory"))
_CALLED = _OF_DIRECTORY.where(scim_user.c.user_name_key == sa.bindparam("name"))
# The names of those present and of those gone are two indexes.
_SOMEBODY = sa.select(
    sa.or_(
        _CALLED.where(scim_user.c.removed_at.is_(None)).exists(),
        _CALLED.where(scim_user.c.removed_at.is_not(None)).exists(),
        _OF_DIRECTORY.where(scim_user.c.external_id == sa.bindparam("external")).exists(),
        _BY_ADDRESS.exists(),
        _BY_FORMER_NAME.exists(),
    )
)
_WAITING = sa.select(adoption_conflict.c.id).where(
    adoption_conflict.c.waiting_id == sa.bindparam("member"), adoption_conflict.c.state == OPEN
)


@dataclass(frozen=True, slots=True)
class StoredConflict:
    """Somebody whom a directory brought and who waits, beside whom they may be."""

    id: str
    directory_id: DirectoryId
    directory: str
    waiting_id: MemberId
    user_id: ScimUserId
    user_name: str
    candidate_id: MemberId
    candidate: str
    candidate_state: str
    reason: str
    since: datetime


def is_unheard_of(
    connection: sa.Connection, organization_id: OrganizationId, directory_id: DirectoryId, record: UserRecord
) -> bool:
    """
    Say whether nobody whom a directory has, had or may take over goes by any name of a record.

    One look at what else takes six, each of which finds nothing for most of whom a directory brings.
    """
    values = {
        "organization": organization_id,
        "directory": directory_id,
        "name": record.user_name_key,
        "external": record.external_id or None,
        "email": record.names.email_key or record.user_name_key,
    }
    return not connection.execute(_SOMEBODY, values).scalar_one()


def free_namesakes(
    connection: sa.Connection, organization_id: OrganizationId, user_name_key: str, email_key: str | None
) -> dict[MemberId, tuple[MemberState, set[str]]]:
    """Return who is here without a directory that works, and has one of these names: with their state, and which."""
    values = {"organization": organization_id, "name": user_name_key}
    rows = [
        *connection.execute(_BY_ADDRESS, {**values, "email": email_key or user_name_key}),
        *connection.execute(_BY_FORMER_NAME, values),
    ]
    found: dict[MemberId, tuple[MemberState, set[str]]] = {}
    for member_id, state, name in rows:
        found.setdefault(MemberId(member_id), (MemberState(state), set()))[1].add(name)
    return found


def add_conflicts(
    connection: sa.Connection,
    change: Change,
    directory_id: DirectoryId,
    waiting_id: MemberId,
    candidates: Iterable[MemberId],
    reason: str,
) -> None:
    """Let a member wait, granting nothing, until somebody says whether it is one of the candidates."""
    shared = {"organization_id": change.organization_id, "directory_id": directory_id, "waiting_id": waiting_id}
    for each in candidates:
        own = {"id": new_id(), "candidate_id": each, "reason": reason, "state": OPEN, "created_at": change.at}
        connection.execute(sa.insert(adoption_conflict).values(**shared, **own))


def is_waiting(connection: sa.Connection, member_id: MemberId) -> bool:
    """Say whether a member waits to be told from somebody else."""
    return connection.execute(_WAITING, {"member": member_id}).first() is not None


def open_conflicts(connection: sa.Connection, organization_id: OrganizationId) -> list[StoredConflict]:
    """Return who waits in an organization, the longest first; whom the directory took away again is left out."""
    conflict, candidate = adoption_conflict.c, member.alias("candidate")
    query = (
        sa.select(
            conflict.id,
            conflict.directory_id,
            directory.c.name,
            conflict.waiting_id,
            scim_user.c.id,
            scim_user.c.user_name,
            conflict.candidate_id,
            candidate.c.user_name,
            candidate.c.state,
            conflict.reason,
            conflict.created_at,
        )
        .join(directory, directory.c.id == conflict.directory_id)
        .join(candidate, candidate.c.id == conflict.candidate_id)
        .join(scim_user, sa.and_(scim_user.c.member_id == conflict.waiting_id, scim_user.c.removed_at.is_(None)))
        .where(conflict.organization_id == organization_id, conflict.state == OPEN)
        .order_by(conflict.id)
    )
    return [StoredConflict(*row) for row in connection.execute(query)]


def close_conflicts(connection: sa.Connection, change: Change, ids: Iterable[str], state: str) -> None:
    """End conflicts as ``claimed`` or ``dismissed``."""
    closing = sa.update(adoption_conflict).where(adoption_conflict.c.id.in_(list(ids)))
    connection.execute(closing.values(state=state, closed_at=change.at))


def hand_users_over(connection: sa.Connection, from_id: MemberId, to_id: MemberId) -> None:
    """Let every SCIM user of one member be another's."""
    connection.execute(sa.update(scim_user).where(scim_user.c.member_id == from_id).values(member_id=to_id))
