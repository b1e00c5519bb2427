"""Use cases of directories: connect an identity provider, and see what it has brought."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_alarms import DirectoryCondition
from scim_bridge.domain.people import DirectoryKind, DirectoryState
from scim_bridge.errors import Conflict
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.directory_alarms import look_at
from scim_bridge.identity.directory_tokens import DirectoryToken, ShownToken, issue
from scim_bridge.identity.names import checked_name, the_directory, the_organization
from scim_bridge.store import directories as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.directories import Directory as Directory
from scim_bridge.store.directories import TokenTerms


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
    conditions: tuple[DirectoryCondition, ...] = ()


def create(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    kind: DirectoryKind,
    request_id: str | None = None,
    *,
    pending: bool = False,
) -> DirectoryConnected:
    """
    Connect an identity provider and make its first token; ``pending``: what it brings counts once it is activated.

    One of the same name and kind is returned as it is, without a token; another kind, or one that is detached, is a
    Conflict.
    """
    checked_name("a directory", name)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, MANAGING_DIRECTORIES)
        found = store.find_directory(connection, owner.id, name)
        if found is not None:
            if found.kind is not kind:
                raise Conflict(f"The directory {name} exists already and is of the kind {found.kind.value}.")
            if found.state is DirectoryState.DETACHED:
                raise Conflict(f"The directory {name} was detached and stays for its history; choose another name.")
            return DirectoryConnected(found, None)
        change = new_change(owner.id, actor, "directory.created", now(), request_id)
        add_change(connection, change, name)
        state = DirectoryState.PENDING if pending else DirectoryState.ACTIVE
        made = store.insert_directory(connection, change, name, kind, state)
        add_audit(connection, change, "directory.created", "directory", made.id, {"name": name, "kind": kind.value})
        return DirectoryConnected(made, issue(connection, change, made.id, TokenTerms("first")))


def list_all(database: Database, organization: str) -> list[Directory]:
    """Return the directories, by name."""
    with database.read() as connection:
        return store.list_directories(connection, the_organization(connection, organization).id)


def show(database: Database, organization: str, name: str) -> DirectorySummary:
    """Return one directory with what it has brought."""
    with database.read() as connection:
        found = the_directory(connection, organization, name)
        users, groups = store.count_brought(connection, found.id)
        tokens = tuple(store.list_tokens(connection, found.id))
        return DirectorySummary(found, users, groups, tokens, look_at(connection, found, now()))


def list_conditions(database: Database, organization: str) -> dict[str, tuple[DirectoryCondition, ...]]:
    """Return what a person should know about each directory, by its name."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return {each.name: look_at(connection, each, now()) for each in store.list_directories(connection, owner.id)}
