"""Moments as people read them: how long ago, with the exact time beside it."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from scim_bridge.identity.runtime import now

_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (5, "week"))
_SHOWN = Markup('<time datetime="{}" title="{}">{}</time>')
LONG_AGO = timedelta(days=35)


def moment(at: datetime | None, never: str = "never") -> Markup:
    """Return a moment as a part of a page: relative to now, and exact for who points at it."""
    if at is None:
        return Markup('<span class="quiet">{}</span>').format(never)
    return _SHOWN.format(_iso(at), exact(at), relative(at, now()))


def exact(at: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def relative(at: datetime, to: datetime) -> str:
    """Return how far a moment is from another one; a day of the calendar once that says more."""
    distance = abs(to - at)
    if distance > LONG_AGO:
        return f"{at.astimezone(UTC):%Y-%m-%d}"
    if distance < timedelta(seconds=5):
        return "now"
    words = span(distance.total_seconds())
    return f"{words} ago" if at <= to else f"in {words}"


def span(seconds: float) -> str:
    """Return a length of time in one unit, rounded down: ``3 minutes``."""
    count = max(seconds, 0.0)
    for size, unit in _STEPS:
        if count < size:
            return _words(int(count), unit)
        count /= size
    return _words(int(count * _STEPS[-1][0]), "week")


def seconds(count: float | None) -> str:
    """Return a measured time: below a minute with a digit behind the point."""
    if count is None:
        return "–"
    return f"{count:.1f} s" if count < 60 else span(count)


def _words(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
