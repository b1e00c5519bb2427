"""Attribute mappings of directories: the versions, the one in force, and what it has made of each user."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.attributes import Derived
from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId, ScimUserId
from scim_bridge.domain.provisioning import Document, Names
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import directory, directory_mapping, member, organization, scim_user
from scim_bridge.store.users import mapped_columns

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One version of a directory's mapping; ``document`` None defines nothing, as before the first."""

    version: int
    document: str | None
    author: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MappedUser:
    """
    A user of a directory as a mapping sees it.

    ``mapped`` is what the mapping in force has made of it, None before there was one; ``names`` are those of the
    member, if this directory has a say about them.
    """

    id: ScimUserId
    member_id: MemberId
    user_name: str
    document: str
    mapped: str | None
    names: Names | None

    def read_document(self) -> Document:
        """Return the document as a dictionary of its own."""
        read: Document = orjson.loads(self.document)
        return read

    def read_mapped(self) -> dict[str, str] | None:
        """Return what was made of it, field by field."""
        return None if self.mapped is None else dict(orjson.loads(self.mapped))


# Both rows at once, so that what is read is what stands when the lock is got, not when it was asked for. Whoever
# changes a mapping holds the organization alone (`lock_for_rules`).
_LOCK = (
    sa.select(directory.c.mapping)
    .select_from(sa.join(organization, directory, directory.c.organization_id == organization.c.id))
    .where(organization.c.id == sa.bindparam("organization"), directory.c.id == sa.bindparam("directory"))
    .with_for_update(read=True, of=[organization, directory])
)
_MAPPED = sa.select(scim_user.c.mapped).where(scim_user.c.id == sa.bindparam("user"))
_WRITE = sa.update(scim_user).where(scim_user.c.id == sa.bindparam("user"))
_USERS = (
    sa.select(
        scim_user.c.id,
        scim_user.c.member_id,
        scim_user.c.user_name,
        scim_user.c.document,
        scim_user.c.mapped,
        sa.or_(member.c.directory_id.is_(None), member.c.directory_id == scim_user.c.directory_id),
        member.c.user_name,
        member.c.email,
        member.c.external_id,
        member.c.display_name,
    )
    .join(member, member.c.id == scim_user.c.member_id)
    .where(scim_user.c.directory_id == sa.bindparam("directory"), scim_user.c.removed_at.is_(None))
    .order_by(scim_user.c.id)
)
_PAGE = _USERS.where(scim_user.c.id > sa.bindparam("after")).limit(AT_ONCE)
_ONE = _USERS.where(sa.or_(scim_user.c.id == sa.bindparam("user"), scim_user.c.user_name_key == sa.bindparam("key")))


def lock_mapping(connection: sa.Connection, organization_id: OrganizationId, directory_id: DirectoryId) -> str | None:
    """
    Return the mapping in force, and keep it, with the organization's rules, until the transaction ends.

    It is `lock_for_rules` for whoever writes people of a directory, and shared with others who do.
    """
    found = connection.execute(_LOCK, {"organization": organization_id, "directory": directory_id}).scalar_one()
    return None if found is None else str(found)


def mapping_in_force(connection: sa.Connection, directory_id: DirectoryId) -> str | None:
    """Return the mapping in force; None where the directory defines nothing itself."""
    query = sa.select(directory.c.mapping).where(directory.c.id == directory_id)
    found: str | None = connection.execute(query).scalar_one()
    return found


def list_versions(connection: sa.Connection, directory_id: DirectoryId) -> list[MappingVersion]:
    """Return every version of a directory's mapping, the newest first."""
    query = sa.select(directory_mapping).where(directory_mapping.c.directory_id == directory_id)
    rows = connection.execute(query.order_by(directory_mapping.c.version.desc()))
    return [MappingVersion(row.version, row.document, row.author, row.valid_from, row.valid_to) for row in rows]


def insert_version(
    connection: sa.Connection, change: Change, directory_id: DirectoryId, document: str | None
) -> MappingVersion:
    """Put the next version into force; the caller holds the organization alone."""
    mine = directory_mapping.c.directory_id == directory_id
    newest = connection.execute(sa.select(sa.func.max(directory_mapping.c.version)).where(mine)).scalar_one()
    ending = sa.update(directory_mapping).where(mine, directory_mapping.c.valid_to.is_(None))
    connection.execute(ending.values(valid_to=change.at))
    made = MappingVersion((newest or 0) + 1, document, change.actor.name[:320], change.at, None)
    connection.execute(
        sa.insert(directory_mapping).values(
            id=new_id(),
            organization_id=change.organization_id,
            directory_id=directory_id,
            version=made.version,
            document=document,
            author=made.author,
            valid_from=change.at,
        )
    )
    connection.execute(sa.update(directory).where(directory.c.id == directory_id).values(mapping=document))
    return made


def users_to_map(connection: sa.Connection, directory_id: DirectoryId) -> Iterator[MappedUser]:
    """Return every present user of a directory, in the order of their ids, a thousand documents at a time."""
    after = ""
    while True:
        rows = connection.execute(_PAGE, {"directory": directory_id, "after": after}).all()
        yield from map(_mapped_user, rows)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1][0]


def user_to_map(connection: sa.Connection, directory_id: DirectoryId, named: str) -> MappedUser | None:
    """Return the present user of a directory with this id or userName."""
    row = connection.execute(_ONE, {"directory": directory_id, "user": named, "key": fold(named)}).first()
    return None if row is None else _mapped_user(row)


def mapped_values(connection: sa.Connection, user_id: ScimUserId) -> dict[str, str]:
    """Return what the mapping in force has made of a user before, field by field."""
    found = connection.execute(_MAPPED, {"user": user_id}).scalar_one()
    return {} if found is None else dict(orjson.loads(found))


def write_mapped(connection: sa.Connection, made: Iterable[tuple[ScimUserId, str | None, Derived | None]]) -> None:
    """Store what a mapping makes of these users: display name and all fields; None where there is no mapping."""
    rows = [
        {"user": user_id, "display_name": display_name, **mapped_columns(derived)}
        for user_id, display_name, derived in made
    ]
    if rows:
        connection.execute(_WRITE, rows)


def count_lacking(connection: sa.Connection, directory_id: DirectoryId) -> dict[str, int]:
    """Return how many users lack each required field."""
    query = (
        sa.select(scim_user.c.lacks, sa.func.count())
        .where(
            scim_user.c.directory_id == directory_id, scim_user.c.lacks.is_not(None), scim_user.c.removed_at.is_(None)
        )
        .group_by(scim_user.c.lacks)
    )
    found: dict[str, int] = {}
    for lacks, count in connection.execute(query):
        for name in lacks.split():
            found[name] = found.get(name, 0) + count
    return found


def _mapped_user(row: Sequence[Any]) -> MappedUser:
    user_id, member_id, user_name, document, mapped, has_a_say, *names = row
    return MappedUser(
        ScimUserId(user_id), MemberId(member_id), user_name, document, mapped, Names(*names) if has_a_say else None
    )
