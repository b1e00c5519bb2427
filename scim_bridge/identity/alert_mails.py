"""Mails about alerts: what began and ended since the last ones, in one mail for each who is to know."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from scim_bridge.domain.alerts import Step
from scim_bridge.identity.alerts import WATCH, recipients
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store import alerts as store
from scim_bridge.store.alerts import MAIL, Untold
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection
from scim_bridge.store.leases import release_lease, take_lease
from scim_bridge.store.mails import queue_mail, seal_values
from scim_bridge.store.organizations import Organization, list_organizations

LEASE = "alert mails"
APART = timedelta(minutes=5)
"""The first alert is mailed at once; what follows within so long of a mail waits, and is told together."""
MOST_LINES = 25


def write_mails(runtime: Runtime, at: datetime | None = None) -> int:
    """Put mails about alerts into the outbox, and return how many; none without a mail server."""
    moment = at or now()
    with runtime.database.glance() as connection:
        if not store.organizations_untold(connection):
            return 0
    with runtime.database.write() as connection:
        held = take_lease(connection, LEASE, WATCH.name, moment, moment + timedelta(minutes=1))
        if held is None:
            return 0
        waiting = set(store.organizations_untold(connection))
        there = [each for each in list_organizations(connection) if each.id in waiting]
        written = sum(_write_for(runtime, connection, each, moment) for each in there)
        for gone in waiting - {each.id for each in there}:
            store.note_told(connection, [each.id for each in store.untold(connection, gone)])
        release_lease(connection, held)
        return written


def _write_for(runtime: Runtime, connection: Connection, owner: Organization, at: datetime) -> int:
    last = store.last_mail_at(connection, owner.id)
    if last is not None and at - last < APART:
        return 0
    found = store.untold(connection, owner.id)
    store.note_told(connection, [each.id for each in found])
    if not runtime.settings.smtp_host:
        # They are listed, and told to webhooks; a month's worth of them is of no use once there is a server.
        return 0
    concerning: dict[str, list[Untold]] = {}
    for kind, addresses in recipients(connection, owner.id, at).items():
        for address in addresses:
            concerning.setdefault(address, []).extend(each for each in found if each.kind is kind)
    change = new_change(owner.id, WATCH, "alert.mailed", at)
    mails = [(address, told) for address, told in sorted(concerning.items()) if told]
    for address, told in mails:
        sealed = seal_values(runtime.keyring, _values(owner, told))
        queue_mail(connection, change, told[0].id, MAIL, address, sealed)
    return len(mails)


def _values(owner: Organization, told: list[Untold]) -> dict[str, str | list[str] | None]:
    first = told[0]
    verb = "ended" if first.step is Step.CLOSED else "alert"
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return {
        "organization": owner.slug,
        "headline": f"{verb}: {first.kind.value.replace('_', ' ')}, {first.subject}{more}",
        "opened": _lines(each for each in told if each.step is not Step.CLOSED),
        "closed": _lines(each for each in told if each.step is Step.CLOSED),
    }


def _lines(told: Iterable[Untold]) -> list[str]:
    lines = [f"{each.subject} ({each.kind.value}): {each.message} {_when(each)}" for each in told]
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"… and {left} more"] if left > 0 else [])]


def _when(each: Untold) -> str:
    since = f"since {each.opened_at:%Y-%m-%d %H:%M}"
    return f"[{since} UTC]" if each.closed_at is None else f"[{since} until {each.closed_at:%Y-%m-%d %H:%M} UTC]"
