"""Use cases of directories: connect an identity provider, give and end its tokens."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.names import checked_name, the_directory, the_organization
from scim_bridge.store import directories as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory as Directory
from scim_bridge.store.directories import DirectoryToken as DirectoryToken

PREFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token the one time that its text is shown."""

    id: str
    prefix: str
    name: str
    expires_at: datetime | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DirectoryConnected:
    """A directory that exists now; ``token`` only when it was created by this call."""

    directory: Directory
    token: ShownToken | None

    @property
    def created(self) -> bool:
        """Tell whether it was not there before."""
        return self.token is not None


@dataclass(frozen=True, slots=True)
class DirectorySummary:
    """A directory, what it has brought and its tokens."""

    directory: Directory
    users: int
    groups: int
    tokens: tuple[DirectoryToken, ...]


def create(
    database: Database, actor: Actor, organization: str, name: str, kind: DirectoryKind, request_id: str | None = None
) -> DirectoryConnected:
    """
    Connect an identity provider and make its first token.

    One of the same name and kind is returned as it is, without a token; another kind is a Conflict.
    """
    checked_name("a directory", name)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = store.find_directory(connection, owner.id, name)
        if found is not None:
            if found.kind is not kind:
                raise Conflict(f"The directory {name} exists already and is of the kind {found.kind.value}.")
            return DirectoryConnected(found, None)
        change = new_change(owner.id, actor, "directory.created", now(), request_id)
        add_change(connection, change, name)
        # Made by hand at the machine itself: nothing to look over before it counts.
        made = store.insert_directory(connection, change, name, kind, DirectoryState.ACTIVE)
        add_audit(connection, change, "directory.created", "directory", made.id, {"name": name, "kind": kind.value})
        return DirectoryConnected(made, issue_token(connection, change, made.id, "first", None))


def list_all(database: Database, organization: str) -> list[Directory]:
    """Return the directories, by name."""
    with database.read() as connection:
        return store.list_directories(connection, the_organization(connection, organization).id)


def show(database: Database, organization: str, name: str) -> DirectorySummary:
    """Return one directory with what it has brought."""
    with database.read() as connection:
        found = the_directory(connection, organization, name)
        users, groups = store.count_brought(connection, found.id)
        return DirectorySummary(found, users, groups, tuple(store.list_tokens(connection, found.id)))


def create_token(
    database: Database,
    actor: Actor,
    organization: str,
    directory: str,
    name: str = "",
    days: int | None = None,
    request_id: str | None = None,
) -> ShownToken:
    """Make another token, so that an identity provider can change over while the old one works."""
    if len(name) > 63 or not name.isprintable():
        raise Invalid("A token's name has at most 63 printable characters.", field="name")
    with database.write() as connection:
        found = the_directory(connection, organization, directory)
        change = new_change(found.organization_id, actor, "directory_token.created", now(), request_id)
        add_change(connection, change, found.name)
        expires_at = None if days is None else change.at + timedelta(days=days)
        return issue_token(connection, change, found.id, name, expires_at)


def revoke_token(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> DirectoryToken:
    """End the token with this id, prefix or name at once; one that has ended already stays as it is."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = store.find_tokens(connection, owner.id, named)
        live = [each for each in found if each.revoked_at is None] or found
        if not live:
            raise NotFound(f"There is no token {named!r} in this organization.")
        if len(live) > 1:
            raise Conflict(f"{named!r} names {len(live)} tokens; name one by its prefix.")
        if live[0].revoked_at is None:
            change = new_change(owner.id, actor, "directory_token.revoked", now(), request_id)
            add_change(connection, change, live[0].prefix)
            store.revoke_token(connection, change, live[0].id)
            detail = {"prefix": live[0].prefix, "directory": live[0].directory_id}
            add_audit(connection, change, "directory_token.revoked", "directory_token", live[0].id, detail)
        return next(each for each in store.list_tokens(connection, live[0].directory_id) if each.id == live[0].id)


def list_tokens(database: Database, organization: str, directory: str) -> list[DirectoryToken]:
    """Return a directory's tokens without their secrets."""
    return list(show(database, organization, directory).tokens)


def issue_token(
    connection: Connection, change: Change, directory_id: DirectoryId, name: str, expires_at: datetime | None
) -> ShownToken:
    """Make a token: ``scimb_``, eight letters to tell it by, and 32 random bytes. Only a digest is kept."""
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    text = f"scimb_{prefix}_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    made = store.insert_token(connection, change, directory_id, (prefix, digest), name, expires_at)
    detail = {"prefix": prefix, "directory": directory_id, "name": name, "expires_at": expires_at}
    add_audit(connection, change, "directory_token.created", "directory_token", made.id, detail)
    return ShownToken(made.id, prefix, name, expires_at, text)
