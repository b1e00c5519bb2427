"""Who is calling: the directory that a bearer token speaks for, decided before any other row is read."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.errors import NotAuthenticated, StoreError, Unavailable
from scim_bridge.store import tokens
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

    A request that a person repeats in the directory's name has ``replayed_by`` and no token.
    """

    organization_id: OrganizationId
    directory_id: DirectoryId
    directory_name: str
    kind: DirectoryKind
    token_id: str | None
    use_due: bool
    replayed_by: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Return who the audit names."""
        if self.replayed_by is not None:
            return self.replayed_by
        return Actor(ActorKind.DIRECTORY, self.directory_name, self.directory_id)


def authenticate(connection: Connection, token: str | None) -> Caller:
    """
    Return the directory that a token speaks for.

    Raises NotAuthenticated, in the same words whatever is wrong, and Unavailable while the directory is paused.
    """
    found = _find(connection, token)
    at = now()
    if (
        found is None
        or found.revoked_at is not None
        or (found.expires_at is not None and found.expires_at <= at)
        or found.state is DirectoryState.DETACHED
    ):
        raise NotAuthenticated("The bearer token is missing, unknown, expired or revoked.")
    if found.state is DirectoryState.PAUSED:
        # 503, not 4xx: the identity provider keeps what it could not send and sends it later.
        raise Unavailable(f"The directory {found.directory_name} is paused.", retry_after=PAUSED_RETRY_SECONDS)
    use_due = found.last_used_at is None or found.last_used_at < at - USE_NOTED_EVERY
    return _caller(found, use_due=use_due)


def refused_caller(database: Database, token: str | None) -> Caller | None:
    """Return whose token it is that was refused, for the log alone: ended ones too, None for one that is not ours."""
    with suppress(StoreError, Unavailable), database.read() as connection:
        found = _find(connection, token)
        return None if found is None else _caller(found, use_due=False)
    return None


def note_use(database: Database, caller: Caller, address: str | None, user_agent: str) -> None:
    """Note, at most once a minute, when a token was used and from where; never fails a request."""
    at = now()
    if caller.token_id is None:
        return
    with suppress(StoreError, Unavailable), database.write() as connection:
        tokens.touch(connection, caller.token_id, at, at - USE_NOTED_EVERY, address, user_agent)


def _find(connection: Connection, token: str | None) -> PresentedToken | None:
    return tokens.find(connection, hashlib.sha256(token.encode()).hexdigest()) if token else None


def _caller(found: PresentedToken, *, use_due: bool) -> Caller:
    return Caller(
        found.organization_id, found.directory_id, found.directory_name, found.kind, found.id, use_due=use_due
    )
