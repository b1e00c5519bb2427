"""Moments as people name them: so long ago, so long ahead, or a date."""

import re
from datetime import UTC, datetime, timedelta

from scim_bridge.errors import Invalid

AGO = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_deadline(text: str, at: datetime) -> datetime:
    """Return the moment that ``90d`` (after ``at``) or an ISO 8601 date or time names; it must lie ahead."""
    ahead = AGO.fullmatch(text.strip())
    try:
        if ahead is not None:
            read = at + timedelta(**{UNITS[ahead["unit"]]: int(ahead["number"])})
        else:
            read = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        sentence = f"{text!r} is no time to end at: write 90d, or a date such as 2027-01-31."
        raise Invalid(sentence, field="expires") from None
    read = read.replace(tzinfo=UTC) if read.tzinfo is None else read
    if read <= at:
        raise Invalid(f"{text!r} does not lie ahead.", field="expires")
    return read


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
