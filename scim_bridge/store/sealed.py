"""Every stored value that is sealed with the encryption keys: counted, and sealed anew."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_bridge.errors import StoreError
from scim_bridge.store import schema
from scim_bridge.store.sealing import Keyring


@dataclass(frozen=True, slots=True)
class Sealed:
    """One column that holds sealed values; ``what`` is its word for people."""

    what: str
    column: sa.Column[Any]

    @property
    def table(self) -> sa.Table:
        """Return the column's table."""
        found = self.column.table
        assert isinstance(found, sa.Table)
        return found


SEALED = (
    Sealed("credentials of clusters", schema.cluster.c.sealed_credential),
    Sealed("client secrets of identity providers", schema.identity_provider.c.sealed_client_secret),
    Sealed("secrets of one-time codes", schema.account_totp.c.sealed_secret),
    Sealed("ID tokens of sessions", schema.session.c.sealed_id_token),
    Sealed("sign-ins under way", schema.sign_in_attempt.c.sealed),
    Sealed("mails that wait", schema.mail.c.sealed),
    Sealed("secrets of webhooks", schema.webhook.c.sealed_secret),
    Sealed("secrets of webhooks from before", schema.webhook.c.sealed_old_secret),
    Sealed("answers to repeatable requests", schema.idempotent_request.c.answer),
    Sealed("ends of audit chains", schema.audit_chain.c.signature),
)
"""A column that is missing here is lost at the next change of keys: a test of the house looks for them."""
COUNTED_BY_NAME = "credentials of clusters"


def count_lost(connection: sa.Connection, keyring: Keyring) -> Mapping[str, int]:
    """Return how many values of each kind no present key opens; clusters are told by name elsewhere."""
    return {
        each.what: sum(keyring.sealer_of(_text(value)) is None for _, value in _values(connection, each))
        for each in SEALED
        if each.what != COUNTED_BY_NAME
    }


def reseal(connection: sa.Connection, keyring: Keyring) -> Mapping[str, int]:
    """
    Seal anew with the first key what another one sealed; returns how many of each kind that were.

    Raises StoreError for one that no present key opens: its key would be forgotten next.
    """
    return {each.what: sum(1 for _ in _resealed(connection, each, keyring)) for each in SEALED}


def count_by_key(connection: sa.Connection, keyring: Keyring) -> Mapping[str | None, int]:
    """Return how many values each key sealed, by its fingerprint; None: a key that is not here."""
    return Counter(keyring.sealer_of(_text(value)) for each in SEALED for _, value in _values(connection, each))


def _resealed(connection: sa.Connection, found: Sealed, keyring: Keyring) -> Iterator[None]:
    for key, value in _values(connection, found):
        sealer = keyring.sealer_of(_text(value))
        if sealer is None:
            raise StoreError(
                f"One of the {found.what} cannot be opened with the present keys: put its key behind them first."
            )
        if sealer == keyring.fingerprints[0]:
            continue
        text = keyring.reseal(_text(value))
        made = text.encode() if isinstance(value, bytes) else text
        where = [column == part for column, part in zip(found.table.primary_key, key, strict=True)]
        # Whoever wrote it anew meanwhile did so with the first key, and must not get the old value back.
        query = sa.update(found.table).where(*where, found.column == value).values({found.column.name: made})
        if connection.execute(query).rowcount:
            yield


def _values(connection: sa.Connection, found: Sealed) -> list[tuple[tuple[Any, ...], Any]]:
    query = sa.select(*found.table.primary_key, found.column).where(found.column.is_not(None))
    return [(tuple(row[:-1]), row[-1]) for row in connection.execute(query)]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
