"""The letters that wait in the outbox: what a person would find in their mail."""

from scim_bridge.store.mails import open_values
from tests.console.world import Console
from tests.identity.provider import rows


def secret_of(console: Console, email: str) -> str:
    """Return the secret of the newest link that was written to an address."""
    sealed = [each["sealed"] for each in rows(console.database, "mail") if each["recipient"] == email]
    return str(open_values(console.runtime.keyring, sealed[-1])["link"]).rpartition("/")[2]
