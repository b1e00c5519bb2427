"""When what is done once a night is done."""

from datetime import datetime, timedelta

FROM_HOUR = 1
HOURS = 3
"""Between one and four o'clock UTC, spread so that a thousand clusters are not looked at in one minute."""


def next_night(at: datetime, fraction: float) -> datetime:
    """Return a moment of the coming night; ``fraction``, from 0 to below 1, says which."""
    begin = at.replace(hour=FROM_HOUR, minute=0, second=0, microsecond=0)
    if begin <= at:
        begin += timedelta(days=1)
    return begin + timedelta(hours=HOURS) * fraction
