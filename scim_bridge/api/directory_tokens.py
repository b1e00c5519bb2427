"""Tokens of directories: what identity providers present at the SCIM door."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.directories import MANAGING, READING, TAG, TokenItem, token_item
from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import directory_tokens
from scim_bridge.identity.directory_tokens import ShownToken, TokenWanted
from scim_bridge.web.paging import Page


class NewDirectoryToken(Fields):
    """A token to be made."""

    name: str = Field(default="", max_length=63, description="What you call it.")
    expires: str | None = Field(default=None, max_length=40, description="`90d` or a date; never if left out.")
    ip_ranges: tuple[str, ...] = Field(default=(), max_length=32, description="From where it works.")


class Rotation(Fields):
    """Which token is to be taken over from, and when the new one ends."""

    token: str | None = Field(
        default=None, max_length=63, description="Its prefix, name or id, where several are live."
    )
    expires: str | None = Field(default=None, max_length=40, description="`90d` or a date; never if left out.")


@dataclass(frozen=True, slots=True)
class ShownDirectoryToken:
    """A token the one time that its text is shown; ``replaces`` is the prefix of the one that its first use ends."""

    id: str
    directory: str
    prefix: str
    name: str
    expires_at: datetime | None
    ip_ranges: tuple[str, ...]
    replaces: str | None
    token: str


@operation("GET", "/directories/<directory>/tokens", tag=TAG, permission=READING, query=Paged, answers=Page[TokenItem])
def list_tokens(call: Call, directory: str) -> Page[TokenItem]:
    """List a directory's tokens without their secrets, ended ones too."""
    found = directory_tokens.list_all(call.database, call.organization, directory)
    return call.page(map(token_item, found), lambda each: (each.id,))


@operation(
    "POST",
    "/directories/<directory>/tokens",
    tag=TAG,
    permission=MANAGING,
    body=NewDirectoryToken,
    answers=ShownDirectoryToken,
    status=HTTPStatus.CREATED,
)
def create_token(call: Call, directory: str) -> ShownDirectoryToken:
    """Make another token, whose text is shown this once; the others stay valid."""
    given = call.given(NewDirectoryToken)
    wanted = TokenWanted(given.name, given.expires, given.ip_ranges)
    made = directory_tokens.create(call.database, call.actor, call.organization, directory, wanted, call.request_id)
    return _shown(made, directory)


@operation(
    "POST",
    "/directories/<directory>/tokens/rotate",
    tag=TAG,
    permission=MANAGING,
    body=Rotation,
    answers=ShownDirectoryToken,
    status=HTTPStatus.CREATED,
)
def rotate_token(call: Call, directory: str) -> ShownDirectoryToken:
    """Make the token that takes over: both work until the new one is used, which ends the old one."""
    given = call.given(Rotation)
    made = directory_tokens.rotate(
        call.database, call.actor, call.organization, directory, given.token, given.expires, call.request_id
    )
    return _shown(made, directory)


@operation("DELETE", "/directory-tokens/<token>", tag=TAG, permission=MANAGING, answers=TokenItem)
def revoke_token(call: Call, token: str) -> TokenItem:
    """End a directory's token at once; it is named by its id, prefix or name."""
    return token_item(directory_tokens.revoke(call.database, call.actor, call.organization, token, call.request_id))


def _shown(made: ShownToken, directory: str) -> ShownDirectoryToken:
    return ShownDirectoryToken(
        made.id, directory, made.prefix, made.name, made.expires_at, made.ip_ranges, made.replaces, made.text
    )
