"""What an organization accepts of those who sign in, and the accounts that stand outside it."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.sessions import AuthenticationPolicy, PolicyWanted, SignInMethod
from scim_bridge.identity import break_glass, policies
from scim_bridge.identity.break_glass import BreakGlassView
from scim_bridge.web.paging import Page

TAG = "authentication-policy"
PATH = "/authentication-policy"
BREAK_GLASS = "/break-glass"


class PolicyChange(Fields):
    """What to change; what is left out stays."""

    methods: tuple[SignInMethod, ...] | None = Field(default=None, max_length=8)
    two_factor_required: bool | None = None
    ip_ranges: tuple[str, ...] | None = Field(default=None, max_length=32)
    idle_minutes: int | None = Field(default=None, description="After which a session has to begin anew.")
    session_hours: int | None = Field(default=None, description="The longest that a session lives.")
    personal_tokens: bool | None = Field(default=None, description="Whether people's own tokens open it.")
    token_days: int | None = Field(default=None, ge=0, description="The longest that one opens it; 0: for ever.")


class NewBreakGlass(Fields):
    """An owner who is to get in when nobody else does."""

    member: str = Field(max_length=1024, description="An owner whom no directory keeps: id, userName or address.")


@operation("GET", PATH, tag=TAG, permission="org:read", answers=AuthenticationPolicy)
def show(call: Call) -> AuthenticationPolicy:
    """Show what the organization accepts."""
    return policies.show(call.database, call.organization)


@operation(
    "PATCH",
    PATH,
    tag=TAG,
    permission="organization:authentication_policy:write",
    body=PolicyChange,
    answers=AuthenticationPolicy,
)
def change(call: Call) -> AuthenticationPolicy:
    """Change what the organization accepts; sessions and tokens are judged by it from the next request on."""
    values = call.given(PolicyChange).model_dump()
    wanted = PolicyWanted(**values)
    return policies.change(call.database, call.actor, call.organization, wanted, call.request_id)


@operation("GET", BREAK_GLASS, tag=TAG, permission="break_glass:use", query=Paged, answers=Page[BreakGlassView])
def list_break_glass(call: Call) -> Page[BreakGlassView]:
    """List the break-glass accounts, and whether each would get in today."""
    found = break_glass.list_all(call.database, call.organization)
    return call.page(found, lambda each: (each.member_id,))


@operation(
    "POST",
    BREAK_GLASS,
    tag=TAG,
    permission="break_glass:use",
    body=NewBreakGlass,
    answers=BreakGlassView,
    status=HTTPStatus.CREATED,
)
def add_break_glass(call: Call) -> BreakGlassView:
    """Make an owner's account a break-glass account."""
    named = call.given(NewBreakGlass).member
    return break_glass.add(call.database, call.actor, call.organization, named, call.request_id)


@operation("DELETE", f"{BREAK_GLASS}/<member>", tag=TAG, permission="break_glass:use", answers=BreakGlassView)
def remove_break_glass(call: Call, member: str) -> BreakGlassView:
    """Let an account be like all others."""
    return break_glass.remove(call.database, call.actor, call.organization, member, call.request_id)
