"""Sign-ins that have begun and are not over: each is taken up once, by the browser in which it began."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.people import AccountId
from scim_bridge.store.schema import sign_in_attempt


class Purpose(StrEnum):
    """What an attempt is for."""

    SIGN_IN = "sign-in"
    TEST = "test"
    SECOND_FACTOR = "second-factor"
    PASSKEY = "passkey"
    NEW_PASSKEY = "new-passkey"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in under way; ``sealed`` holds what nobody else may read of it."""

    id: str
    purpose: Purpose
    digest: str
    visitor_digest: str | None
    identity_provider_id: str | None
    account_id: AccountId | None
    sealed: str | None = field(repr=False)
    created_at: datetime
    expires_at: datetime
    tries: int = 0


def insert_attempt(connection: sa.Connection, made: Attempt) -> None:
    """Add an attempt, and forget those whose time is over."""
    connection.execute(sa.delete(sign_in_attempt).where(sign_in_attempt.c.expires_at < made.created_at))
    connection.execute(
        sa.insert(sign_in_attempt).values(
            id=made.id,
            purpose=made.purpose.value,
            digest=made.digest,
            visitor_digest=made.visitor_digest,
            identity_provider_id=made.identity_provider_id,
            account_id=made.account_id,
            sealed=made.sealed,
            created_at=made.created_at,
            expires_at=made.expires_at,
        )
    )


def take_attempt(connection: sa.Connection, digest: str) -> Attempt | None:
    """Return an attempt and take it away: of two who bring the same, one gets it."""
    found = _one(connection, sa.select(sign_in_attempt).where(sign_in_attempt.c.digest == digest))
    if found is None:
        return None
    taken = connection.execute(sa.delete(sign_in_attempt).where(sign_in_attempt.c.id == found.id)).rowcount
    return found if taken else None


def find_attempt(connection: sa.Connection, digest: str, purpose: Purpose) -> Attempt | None:
    """Return an attempt as it is."""
    where = (sign_in_attempt.c.digest == digest, sign_in_attempt.c.purpose == purpose.value)
    return _one(connection, sa.select(sign_in_attempt).where(*where))


def count_try(connection: sa.Connection, digest: str, purpose: Purpose) -> Attempt | None:
    """Return an attempt with one more try counted."""
    where = (sign_in_attempt.c.digest == digest, sign_in_attempt.c.purpose == purpose.value)
    counting = sa.update(sign_in_attempt).where(*where).values(tries=sign_in_attempt.c.tries + 1)
    connection.execute(counting)
    return _one(connection, sa.select(sign_in_attempt).where(*where))


def _one(connection: sa.Connection, query: sa.Select[Any]) -> Attempt | None:
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Attempt(
        row.id,
        Purpose(row.purpose),
        row.digest,
        row.visitor_digest,
        row.identity_provider_id,
        None if row.account_id is None else AccountId(row.account_id),
        row.sealed,
        row.created_at,
        row.expires_at,
        row.tries,
    )
