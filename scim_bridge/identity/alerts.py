"""Use cases of alerts: find what began and what ended, tell it once, and say who is told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.alerts import ENDS_UNTOLD, MEANING, TOLD, AlertKind, Move, Step, moves
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Invalid
from scim_bridge.identity.authority import require
from scim_bridge.identity.members import checked_email
from scim_bridge.identity.names import the_organization
from scim_bridge.log import get_logger
from scim_bridge.store import alerts as store
from scim_bridge.store.alert_levels import levels
from scim_bridge.store.alerts import StoredAlert as StoredAlert
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.leases import release_lease, take_lease

PERMISSION = "org.integrations:configure"
SEEING = "organization:event_logs:read"
WATCH = Actor(ActorKind.SCHEDULER, "alerts")
LEASE = "alerts"
MOST_ADDRESSES = 20

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts, the newest first, and what to hand in for the next page; None: there are no more."""

    alerts: tuple[StoredAlert, ...]
    before: str | None = None


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """Who gets mails about a kind of alert; ``is_default``: the owners and admins, whoever they are then."""

    kind: str
    meaning: str
    addresses: tuple[str, ...]
    is_default: bool


def look(database: Database, at: datetime | None = None) -> int:
    """
    Open, repeat and close alerts as things are now, and return how many of these were told.

    Each is an entry of the audit, and so an event for webhooks, in the transaction that notes it as told.
    """
    moment = at or now()
    with database.read() as connection:
        if not any(_moves(connection, moment)):
            return 0
    with database.write() as connection:
        # Two processes look at the same time: the second one sees what the first has noted.
        held = take_lease(connection, LEASE, WATCH.name, moment, moment + timedelta(minutes=1))
        if held is None:
            return 0
        told = sum(_carry_out(connection, move, moment) for move in _moves(connection, moment))
        release_lease(connection, held)
        return told


def list_alerts(
    database: Database, organization: str, *, closed: bool = False, limit: int = 50, before: str | None = None
) -> AlertPage:
    """Return a page of an organization's alerts, the newest first; those that ended too if ``closed``."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = store.list_alerts(connection, owner.id, closed=closed, count=limit + 1, before=before)
    return AlertPage(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


def list_routes(database: Database, organization: str) -> list[AlertRoute]:
    """Return who gets mails about each kind of alert."""
    with database.read() as connection:
        return _routes(connection, the_organization(connection, organization).id)


def set_route(
    database: Database,
    actor: Actor,
    organization: str,
    kind: str,
    addresses: Iterable[str],
    request_id: str | None = None,
) -> AlertRoute:
    """Let these addresses get the mails about a kind of alert, and no others; none: nobody gets any."""
    chosen = the_kind(kind)
    wanted = tuple(dict.fromkeys(checked_email(each) for each in addresses))
    if len(wanted) > MOST_ADDRESSES:
        raise Invalid(f"At most {MOST_ADDRESSES} addresses get a mail.", field="addresses")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        before = _route(connection, owner.id, chosen)
        change = new_change(owner.id, actor, "alert_route.set", now(), request_id)
        store.set_route(connection, owner.id, chosen, wanted, change.at)
        detail = {"kind": chosen.value, "addresses": [None if before.is_default else before.addresses, wanted]}
        add_audit(connection, change, change.kind, "alert_route", chosen.value, detail)
        return _route(connection, owner.id, chosen)


def drop_route(
    database: Database, actor: Actor, organization: str, kind: str, request_id: str | None = None
) -> AlertRoute:
    """Let the owners and admins get the mails about a kind of alert again."""
    chosen = the_kind(kind)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        before = _route(connection, owner.id, chosen)
        change = new_change(owner.id, actor, "alert_route.dropped", now(), request_id)
        store.drop_route(connection, owner.id, chosen)
        detail = {"kind": chosen.value, "addresses": [None if before.is_default else before.addresses, None]}
        add_audit(connection, change, change.kind, "alert_route", chosen.value, detail)
        return _route(connection, owner.id, chosen)


def the_kind(text: str) -> AlertKind:
    """Return the kind of alert that a text names; raises Invalid."""
    try:
        return AlertKind(text)
    except ValueError:
        raise Invalid(f"{text!r} is no kind of alert: there are {', '.join(AlertKind)}.", field="kind") from None


def recipients(
    connection: Connection, organization_id: OrganizationId, at: datetime
) -> dict[AlertKind, tuple[str, ...]]:
    """Return who gets mails about each kind of alert now."""
    chosen = store.routes(connection, organization_id)
    default = tuple(store.addresses_in_charge(connection, organization_id, at))
    return {kind: chosen.get(kind, default) for kind in AlertKind}


def _moves(connection: Connection, at: datetime) -> Iterator[Move]:
    return moves(store.open_alerts(connection), levels(connection, at), at)


def _carry_out(connection: Connection, move: Move, at: datetime) -> bool:
    alert_id = store.carry_out(connection, move, at)
    if move.step not in TOLD:
        return False
    level = move.level
    if move.step is Step.CLOSED and level.kind in ENDS_UNTOLD:
        store.note_told(connection, [alert_id])
        return False
    change = new_change(level.organization_id, WATCH, f"alert.{move.step.value}", at)
    since = at if move.alert is None else move.alert.seen_at
    detail = {"kind": level.kind.value, "subject": level.subject, "message": level.message, "since": since}
    add_audit(connection, change, change.kind, "alert", alert_id, detail)
    about = {"kind": level.kind.value, "about": level.about, "organization": level.organization_id}
    log.warning(f"An alert {move.step.value}", **about)
    return True


def _routes(connection: Connection, organization_id: OrganizationId) -> list[AlertRoute]:
    chosen = store.routes(connection, organization_id)
    found = recipients(connection, organization_id, now())
    return [AlertRoute(kind.value, MEANING[kind], found[kind], kind not in chosen) for kind in AlertKind]


def _route(connection: Connection, organization_id: OrganizationId, kind: AlertKind) -> AlertRoute:
    return next(each for each in _routes(connection, organization_id) if each.kind == kind)
