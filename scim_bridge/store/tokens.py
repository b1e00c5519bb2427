"""Directory tokens as a request presents them: one indexed look-up by digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.store.schema import directory, directory_token, organization
from scim_bridge.store.texts import storable

NO_RANGES = "[]"


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that exists, with the directory it speaks for; whether it is still good is the caller's to judge."""

    id: str
    directory_id: DirectoryId
    directory_name: str
    organization_id: OrganizationId
    kind: DirectoryKind
    state: DirectoryState
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    ip_ranges: tuple[str, ...] = ()
    replaces_id: str | None = None


COLUMNS = (
    directory_token.c.id,
    directory_token.c.directory_id,
    directory.c.name,
    directory.c.organization_id,
    directory.c.kind,
    directory.c.state,
    directory_token.c.expires_at,
    directory_token.c.revoked_at,
    directory_token.c.last_used_at,
    directory_token.c.ip_ranges,
    directory_token.c.replaces_id,
)
FIND = (
    sa.select(*COLUMNS)
    .join(directory, directory_token.c.directory_id == directory.c.id)
    .join(organization, directory.c.organization_id == organization.c.id)
    .where(directory_token.c.digest == sa.bindparam("digest"), organization.c.removed_at.is_(None))
)
"""The token whose text has the hex SHA-256 `digest`."""

_END_REPLACED = (
    sa.update(directory_token)
    .where(directory_token.c.id == sa.bindparam("token"), directory_token.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("at"))
    .returning(directory_token.c.prefix)
)
_IS_IN_USE = sa.update(directory_token).where(directory_token.c.id == sa.bindparam("token")).values(replaces_id=None)

_TOUCH = (
    sa.update(directory_token)
    .where(
        directory_token.c.id == sa.bindparam("token"),
        sa.or_(directory_token.c.last_used_at.is_(None), directory_token.c.last_used_at < sa.bindparam("before")),
    )
    .values(
        last_used_at=sa.bindparam("at"),
        last_address=sa.bindparam("address"),
        last_user_agent=sa.bindparam("user_agent"),
    )
)


def find(connection: sa.Connection, digest: str) -> PresentedToken | None:
    """Return the token whose text has this hex SHA-256."""
    row = connection.execute(FIND, {"digest": digest}).one_or_none()
    return None if row is None else presented(row)


def presented(row: Sequence[Any]) -> PresentedToken:
    """Return the token that `COLUMNS` were read of."""
    token, directory_id, name, organization_id, kind, state, expires_at, revoked_at, used_at, ranges, replaces = row
    return PresentedToken(
        token,
        directory_id,
        name,
        organization_id,
        DirectoryKind(kind),
        DirectoryState(state),
        expires_at,
        revoked_at,
        used_at,
        () if ranges == NO_RANGES else tuple(orjson.loads(ranges)),
        replaces,
    )


def touch(
    connection: sa.Connection, token_id: str, at: datetime, before: datetime, address: str | None, user_agent: str
) -> None:
    """Note that a token was used, unless another request noted it after ``before``."""
    seen = {"address": storable(address, 64), "user_agent": storable(user_agent, 255)}
    connection.execute(_TOUCH, {"token": token_id, "at": at, "before": before, **seen})


def end_replaced(connection: sa.Connection, token_id: str, replaced_id: str, at: datetime) -> str | None:
    """End the token that this one, now in use, came to replace; return its prefix, None if it had ended before."""
    connection.execute(_IS_IN_USE, {"token": token_id})
    prefix = connection.execute(_END_REPLACED, {"token": replaced_id, "at": at}).scalar_one_or_none()
    return None if prefix is None else str(prefix)
