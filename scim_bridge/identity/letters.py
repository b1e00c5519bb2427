"""Links that open something, and the mails that carry them."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.identity.runtime import Keyring, Runtime
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.mails import queue_mail, seal_values


@dataclass(frozen=True, slots=True)
class Letters:
    """What invitations are written with: our public address, for how many days they count, and the keys."""

    keyring: Keyring
    base_url: str
    days: int

    @classmethod
    def of(cls, runtime: Runtime) -> "Letters":
        """Return what the settings of a process say."""
        return cls(runtime.keyring, runtime.settings.base_url, runtime.settings.invitation_days)

    def link(self, secret: str) -> str:
        """Return the address at which an invitation is answered."""
        return f"{self.base_url}/invitations/{secret}"

    def write(
        self,
        connection: Connection,
        change: Change,
        about_id: str,
        kind: str,
        recipient: str,
        values: Mapping[str, str | None],
    ) -> None:
        """Put a mail into the outbox, within the change that it tells of; its values are encrypted at rest."""
        queue_mail(connection, change, about_id, kind, recipient, seal_values(self.keyring, values))


def new_secret() -> tuple[str, str]:
    """Return 32 random bytes as a text for a link, and the digest that is kept of it."""
    text = secrets.token_urlsafe(32)
    return text, digest_of(text)


def digest_of(secret: str) -> str:
    """Return the hex SHA-256 of a link's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
