"""Tokens that open the REST API: what one is, and whether it is still good."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.directory_tokens import is_within
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId


@dataclass(frozen=True, slots=True)
class ApiToken:
    """
    A token without its secret.

    ``organization_id`` None: it opens every organization of its account. ``permissions`` None: all that its account
    may do there, else at most these.
    """

    id: str
    account_id: AccountId
    organization_id: OrganizationId | None
    name: str
    prefix: str
    permissions: tuple[str, ...] | None
    ip_ranges: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    last_address: str | None = None
    last_user_agent: str | None = None
    made_by_method: str | None = None

    def fault(self, at: datetime, address: str | None) -> str | None:
        """Return why it opens nothing at a moment, for whoever asks from an address; None if it does."""
        if self.revoked_at is not None:
            return "The token was revoked."
        if self.expires_at is not None and self.expires_at <= at:
            return "The token has expired."
        if self.ip_ranges and not is_within(address, self.ip_ranges):
            return f"The token does not work from {address or 'an unknown address'}."
        return None
