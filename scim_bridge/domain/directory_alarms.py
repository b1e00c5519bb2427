"""What a person should know about a directory: that it has fallen silent, is only refused, or that a token ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from scim_bridge.domain.directory_tokens import days_warned
from scim_bridge.domain.people import DirectoryState

SILENCE = timedelta(hours=1)
"""Shorter gaps between requests belong to one conversation and say nothing of a rhythm."""
RHYTHM = timedelta(days=30)
LEAST_PATIENCE = timedelta(hours=72)
"""Over a long weekend nobody joins, moves or leaves."""
STREAK = 20
EXPIRED_TOLD = timedelta(days=30)
NORMAL_REFUSALS = frozenset({404, 412})
"""Answers that a healthy client gets every day: a look-up of what is not there, a version that has changed."""


@dataclass(frozen=True, slots=True, order=True)
class DirectoryCondition:
    """Something a person should know about a directory: ``kind`` is a CamelCase word, ``about`` the thing concerned."""

    kind: str
    about: str
    message: str


@dataclass(frozen=True, slots=True)
class TokenSeen:
    """A token that nobody has revoked, and when it ends."""

    prefix: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    What is known of a directory at one moment.

    ``silences`` are its gaps of an hour and more within the last month, ``answers`` the newest statuses, latest first.
    ``held`` counts who is in a group of its although its lists leave them out.
    ``lacking`` says how many users have no value for a field that its mapping requires.
    """

    state: DirectoryState
    tokens: Sequence[TokenSeen] = ()
    last_request: datetime | None = None
    silences: Sequence[timedelta] = ()
    answers: Sequence[int] = ()
    lacking: Mapping[str, int] = field(default_factory=dict)
    held: int = 0


def conditions_of(seen: Sighting, at: datetime) -> tuple[DirectoryCondition, ...]:
    """Return what a person should know about a directory now; of a detached one nothing."""
    if seen.state is DirectoryState.DETACHED:
        return ()
    found = [*(_ending(token, at) for token in seen.tokens), _held(seen.held)]
    found += [_lacking(name, count) for name, count in seen.lacking.items()]
    if seen.state is not DirectoryState.PAUSED:
        # A paused one is silent and refused because somebody wanted it.
        found += [_stale(seen, at), _refused(seen.answers)]
    return tuple(sorted(each for each in found if each is not None))


def patience(silences: Sequence[timedelta]) -> timedelta:
    """Return how long a directory may be silent: the 99th percentile of its own silences, at least three days."""
    if not silences:
        return LEAST_PATIENCE
    ordered = sorted(silences)
    return max(LEAST_PATIENCE, ordered[ceil(0.99 * len(ordered)) - 1])


def _stale(seen: Sighting, at: datetime) -> DirectoryCondition | None:
    allowed = patience(seen.silences)
    if seen.last_request is None or at - seen.last_request <= allowed:
        return None
    message = (
        f"No request with a good token since {seen.last_request:%Y-%m-%d %H:%M} UTC; this directory is used to at most "
        f"{allowed.total_seconds() / 3600:.0f} hours: leavers may still have access."
    )
    return DirectoryCondition("Stale", "", message)


def _refused(answers: Sequence[int]) -> DirectoryCondition | None:
    newest = answers[:STREAK]
    if len(newest) < STREAK or any(status < 400 or status in NORMAL_REFUSALS for status in newest):
        return None
    return DirectoryCondition("OnlyRefused", "", f"Its last {STREAK} requests were all refused: see its log.")


def _held(number: int) -> DirectoryCondition | None:
    if not number:
        return None
    message = (
        f"{number} members are in force although its lists left them out: more than an hour may take away. Read "
        "`scim-bridge hold list`, and approve or reject."
    )
    return DirectoryCondition("MembersHeld", "", message)


def _lacking(name: str, count: int) -> DirectoryCondition:
    who = "A person has" if count == 1 else f"{count} people have"
    message = (
        f"{who} no {name}, which the directory's mapping requires: fill it in at the identity provider, or give it a "
        "default. Who had one keeps it."
    )
    return DirectoryCondition("AttributeMissing", name, message)


def _ending(token: TokenSeen, at: datetime) -> DirectoryCondition | None:
    days = days_warned(token.expires_at, at)
    if days is None or token.expires_at is None or token.expires_at < at - EXPIRED_TOLD:
        return None
    if days == 0:
        message = f"The token {token.prefix} ended on {token.expires_at:%Y-%m-%d %H:%M} UTC."
        return DirectoryCondition("TokenExpired", token.prefix, message)
    within = f"{days} days" if days > 1 else "a day"
    message = f"The token {token.prefix} ends within {within}, on {token.expires_at:%Y-%m-%d %H:%M} UTC: rotate it."
    return DirectoryCondition("TokenExpires", token.prefix, message)
