"""Sessions of people who signed in, and which of them an organization accepts."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scim_bridge.domain.directory_tokens import is_within, parse_ranges
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId
from scim_bridge.errors import Invalid

# What no organization can lengthen.
LONGEST = timedelta(days=30)
LONGEST_IDLE = timedelta(days=7)
MOST_IDLE_MINUTES = int(LONGEST_IDLE.total_seconds()) // 60
MOST_HOURS = int(LONGEST.total_seconds()) // 3600
MOST_TOKEN_DAYS = 3650


class SignInMethod(StrEnum):
    """How somebody proved who they are."""

    OIDC = "oidc"
    """By an identity provider of one organization."""
    PASSWORD = "password"
    PASSKEY = "passkey"
    """A passkey alone, which verified its owner itself: two factors in one."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How and when a session began and how long it was not used; what an organization's policy judges."""

    method: SignInMethod
    second_factor: bool
    created_at: datetime
    idle: timedelta = timedelta(0)
    address: str | None = None


@dataclass(frozen=True, slots=True)
class TokenUse:
    """A person's own token in use; ``method`` is how whoever made it had signed in, None at the terminal."""

    created_at: datetime
    address: str | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session without its secret; ``organization_id`` None: it opens whichever organization accepts how it began."""

    id: str
    account_id: AccountId
    organization_id: OrganizationId | None
    method: SignInMethod
    second_factor: bool
    identity_provider_id: str | None
    address: str | None
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    longest_idle_seconds: int = 0
    ended_at: datetime | None = None
    ended_because: str | None = None

    def sign_in(self, at: datetime, address: str | None) -> SignIn:
        """Return what a policy judges when the session is used at a moment from an address."""
        idle = max(timedelta(seconds=self.longest_idle_seconds), at - self.last_seen_at)
        return SignIn(self.method, self.second_factor, self.created_at, idle, address)

    def fault(self, at: datetime) -> str | None:
        """Return why it is over wherever it is used; None while it is not."""
        if self.ended_at is not None:
            return "The session has ended."
        if self.created_at + LONGEST <= at or self.last_seen_at + LONGEST_IDLE <= at:
            return "The session is too old."
        return None


@dataclass(frozen=True, slots=True)
class AuthenticationPolicy:
    """
    What an organization accepts.

    ``sso_enforced``: its identity providers alone, whatever ``methods`` says; it fails closed, so a provider that
    does not answer opens no other door. Only break-glass accounts stand outside it, and they need a second factor.
    ``token_days`` None: tokens may live for ever; ``ip_ranges`` empty: from anywhere.
    """

    methods: tuple[str, ...] = tuple(SignInMethod)
    two_factor_required: bool = False
    sso_enforced: bool = False
    ip_ranges: tuple[str, ...] = ()
    idle_minutes: int = 60
    session_hours: int = 12
    personal_tokens: bool = True
    token_days: int | None = None

    def objection(self, sign_in: SignIn, at: datetime, *, break_glass: bool = False) -> str | None:
        """Return why a session opens nothing here, as a sentence for whoever has it; None if it does."""
        if sign_in.created_at + timedelta(hours=self.session_hours) <= at:
            return "Your session is older than this organization allows; sign in again."
        if sign_in.idle >= timedelta(minutes=self.idle_minutes):
            return "Your session was idle for longer than this organization allows; sign in again."
        if break_glass:
            return None if sign_in.second_factor else "A break-glass account needs its second factor."
        if self.ip_ranges and not is_within(sign_in.address, self.ip_ranges):
            return "This organization does not let you in from your address."
        if self.sso_enforced and sign_in.method is not SignInMethod.OIDC:
            return "This organization lets people in by its identity provider only."
        if sign_in.method not in self.methods:
            return f"This organization does not accept a sign-in by {sign_in.method.value}."
        # What the identity provider asks for is its own business, and it does not always say.
        if self.two_factor_required and not sign_in.second_factor and sign_in.method is SignInMethod.PASSWORD:
            return "This organization asks for a second factor."
        return None

    def token_objection(self, use: TokenUse, at: datetime) -> str | None:
        """Return why a person's own token opens nothing here; None if it does."""
        if not self.personal_tokens:
            return "This organization accepts no personal tokens."
        if self.token_days is not None and use.created_at + timedelta(days=self.token_days) <= at:
            return f"This organization accepts no token that is older than {self.token_days} days."
        if self.ip_ranges and not is_within(use.address, self.ip_ranges):
            return "This organization does not let you in from your address."
        accepted = (SignInMethod.OIDC.value,) if self.sso_enforced else self.methods
        if use.method is not None and use.method not in accepted:
            return f"This token was made after a sign-in by {use.method}, which this organization does not accept."
        return None


DEFAULT_POLICY = AuthenticationPolicy()


@dataclass(frozen=True, slots=True)
class PolicyWanted:
    """What somebody wants to change of a policy; None leaves it, ``token_days`` 0 means no limit."""

    methods: tuple[str, ...] | None = None
    two_factor_required: bool | None = None
    ip_ranges: tuple[str, ...] | None = None
    idle_minutes: int | None = None
    session_hours: int | None = None
    personal_tokens: bool | None = None
    token_days: int | None = None


def changed(policy: AuthenticationPolicy, wanted: PolicyWanted) -> AuthenticationPolicy:
    """Return the policy as it is wanted; raises Invalid for what makes no sense or would let nobody in."""
    values: dict[str, Any] = {each.name: getattr(policy, each.name) for each in fields(policy)}
    values |= {each.name: found for each in fields(wanted) if (found := getattr(wanted, each.name)) is not None}
    values["methods"] = _methods(values["methods"])
    values["ip_ranges"] = parse_ranges(values["ip_ranges"])
    values["token_days"] = values["token_days"] or None
    _within("idle_minutes", values["idle_minutes"], MOST_IDLE_MINUTES)
    _within("session_hours", values["session_hours"], MOST_HOURS)
    _within("token_days", values["token_days"] or 1, MOST_TOKEN_DAYS)
    return AuthenticationPolicy(**values)


def _methods(named: Iterable[str]) -> tuple[str, ...]:
    wanted = set(named)
    if not wanted or wanted - set(SignInMethod):
        raise Invalid(f"Methods are some of {', '.join(SignInMethod)}, at least one.", field="methods")
    return tuple(each for each in SignInMethod if each in wanted)


def _within(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise Invalid(f"{name} must be between 1 and {most}.", field=name)
