"""Directories and their tokens; of a token only its digest is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.store.changes import Change
from scim_bridge.store.history import record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import directory, directory_token, scim_user, user_group


@dataclass(frozen=True, slots=True)
class Directory:
    """One identity provider of one organization."""

    id: DirectoryId
    organization_id: OrganizationId
    name: str
    kind: DirectoryKind
    state: DirectoryState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DirectoryToken:
    """A directory's token without its secret; ``prefix`` is what tells it from others."""

    id: str
    directory_id: DirectoryId
    prefix: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_address: str | None = None
    last_user_agent: str | None = None
    ip_ranges: tuple[str, ...] = ()
    replaces_id: str | None = None

    def is_live(self, at: datetime) -> bool:
        """Tell whether it opens its directory at a moment."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """
    What a new token is called, until when it is good and from where; ``ip_ranges`` () means from anywhere.

    The token ``replaces_id`` ends when this one is used for the first time.
    """

    name: str = ""
    expires_at: datetime | None = None
    ip_ranges: tuple[str, ...] = ()
    replaces_id: str | None = None


def insert_directory(
    connection: sa.Connection, change: Change, name: str, kind: DirectoryKind, state: DirectoryState
) -> Directory:
    """Add a directory to the organization that the change names."""
    made = Directory(DirectoryId(new_id()), change.organization_id, name, kind, state, change.at)
    connection.execute(
        sa.insert(directory).values(
            id=made.id,
            organization_id=made.organization_id,
            name=name,
            kind=kind.value,
            state=state.value,
            created_at=change.at,
        )
    )
    record_fact(connection, change, "directory", made.id, "state", state.value)
    return made


def find_directory(connection: sa.Connection, organization_id: OrganizationId, named: str) -> Directory | None:
    """Return the organization's directory with this name or id."""
    query = sa.select(directory).where(
        directory.c.organization_id == organization_id, sa.or_(directory.c.name == named, directory.c.id == named)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _directory(row)


def get_directory(connection: sa.Connection, directory_id: DirectoryId) -> Directory:
    """Return a directory that is known to be there."""
    return _directory(connection.execute(sa.select(directory).where(directory.c.id == directory_id)).one())


def lock_directory(connection: sa.Connection, directory_id: DirectoryId) -> Directory:
    """Return a directory, kept from others who would change its state until the transaction ends."""
    query = sa.select(directory).where(directory.c.id == directory_id).with_for_update(key_share=True)
    return _directory(connection.execute(query).one())


def rename_directory(connection: sa.Connection, directory_id: DirectoryId, name: str) -> None:
    """Call a directory otherwise."""
    connection.execute(sa.update(directory).where(directory.c.id == directory_id).values(name=name))


def set_state(connection: sa.Connection, change: Change, directory_id: DirectoryId, state: DirectoryState) -> None:
    """Change a directory's state, and keep since when."""
    connection.execute(sa.update(directory).where(directory.c.id == directory_id).values(state=state.value))
    record_fact(connection, change, "directory", directory_id, "state", state.value)


def is_detached(connection: sa.Connection, directory_id: DirectoryId) -> bool:
    """Say whether a directory is over."""
    query = sa.select(directory.c.state).where(directory.c.id == directory_id)
    return bool(connection.execute(query).scalar_one() == DirectoryState.DETACHED.value)


def list_directories(connection: sa.Connection, organization_id: OrganizationId) -> list[Directory]:
    """Return the organization's directories, by name."""
    query = sa.select(directory).where(directory.c.organization_id == organization_id).order_by(directory.c.name)
    return [_directory(row) for row in connection.execute(query)]


def count_brought(connection: sa.Connection, directory_id: DirectoryId) -> tuple[int, int]:
    """Return how many users and groups a directory has now."""
    counts = (
        connection.execute(
            sa.select(sa.func.count())
            .select_from(table)
            .where(table.c.directory_id == directory_id, table.c.removed_at.is_(None))
        ).scalar_one()
        for table in (scim_user, user_group)
    )
    users, groups = counts
    return int(users), int(groups)


def insert_token(
    connection: sa.Connection,
    change: Change,
    directory_id: DirectoryId,
    secret: tuple[str, str],
    terms: TokenTerms,
) -> DirectoryToken:
    """Add a token, given as its prefix and the hex SHA-256 of its whole text."""
    prefix, digest = secret
    made = DirectoryToken(
        new_id(),
        directory_id,
        prefix,
        terms.name,
        change.at,
        terms.expires_at,
        None,
        None,
        ip_ranges=terms.ip_ranges,
        replaces_id=terms.replaces_id,
    )
    connection.execute(
        sa.insert(directory_token).values(
            id=made.id,
            organization_id=change.organization_id,
            directory_id=directory_id,
            prefix=prefix,
            digest=digest,
            name=made.name,
            created_at=change.at,
            expires_at=made.expires_at,
            ip_ranges=orjson.dumps(made.ip_ranges).decode(),
            replaces_id=made.replaces_id,
        )
    )
    return made


def list_tokens(connection: sa.Connection, directory_id: DirectoryId) -> list[DirectoryToken]:
    """Return a directory's tokens, revoked ones too, oldest first."""
    query = sa.select(directory_token).where(directory_token.c.directory_id == directory_id)
    return [_token(row) for row in connection.execute(query.order_by(directory_token.c.id))]


def find_tokens(connection: sa.Connection, organization_id: OrganizationId, named: str) -> list[DirectoryToken]:
    """Return the organization's tokens with this id, prefix or name."""
    columns = (directory_token.c.id, directory_token.c.prefix, directory_token.c.name)
    query = sa.select(directory_token).where(
        directory_token.c.organization_id == organization_id, sa.or_(*(column == named for column in columns))
    )
    return [_token(row) for row in connection.execute(query.order_by(directory_token.c.id))]


def revoke_token(connection: sa.Connection, change: Change, token_id: str) -> None:
    """End a token at once."""
    connection.execute(sa.update(directory_token).where(directory_token.c.id == token_id).values(revoked_at=change.at))


def _directory(row: sa.Row[Any]) -> Directory:
    kind, state = DirectoryKind(row.kind), DirectoryState(row.state)
    return Directory(row.id, row.organization_id, row.name, kind, state, row.created_at)


def _token(row: sa.Row[Any]) -> DirectoryToken:
    return DirectoryToken(
        row.id,
        row.directory_id,
        row.prefix,
        row.name,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
        row.last_address,
        row.last_user_agent,
        tuple(orjson.loads(row.ip_ranges)),
        row.replaces_id,
    )
