"""What the owner of a domain publishes to prove it, and for how long a proof that is gone still counts."""

from datetime import datetime, timedelta
from enum import StrEnum

FILE_PATH = "/.well-known/scim-bridge-verification.txt"
LOOKED_AT_EVERY = timedelta(days=1)
# Long enough to mend a zone that lost a record; short enough that a sold domain opens nothing for its old owner.
FORGIVEN = timedelta(days=7)


class Found(StrEnum):
    """Where a proof was found."""

    DNS = "dns"
    FILE = "file"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"
    """Nobody answered: that says nothing."""


def dns_name(domain: str) -> str:
    """Return the name whose TXT record proves a domain."""
    return f"_scim-bridge.{domain}"


def proof_value(challenge: str) -> str:
    """Return what has to stand there."""
    return f"scim-bridge-verification={challenge}"


def is_lost(missing_since: datetime | None, at: datetime) -> bool:
    """Say whether a proof has been gone for longer than is forgiven."""
    return missing_since is not None and missing_since + FORGIVEN <= at
