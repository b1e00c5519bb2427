"""Directories: the connections of identity providers, and their names."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.directory_alarms import DirectoryCondition
from scim_bridge.domain.people import DirectoryKind, DirectoryState
from scim_bridge.identity import directories, directory_renaming
from scim_bridge.identity.directories import Directory
from scim_bridge.identity.directory_tokens import DirectoryToken
from scim_bridge.web.paging import Page

TAG = "directories"
READING = "organization:directories:read"
MANAGING = "organization:directories:write"


class NewDirectory(Fields):
    """An identity provider to be connected."""

    name: str = Field(min_length=1, max_length=63, description="What you call it; rules name it so.")
    kind: DirectoryKind
    pending: bool = Field(default=False, description="What it brings counts only once it is activated.")


class DirectoryName(Fields):
    """Another name of a directory."""

    name: str = Field(min_length=1, max_length=63)


@dataclass(frozen=True, slots=True)
class DirectoryItem:
    """One directory in a list, with what a person should know about it."""

    id: str
    name: str
    kind: DirectoryKind
    state: DirectoryState
    created_at: datetime
    conditions: tuple[DirectoryCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryConnected:
    """A directory that exists now; ``token`` only when this request made it, and this once."""

    id: str
    name: str
    kind: DirectoryKind
    state: DirectoryState
    created_at: datetime
    scim_base_url: str
    token: str | None
    created: bool


@dataclass(frozen=True, slots=True)
class TokenItem:
    """A directory's token without its secret; ``replaces`` is the id of the one that its first use ends."""

    id: str
    prefix: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_address: str | None
    last_user_agent: str | None
    ip_ranges: tuple[str, ...]
    replaces: str | None


@dataclass(frozen=True, slots=True)
class DirectoryShown:
    """A directory, what it has brought and its tokens."""

    id: str
    name: str
    kind: DirectoryKind
    state: DirectoryState
    created_at: datetime
    scim_base_url: str
    users: int
    groups: int
    tokens: tuple[TokenItem, ...]
    conditions: tuple[DirectoryCondition, ...]


@operation("GET", "/directories", tag=TAG, permission=READING, query=Paged, answers=Page[DirectoryItem])
def list_(call: Call) -> Page[DirectoryItem]:
    """List the directories with their state and conditions."""
    known = directories.list_conditions(call.database, call.organization)
    found = directories.list_all(call.database, call.organization)
    return call.page((_item(each, known.get(each.name, ())) for each in found), lambda each: (each.name,))


@operation(
    "POST",
    "/directories",
    tag=TAG,
    permission=MANAGING,
    body=NewDirectory,
    answers=DirectoryConnected,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> DirectoryConnected:
    """Connect an identity provider; its first token is shown this once. The same again makes no other token."""
    wanted = call.given(NewDirectory)
    made = directories.create(
        call.database,
        call.actor,
        call.organization,
        wanted.name,
        wanted.kind,
        call.request_id,
        pending=wanted.pending,
    )
    found, token = made.directory, None if made.token is None else made.token.text
    url = call.runtime.settings.scim_base_url
    return DirectoryConnected(
        found.id, found.name, found.kind, found.state, found.created_at, url, token, created=made.created
    )


@operation("GET", "/directories/<directory>", tag=TAG, permission=READING, answers=DirectoryShown)
def show(call: Call, directory: str) -> DirectoryShown:
    """Show a directory, what it has brought, its tokens without their secrets, and its conditions."""
    found = directories.show(call.database, call.organization, directory)
    own = found.directory
    return DirectoryShown(
        own.id,
        own.name,
        own.kind,
        own.state,
        own.created_at,
        call.runtime.settings.scim_base_url,
        found.users,
        found.groups,
        tuple(map(token_item, found.tokens)),
        found.conditions,
    )


@operation("PATCH", "/directories/<directory>", tag=TAG, permission=MANAGING, body=DirectoryName, answers=DirectoryItem)
def rename(call: Call, directory: str) -> DirectoryItem:
    """Call a directory otherwise; rules that name it follow, and nobody's access changes."""
    name = call.given(DirectoryName).name
    done = directory_renaming.rename(call.database, call.actor, call.organization, directory, name, call.request_id)
    return _item(done, ())


def token_item(found: DirectoryToken) -> TokenItem:
    """Return a token as it is answered."""
    return TokenItem(
        found.id,
        found.prefix,
        found.name,
        found.created_at,
        found.expires_at,
        found.revoked_at,
        found.last_used_at,
        found.last_address,
        found.last_user_agent,
        found.ip_ranges,
        found.replaces_id,
    )


def _item(found: Directory, conditions: tuple[DirectoryCondition, ...]) -> DirectoryItem:
    return DirectoryItem(found.id, found.name, found.kind, found.state, found.created_at, conditions)
