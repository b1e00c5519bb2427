"""Who is calling: the directory that a bearer token speaks for, decided before any other row is read."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.directory_alarms import SILENCE
from scim_bridge.domain.directory_tokens import is_within
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.errors import NotAuthenticated, StoreError, Unavailable
from scim_bridge.log import bind_actor
from scim_bridge.store import directory_signs as signs
from scim_bridge.store import tokens
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.tokens import PresentedToken

# A write for every request would cost more than the request; a minute is near enough for "is it still in use?".
USE_NOTED_EVERY = timedelta(minutes=1)
PAUSED_RETRY_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """
    A directory whose token was good at the moment of asking; ``use_due`` says that its use should be noted.

    ``replaces_token`` is the token that ends when this use is noted.

    A request that a person repeats in the directory's name has ``replayed_by`` and no token.
    """

    organization_id: OrganizationId
    directory_id: DirectoryId
    directory_name: str
    kind: DirectoryKind
    token_id: str | None
    use_due: bool
    replaces_token: str | None = None
    replayed_by: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Return who the audit names."""
        if self.replayed_by is not None:
            return self.replayed_by
        return Actor(ActorKind.DIRECTORY, self.directory_name, self.directory_id)


def authenticate(connection: Connection, token: str | None, address: str | None = None) -> Caller:
    """
    Return the directory that a token speaks for, to whoever asks from an address.

    Raises NotAuthenticated, in the same words whatever is wrong, and Unavailable while the directory is paused.
    """
    return accept(_find(connection, token), address)


def digest_of(token: str) -> str:
    """Return what a token is stored as."""
    return hashlib.sha256(token.encode()).hexdigest()


def accept(found: PresentedToken | None, address: str | None) -> Caller:
    """Return the directory that a token, as it was found, speaks for; raises as `authenticate` does."""
    at = now()
    reason = _fault(found, at, address)
    if found is None or reason is not None:
        raise NotAuthenticated("The bearer token is missing, unknown, expired or revoked.", reason)
    if found.state is DirectoryState.PAUSED:
        # 503, not 4xx: the identity provider keeps what it could not send and sends it later.
        raise Unavailable(f"The directory {found.directory_name} is paused.", retry_after=PAUSED_RETRY_SECONDS)
    bind_actor(ActorKind.DIRECTORY.value, found.directory_id)
    use_due = found.last_used_at is None or found.last_used_at < at - USE_NOTED_EVERY
    return _caller(found, use_due=use_due)


def _fault(found: PresentedToken | None, at: datetime, address: str | None) -> str | None:
    """Return what is wrong with a token, as only its organization may know it."""
    if found is None:
        return "No such token."
    if found.revoked_at is not None:
        return "The token was revoked."
    if found.expires_at is not None and found.expires_at <= at:
        return "The token has expired."
    if found.state is DirectoryState.DETACHED:
        return "The directory is detached."
    if found.ip_ranges and not is_within(address, found.ip_ranges):
        return f"The token does not work from {address or 'an unknown address'}."
    return None


def refused_caller(database: Database, token: str | None) -> Caller | None:
    """Return whose token it is that was refused, for the log alone: ended ones too, None for one that is not ours."""
    with suppress(StoreError, Unavailable), database.read() as connection:
        found = _find(connection, token)
        return None if found is None else _caller(found, use_due=False)
    return None


def note_use(database: Database, caller: Caller, address: str | None, user_agent: str) -> None:
    """
    Note, at most once a minute, when a token was used and from where; never fails a request.

    The first use of a new token ends the one that it replaces, in the same transaction: the identity provider has it.
    """
    at = now()
    if caller.token_id is None:
        return
    with suppress(StoreError, Unavailable), database.write() as connection:
        _note_silence(connection, caller, at)
        tokens.touch(connection, caller.token_id, at, at - USE_NOTED_EVERY, address, user_agent)
        if caller.replaces_token is not None:
            _end_replaced(connection, caller, caller.token_id, caller.replaces_token)


def _note_silence(connection: Connection, caller: Caller, at: datetime) -> None:
    last = signs.last_use(connection, caller.directory_id)
    if last is not None and at - last >= SILENCE:
        signs.add_silence(connection, caller.organization_id, caller.directory_id, at, at - last)


def _end_replaced(connection: Connection, caller: Caller, token_id: str, replaced_id: str) -> None:
    change = new_change(caller.organization_id, caller.actor, "directory_token.rotated", now())
    ended = tokens.end_replaced(connection, token_id, replaced_id, change.at)
    if ended is not None:
        add_change(connection, change, ended)
        detail = {"prefix": ended, "directory": caller.directory_id, "replaced_by": token_id}
        add_audit(connection, change, "directory_token.rotated", "directory_token", replaced_id, detail)


def _find(connection: Connection, token: str | None) -> PresentedToken | None:
    return tokens.find(connection, digest_of(token)) if token else None


def _caller(found: PresentedToken, *, use_due: bool) -> Caller:
    return Caller(
        found.organization_id,
        found.directory_id,
        found.directory_name,
        found.kind,
        found.id,
        use_due=use_due,
        replaces_token=found.replaces_id,
    )
