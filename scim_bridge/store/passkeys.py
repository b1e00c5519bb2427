"""Passkeys: the public halves of keys that never leave their owners' devices."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.people import AccountId
from scim_bridge.store.credentials import note_second_factor
from scim_bridge.store.schema import passkey


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey; ``credential_id`` and ``public_key`` are base64url. Since ``suspected_at`` it opens nothing."""

    id: str
    account_id: AccountId
    credential_id: str
    public_key: str
    name: str
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None = None
    suspected_at: datetime | None = None


def insert_passkey(connection: sa.Connection, made: Passkey) -> None:
    """Add a passkey to its account."""
    connection.execute(
        sa.insert(passkey).values(
            id=made.id,
            account_id=made.account_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            name=made.name,
            sign_count=made.sign_count,
            created_at=made.created_at,
        )
    )
    note_second_factor(connection, made.account_id)


def find_passkey(connection: sa.Connection, credential_id: str) -> Passkey | None:
    """Return whose passkey this is, kept from other writers until the transaction ends."""
    query = sa.select(passkey).where(passkey.c.credential_id == credential_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _passkey(row)


def passkeys_of(connection: sa.Connection, account_id: AccountId) -> list[Passkey]:
    """Return an account's passkeys, the oldest first."""
    query = sa.select(passkey).where(passkey.c.account_id == account_id).order_by(passkey.c.id)
    return [_passkey(row) for row in connection.execute(query)]


def note_use(connection: sa.Connection, used: Passkey, sign_count: int, at: datetime) -> None:
    """Note that a passkey was used, and how far it has counted."""
    noting = sa.update(passkey).where(passkey.c.id == used.id)
    connection.execute(noting.values(sign_count=sign_count, last_used_at=at))


def suspect(connection: sa.Connection, found: Passkey, at: datetime) -> None:
    """Let a passkey open nothing any more."""
    connection.execute(sa.update(passkey).where(passkey.c.id == found.id).values(suspected_at=at))


def remove_passkey(connection: sa.Connection, found: Passkey) -> None:
    """Take a passkey away."""
    connection.execute(sa.delete(passkey).where(passkey.c.id == found.id))
    note_second_factor(connection, found.account_id)


def _passkey(row: sa.Row[Any]) -> Passkey:
    return Passkey(
        row.id,
        AccountId(row.account_id),
        row.credential_id,
        row.public_key,
        row.name,
        row.sign_count,
        row.created_at,
        row.last_used_at,
        row.suspected_at,
    )
