"""Requests that may be sent again: the client that never saw its answer gets that one, and nothing is done twice."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from scim_bridge.errors import Conflict, Invalid, StoreError
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store import idempotency as store
from scim_bridge.store.clock import now

LONGEST_KEY = 255
KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request under a key of its client's; ``known`` is the answer that it got before: status and text."""

    key: str
    known: tuple[int, str] | None


def begin(opened: Runtime, who: str, key: str, request: bytes) -> Repeatable:
    """
    Take a key for a request, or find what was answered to it before.

    Raises Conflict where the key was used for something else, or while nobody knows how the first request ended.
    """
    if not key.isprintable() or not 1 <= len(key) <= LONGEST_KEY:
        raise Invalid(f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters.", field="Idempotency-Key")
    name = hashlib.sha256(f"{who}\n{key}".encode()).hexdigest()
    fingerprint = hashlib.sha256(request).hexdigest()
    with opened.database.write() as connection:
        found = store.reserve(connection, name, fingerprint, now())
    if found is None:
        return Repeatable(name, None)
    if found.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for another request.")
    if found.status is None or found.answer is None:
        raise Conflict("A request with this Idempotency-Key is under way, or was cut off; look whether it is done.")
    return Repeatable(name, (found.status, opened.keyring.open(found.answer.decode())))


def keep(opened: Runtime, request: Repeatable, status: int, answer: str) -> None:
    """Keep what a request was answered; sealed, since an answer may show a secret."""
    with opened.database.write() as connection:
        store.keep_answer(connection, request.key, status, opened.keyring.seal(answer).encode())


def forget(opened: Runtime, request: Repeatable, error: Exception) -> None:
    """Let a key be free again after a request that changed nothing; where that is unclear it stays taken."""
    if not isinstance(error, StoreError):
        with opened.database.write() as connection:
            store.give_back(connection, request.key)


def purge(opened: Runtime) -> int:
    """Forget requests of yesterday and before; return how many."""
    with opened.database.write() as connection:
        return store.purge(connection, now() - KEPT)
