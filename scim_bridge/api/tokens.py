"""Tokens of the REST API: one's own, and those of application users."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import api_tokens
from scim_bridge.identity.api_tokens import ApiToken, ApiTokenWanted
from scim_bridge.web.paging import Page

TAG = "tokens"


class NewToken(Fields):
    """A token to be made."""

    name: str = Field(default="", max_length=63, description="What you call it.")
    expires: str | None = Field(default=None, max_length=40, description="`90d` or a date; never if left out.")
    permissions: tuple[str, ...] | None = Field(default=None, max_length=200, description="At most these permissions.")
    ip_ranges: tuple[str, ...] = Field(default=(), max_length=32, description="From where it works.")


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token the one time that its text is shown."""

    id: str
    prefix: str
    name: str
    token: str
    expires_at: datetime | None


@operation(
    "POST",
    "/members/<member>/tokens",
    tag=TAG,
    body=NewToken,
    answers=ShownToken,
    status=HTTPStatus.CREATED,
)
def create(call: Call, member: str) -> ShownToken:
    """Make a token for oneself (`me`) or an application user; its text is shown this once."""
    given = call.given(NewToken)
    wanted = ApiTokenWanted(given.name, given.expires, given.permissions, given.ip_ranges)
    made = api_tokens.create(call.database, call.actor, call.organization, member, wanted, call.request_id)
    return ShownToken(made.token.id, made.token.prefix, made.token.name, made.text, made.token.expires_at)


@operation("GET", "/members/<member>/tokens", tag=TAG, query=Paged, answers=Page[ApiToken])
def list_(call: Call, member: str) -> Page[ApiToken]:
    """List a member's tokens without their secrets, ended ones too."""
    found = api_tokens.list_all(call.database, call.actor, call.organization, member)
    return call.page(found, lambda each: (each.id,))


@operation("DELETE", "/tokens/<token>", tag=TAG, answers=ApiToken)
def revoke(call: Call, token: str) -> ApiToken:
    """End a token at once; it is named by its id or prefix."""
    return api_tokens.revoke(call.database, call.actor, call.organization, token, call.request_id)
