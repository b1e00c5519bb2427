"""
What people are alerted about, and when each thing is told: once when it begins, once when it ends.

An alert follows a level that is derived from what the bridge knows anyhow: nothing has to be reported, so nothing can
be missed, and a process that was away finds out on its return.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scim_bridge.domain.organizations import OrganizationId


class AlertKind(StrEnum):
    """What an alert is about; who hears of it is said for each."""

    STALE_DIRECTORY = "stale_directory"
    EXPIRING_TOKEN = "expiring_token"
    HOLD = "hold"
    FAILING_CLUSTER = "failing_cluster"
    DRIFT = "drift"
    LATE_REVOCATION = "late_revocation"
    BREAK_GLASS = "break_glass"
    DISABLED_WEBHOOK = "disabled_webhook"


MEANING: Mapping[AlertKind, str] = {
    AlertKind.STALE_DIRECTORY: "an identity provider has fallen silent, or is only refused",
    AlertKind.EXPIRING_TOKEN: "a directory's token, or a cluster's credential, ends soon or has ended",
    AlertKind.HOLD: "removals wait for an approval",
    AlertKind.FAILING_CLUSTER: "a cluster does not work",
    AlertKind.DRIFT: "somebody else changed bindings of the bridge on a cluster",
    AlertKind.LATE_REVOCATION: "somebody who left is still in, or was for longer than the objective allows",
    AlertKind.BREAK_GLASS: "somebody signed in with a break-glass account",
    AlertKind.DISABLED_WEBHOOK: "the bridge gave up on a webhook",
}
OF_DIRECTORIES: Mapping[str, AlertKind] = {
    "Stale": AlertKind.STALE_DIRECTORY,
    "OnlyRefused": AlertKind.STALE_DIRECTORY,
    "TokenExpires": AlertKind.EXPIRING_TOKEN,
    "TokenExpired": AlertKind.EXPIRING_TOKEN,
    "MembersHeld": AlertKind.HOLD,
}
"""Which conditions of directories alert."""
OF_CLUSTERS: Mapping[str, AlertKind] = {
    "RemovalsHeld": AlertKind.HOLD,
    "Drift": AlertKind.DRIFT,
    "RevocationsLate": AlertKind.LATE_REVOCATION,
    "ObjectiveMissed": AlertKind.LATE_REVOCATION,
    "AccessRemains": AlertKind.LATE_REVOCATION,
    "CredentialEnds": AlertKind.EXPIRING_TOKEN,
}
"""Which conditions of clusters alert."""

LASTS: Mapping[AlertKind, timedelta] = {AlertKind.FAILING_CLUSTER: timedelta(minutes=3)}
"""So long something has to last before it is told; what is not here is told at once."""
STAYS_AWAY = timedelta(minutes=1)
"""So long it has to be gone before its end is told: what flickers is one alert."""
ENDS_UNTOLD = frozenset({AlertKind.BREAK_GLASS})
TOLD_AGAIN = frozenset({AlertKind.EXPIRING_TOKEN})
"""Told again when it says something else: a token that ends in a month, and then in a week."""
USE_LASTS = timedelta(days=1)
"""So long the use of a break-glass account is shown as open."""


@dataclass(frozen=True, slots=True)
class Level:
    """Something that is so now; ``about`` is the same for as long as it is the same thing."""

    organization_id: OrganizationId
    kind: AlertKind
    about: str
    subject: str
    message: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells it from every other one."""
        return self.organization_id, self.kind.value, self.about


@dataclass(frozen=True, slots=True)
class Alert:
    """A level that was seen: ``opened_at`` is set once it was told, ``gone_at`` while it is not seen any more."""

    id: str
    level: Level
    seen_at: datetime
    opened_at: datetime | None = None
    gone_at: datetime | None = None


class Step(StrEnum):
    """What becomes of an alert."""

    SEEN = "seen"
    OPENED = "opened"
    REPEATED = "repeated"
    GONE = "gone"
    BACK = "back"
    CLOSED = "closed"
    FORGOTTEN = "forgotten"


TOLD = (Step.OPENED, Step.REPEATED, Step.CLOSED)


@dataclass(frozen=True, slots=True)
class Move:
    """One step of one alert; ``alert`` is None for one that is new."""

    step: Step
    level: Level
    alert: Alert | None = None


def moves(known: Iterable[Alert], levels: Iterable[Level], at: datetime) -> Iterator[Move]:
    """Yield what becomes of the alerts that are not closed, and of what is so now; nothing for what stays as it is."""
    now = {level.key: level for level in levels}
    for alert in known:
        level = now.pop(alert.level.key, None)
        step = _missing(alert, at) if level is None else _present(alert, level, at)
        if step is not None:
            yield Move(step, level or alert.level, alert)
    for level in now.values():
        yield Move(Step.SEEN if level.kind in LASTS else Step.OPENED, level)


def _missing(alert: Alert, at: datetime) -> Step | None:
    if alert.opened_at is None:
        return Step.FORGOTTEN
    if alert.gone_at is None:
        return Step.GONE
    return Step.CLOSED if at - alert.gone_at >= STAYS_AWAY else None


def _present(alert: Alert, level: Level, at: datetime) -> Step | None:
    if alert.opened_at is None:
        return Step.OPENED if at - alert.seen_at >= LASTS.get(level.kind, timedelta()) else None
    if level.kind in TOLD_AGAIN and level.message != alert.level.message:
        return Step.REPEATED
    return Step.BACK if alert.gone_at is not None else None
