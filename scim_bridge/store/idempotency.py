"""Requests that a client may send again: what was asked under a key, and what was answered."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.store.schema import idempotent_request


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was asked under a key; ``status`` None: it is still being carried out, or nobody knows how it ended."""

    fingerprint: str
    status: int | None
    answer: bytes | None


def reserve(connection: sa.Connection, key: str, fingerprint: str, at: datetime) -> KeptAnswer | None:
    """Take a key for a request and return None, or return what it was taken for before."""
    found = _find(connection, key)
    if found is not None:
        return found
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(idempotent_request).values(id=key, fingerprint=fingerprint, created_at=at))
    except IntegrityError:
        # Another process took it in between.
        return _find(connection, key) or KeptAnswer(fingerprint, None, None)
    return None


def keep_answer(connection: sa.Connection, key: str, status: int, answer: bytes) -> None:
    """Keep what was answered to the request under a key."""
    mine = idempotent_request.c.id == key
    connection.execute(sa.update(idempotent_request).where(mine).values(status=status, answer=answer))


def give_back(connection: sa.Connection, key: str) -> None:
    """Let a key be free again: what was asked under it has changed nothing."""
    connection.execute(sa.delete(idempotent_request).where(idempotent_request.c.id == key))


def purge(connection: sa.Connection, before: datetime) -> int:
    """Forget what was asked before a moment; return how much that was."""
    return connection.execute(sa.delete(idempotent_request).where(idempotent_request.c.created_at < before)).rowcount


def _find(connection: sa.Connection, key: str) -> KeptAnswer | None:
    row = connection.execute(sa.select(idempotent_request).where(idempotent_request.c.id == key)).one_or_none()
    return None if row is None else KeptAnswer(row.fingerprint, row.status, row.answer)
