"""Use cases of a directory's tokens: make, rotate, end and list them."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_tokens import parse_ranges
from scim_bridge.domain.moments import read_deadline
from scim_bridge.domain.people import DirectoryId, DirectoryState
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.names import the_directory, the_organization
from scim_bridge.store import directories as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory, TokenTerms
from scim_bridge.store.directories import DirectoryToken as DirectoryToken

PREFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token the one time that its text is shown; ``replaces`` is the prefix of the one that it will end."""

    id: str
    prefix: str
    name: str
    expires_at: datetime | None
    text: str = field(repr=False)
    ip_ranges: tuple[str, ...] = ()
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """A new token as a person describes it: ``expires`` is ``90d`` or a date, None for never."""

    name: str = ""
    expires: str | None = None
    ip_ranges: tuple[str, ...] = ()


def create(
    database: Database,
    actor: Actor,
    organization: str,
    directory: str,
    wanted: TokenWanted | None = None,
    request_id: str | None = None,
) -> ShownToken:
    """Make another token, beside those there are."""
    asked = wanted or TokenWanted()
    with database.write() as connection:
        found = _open_directory(connection, actor, organization, directory)
        change = new_change(found.organization_id, actor, "directory_token.created", now(), request_id)
        add_change(connection, change, found.name)
        return issue(connection, change, found.id, _terms(asked, change.at))


def rotate(
    database: Database,
    actor: Actor,
    organization: str,
    directory: str,
    named: str | None = None,
    expires: str | None = None,
    request_id: str | None = None,
) -> ShownToken:
    """
    Make the token that takes over from one: both work until the new one is used, which ends the old one.

    ``named`` may be left out while only one is live. The new one has its name and its ranges of addresses. Raises
    Conflict while a rotation of it is under way, so that never more than two are live.
    """
    with database.write() as connection:
        found = _open_directory(connection, actor, organization, directory)
        change = new_change(found.organization_id, actor, "directory_token.created", now(), request_id)
        live = [each for each in store.list_tokens(connection, found.id) if each.is_live(change.at)]
        old = _to_replace(live, found.name, named)
        wanted = TokenWanted(old.name, expires, old.ip_ranges)
        add_change(connection, change, found.name)
        return issue(connection, change, found.id, _terms(wanted, change.at, replaces_id=old.id), old.prefix)


def revoke(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> DirectoryToken:
    """End the token with this id, prefix or name at once; one that has ended already stays as it is."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DIRECTORIES)
        found = store.find_tokens(connection, owner.id, named)
        live = [each for each in found if each.revoked_at is None] or found
        if not live:
            raise NotFound(f"There is no token {named!r} in this organization.")
        if len(live) > 1:
            raise Conflict(f"{named!r} names {len(live)} tokens; name one by its prefix.")
        if live[0].revoked_at is None:
            change = new_change(owner.id, actor, "directory_token.revoked", now(), request_id)
            add_change(connection, change, live[0].prefix)
            end(connection, change, live[0])
        return next(each for each in store.list_tokens(connection, live[0].directory_id) if each.id == live[0].id)


def list_all(database: Database, organization: str, directory: str) -> list[DirectoryToken]:
    """Return a directory's tokens without their secrets, ended ones too."""
    with database.read() as connection:
        return store.list_tokens(connection, the_directory(connection, organization, directory).id)


def issue(
    connection: Connection, change: Change, directory_id: DirectoryId, terms: TokenTerms, replaces: str | None = None
) -> ShownToken:
    """Make a token: ``scimb_``, eight letters to tell it by, and 32 random bytes. Only a digest is kept."""
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    text = f"scimb_{prefix}_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    made = store.insert_token(connection, change, directory_id, (prefix, digest), terms)
    detail: dict[str, object] = {"prefix": prefix, "directory": directory_id, "name": terms.name}
    detail |= {"expires_at": terms.expires_at, "ip_ranges": terms.ip_ranges, "replaces": replaces}
    add_audit(connection, change, "directory_token.created", "directory_token", made.id, detail)
    return ShownToken(made.id, prefix, terms.name, terms.expires_at, text, terms.ip_ranges, replaces)


def end(connection: Connection, change: Change, token: DirectoryToken) -> None:
    """End a token at once."""
    store.revoke_token(connection, change, token.id)
    detail = {"prefix": token.prefix, "directory": token.directory_id}
    add_audit(connection, change, "directory_token.revoked", "directory_token", token.id, detail)


def _open_directory(connection: Connection, actor: Actor, organization: str, directory: str) -> Directory:
    found = the_directory(connection, organization, directory)
    require(connection, actor, found.organization_id, MANAGING_DIRECTORIES)
    if found.state is DirectoryState.DETACHED:
        raise Conflict(f"The directory {found.name} is detached: no token opens it any more.")
    return found


def _terms(wanted: TokenWanted, at: datetime, replaces_id: str | None = None) -> TokenTerms:
    if len(wanted.name) > 63 or not wanted.name.isprintable():
        raise Invalid("A token's name has at most 63 printable characters.", field="name")
    expires_at = None if wanted.expires is None else read_deadline(wanted.expires, at)
    return TokenTerms(wanted.name, expires_at, parse_ranges(wanted.ip_ranges), replaces_id)


def _to_replace(live: Iterable[DirectoryToken], directory: str, named: str | None) -> DirectoryToken:
    """Return the live token that a rotation is about."""
    known = list(live)
    ids = {each.id for each in known}
    newcomers = {each.replaces_id: each for each in known if each.replaces_id in ids}
    # One that waits for its first use beside the old one cannot be meant, unless it is named.
    meant = [each for each in known if each.replaces_id not in ids]
    if named is not None:
        meant = [each for each in known if named in (each.id, each.prefix, each.name)]
    if not meant:
        what = f"no live token {named!r}" if named else "no live token to rotate"
        raise NotFound(f"The directory {directory} has {what}: `scim-bridge directory token create` makes one.")
    if len(meant) > 1:
        prefixes = ", ".join(each.prefix for each in meant)
        raise Conflict(f"{len(meant)} tokens of {directory} could be meant; say which with --token: {prefixes}.")
    waiting = newcomers.get(meant[0].id) or (meant[0] if meant[0].replaces_id in ids else None)
    if waiting is not None:
        raise Conflict(
            f"A rotation is under way: the token {waiting.prefix} waits for its first use. "
            f"To begin again, end it: `scim-bridge directory token revoke {waiting.prefix}`."
        )
    return meant[0]
