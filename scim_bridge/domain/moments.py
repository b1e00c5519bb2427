"""Moments as people name them: so long ago, or a date."""

import re
from datetime import UTC, datetime, timedelta

from scim_bridge.errors import Invalid

AGO = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_moment(text: str, at: datetime) -> datetime:
    """Return the moment that ``2h`` (before ``at``) or an ISO 8601 time names; without a zone it is UTC."""
    ago = AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return at - timedelta(**{UNITS[ago["unit"]]: int(ago["number"])})
        read = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        sentence = f"{text!r} is no time: write 30m, 2h or 7d for so long ago, or 2026-11-25T14:00."
        raise Invalid(sentence, field="since") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read
