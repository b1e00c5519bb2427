"""Identity providers: how an organization's people sign in."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.identity_providers import GroupSync, IdentityProviderWanted, JoinAtLogin
from scim_bridge.identity import identity_providers
from scim_bridge.identity.identity_providers import IdentityProviderView, TestBegun
from scim_bridge.web.paging import Page

TAG = "identity-providers"
PATH = "/identity-providers"
WRITE = "organization:authentication_policy:write"


class NewIdentityProvider(Fields):
    """An identity provider to be added; what is left out is what suits the directory's kind."""

    name: str = Field(max_length=63, description="What you call it; people read it on the sign-in page.")
    directory: str = Field(max_length=63, description="The directory whose people it signs in.")
    issuer: str = Field(max_length=1024, description="Its issuer, exactly as in its discovery document.")
    client_id: str = Field(max_length=255, description="What it calls the bridge.")
    client_secret: str | None = Field(default=None, max_length=1024, description="None for a public client.")
    scopes: tuple[str, ...] = Field(default=("openid", "profile", "email"), max_length=32)
    domains: tuple[str, ...] = Field(default=(), max_length=32, description="Whose addresses; all verified if empty.")
    subject_claim: str | None = Field(default=None, max_length=63)
    subject_attribute: str | None = Field(default=None, max_length=63)
    groups_claim: str | None = Field(default=None, max_length=63)
    groups_attribute: str | None = Field(default=None, max_length=63)
    group_sync: GroupSync = GroupSync.OFF
    join_at_login: JoinAtLogin = JoinAtLogin.OFF


class NewSecret(Fields):
    """Another client secret."""

    client_secret: str = Field(min_length=1, max_length=1024)


@operation(
    "POST",
    PATH,
    tag=TAG,
    permission=WRITE,
    body=NewIdentityProvider,
    answers=IdentityProviderView,
    status=HTTPStatus.CREATED,
)
def add(call: Call) -> IdentityProviderView:
    """Add an identity provider; its secret is kept encrypted and never shown."""
    given = call.given(NewIdentityProvider)
    values = given.model_dump(exclude={"client_secret"})
    values |= {"group_sync": given.group_sync.value, "join_at_login": given.join_at_login.value}
    wanted, runtime = IdentityProviderWanted(**values), call.runtime
    return identity_providers.add(
        runtime.database, runtime.keyring, call.actor, call.organization, wanted, given.client_secret, call.request_id
    )


@operation("GET", PATH, tag=TAG, permission="org:read", query=Paged, answers=Page[IdentityProviderView])
def list_(call: Call) -> Page[IdentityProviderView]:
    """List the identity providers, without their secrets."""
    return call.page(identity_providers.list_all(call.database, call.organization), lambda each: (each.name,))


@operation("POST", f"{PATH}/<provider>/test", tag=TAG, permission=WRITE, answers=TestBegun)
def test(call: Call, provider: str) -> TestBegun:
    """Make the path of a test sign-in: whoever opens it signs in once, and nobody is signed in by it."""
    return identity_providers.begin_test(call.database, call.actor, call.organization, provider, call.request_id)


@operation("POST", f"{PATH}/<provider>/enforce", tag=TAG, permission=WRITE, answers=IdentityProviderView)
def enforce(call: Call, provider: str) -> IdentityProviderView:
    """Let people in by identity providers only; needs a test that succeeded and a break-glass account that works."""
    return identity_providers.enforce(call.database, call.actor, call.organization, provider, call.request_id)


@operation("POST", f"{PATH}/relax", tag=TAG, permission=WRITE)
def relax(call: Call) -> None:
    """Let people in by the policy's other methods again."""
    identity_providers.relax(call.database, call.actor, call.organization, call.request_id)


@operation("PUT", f"{PATH}/<provider>/secret", tag=TAG, permission=WRITE, body=NewSecret, answers=IdentityProviderView)
def change_secret(call: Call, provider: str) -> IdentityProviderView:
    """Replace the client secret; a test of before says nothing any more."""
    secret, runtime = call.given(NewSecret).client_secret, call.runtime
    return identity_providers.change_secret(
        runtime.database, runtime.keyring, call.actor, call.organization, provider, secret, call.request_id
    )


@operation("DELETE", f"{PATH}/<provider>", tag=TAG, permission=WRITE, answers=IdentityProviderView)
def remove(call: Call, provider: str) -> IdentityProviderView:
    """Take an identity provider away; sessions that began with it end."""
    return identity_providers.remove(call.database, call.actor, call.organization, provider, call.request_id)
