"""Alerts, of which the mails still have to tell, and who is told of which kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.alerts import Alert, AlertKind, Level, Move, Step
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import MemberState
from scim_bridge.domain.roles import ApiRole
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.role_holders import holders
from scim_bridge.store.schema import alert, alert_route, mail, member

MAIL = "alert"
_COLUMNS = (
    alert.c.id,
    alert.c.organization_id,
    alert.c.kind,
    alert.c.about,
    alert.c.subject,
    alert.c.message,
    alert.c.seen_at,
    alert.c.opened_at,
    alert.c.gone_at,
)


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One alert as people see it; not closed: it is so now, or was a moment ago."""

    id: str
    kind: str
    subject: str
    message: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Untold:
    """An alert that mails have not told of: ``step`` is the last thing that became of it."""

    id: str
    kind: AlertKind
    step: Step
    subject: str
    message: str
    opened_at: datetime
    closed_at: datetime | None


def open_alerts(connection: sa.Connection) -> list[Alert]:
    """Return all alerts that are not closed."""
    query = sa.select(*_COLUMNS).where(alert.c.closed_at.is_(None)).order_by(alert.c.id)
    return [
        Alert(row[0], Level(row[1], AlertKind(row[2]), row[3], row[4], row[5]), row[6], row[7], row[8])
        for row in connection.execute(query)
    ]


def carry_out(connection: sa.Connection, move: Move, at: datetime) -> str:
    """Write down a step of an alert and return the alert's id."""
    level, step = move.level, move.step
    if move.alert is None:
        made = new_id()
        values: dict[str, Any] = {"id": made, "organization_id": level.organization_id, "kind": level.kind.value}
        values |= {"about": level.about, "subject": level.subject, "message": level.message, "seen_at": at}
        if step is Step.OPENED:
            values |= {"opened_at": at, "untold": step.value}
        connection.execute(sa.insert(alert).values(**values))
        return made
    mine = alert.c.id == move.alert.id
    if step is Step.FORGOTTEN:
        connection.execute(sa.delete(alert).where(mine))
    else:
        connection.execute(sa.update(alert).where(mine).values(**_values(step, level, at)))
    return move.alert.id


def _values(step: Step, level: Level, at: datetime) -> dict[str, Any]:
    if step is Step.GONE:
        return {"gone_at": at}
    if step is Step.CLOSED:
        return {"closed_at": at, "untold": step.value}
    told = {"subject": level.subject, "message": level.message, "gone_at": None}
    if step is Step.OPENED:
        return told | {"opened_at": at, "untold": step.value}
    return told | ({"untold": step.value} if step is Step.REPEATED else {})


def list_alerts(
    connection: sa.Connection, organization_id: OrganizationId, *, closed: bool, count: int, before: str | None = None
) -> list[StoredAlert]:
    """Return a page of an organization's alerts, the newest first; ``closed`` ones too, or only those that are open."""
    query = sa.select(
        alert.c.id, alert.c.kind, alert.c.subject, alert.c.message, alert.c.opened_at, alert.c.closed_at
    ).where(alert.c.organization_id == organization_id, alert.c.opened_at.is_not(None))
    if not closed:
        query = query.where(alert.c.closed_at.is_(None))
    if before is not None:
        query = query.where(alert.c.id < before)
    return [StoredAlert(*row) for row in connection.execute(query.order_by(alert.c.id.desc()).limit(count))]


def organizations_untold(connection: sa.Connection) -> list[OrganizationId]:
    """Return the organizations that have alerts of which mails have not told."""
    query = sa.select(alert.c.organization_id).where(alert.c.untold.is_not(None)).distinct()
    return [OrganizationId(each) for each in connection.execute(query).scalars()]


def untold(connection: sa.Connection, organization_id: OrganizationId) -> list[Untold]:
    """Return the alerts of which mails have not told, the oldest first."""
    columns = alert.c
    query = sa.select(
        columns.id, columns.kind, columns.untold, columns.subject, columns.message, columns.opened_at, columns.closed_at
    ).where(columns.organization_id == organization_id, columns.untold.is_not(None))
    return [
        Untold(row[0], AlertKind(row[1]), Step(row[2]), *row[3:])
        for row in connection.execute(query.order_by(columns.id))
    ]


def note_told(connection: sa.Connection, ids: Iterable[str]) -> None:
    """Say that mails tell of these alerts."""
    connection.execute(sa.update(alert).where(alert.c.id.in_(list(ids))).values(untold=None))


def last_mail_at(connection: sa.Connection, organization_id: OrganizationId) -> datetime | None:
    """Return when mails about alerts were last written for an organization."""
    query = sa.select(sa.func.max(mail.c.created_at)).where(
        mail.c.organization_id == organization_id, mail.c.kind == MAIL
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def routes(connection: sa.Connection, organization_id: OrganizationId) -> dict[AlertKind, tuple[str, ...]]:
    """Return the addresses that an organization has set, by kind; a kind that is not there has the default."""
    query = sa.select(alert_route.c.kind, alert_route.c.addresses).where(
        alert_route.c.organization_id == organization_id
    )
    return {AlertKind(kind): tuple(orjson.loads(addresses)) for kind, addresses in connection.execute(query)}


def set_route(
    connection: sa.Connection, organization_id: OrganizationId, kind: AlertKind, addresses: Iterable[str], at: datetime
) -> None:
    """Say who gets mails about alerts of a kind."""
    values: Mapping[str, Any] = {"addresses": orjson.dumps(list(addresses)).decode(), "changed_at": at}
    mine = (alert_route.c.organization_id == organization_id, alert_route.c.kind == kind.value)
    if connection.execute(sa.update(alert_route).where(*mine).values(**values)).rowcount == 0:
        new = {"organization_id": organization_id, "kind": kind.value}
        connection.execute(sa.insert(alert_route).values(**new, **values))


def drop_route(connection: sa.Connection, organization_id: OrganizationId, kind: AlertKind) -> None:
    """Go back to the default."""
    mine = (alert_route.c.organization_id == organization_id, alert_route.c.kind == kind.value)
    connection.execute(sa.delete(alert_route).where(*mine))


def addresses_in_charge(connection: sa.Connection, organization_id: OrganizationId, at: datetime) -> list[str]:
    """Return the addresses of an organization's active owners and admins."""
    whole = [Scope(ScopeKind.ORGANIZATION, organization_id)]
    active = sa.select(member.c.email).where(
        member.c.organization_id == organization_id,
        member.c.state == MemberState.ACTIVE.value,
        member.c.email.is_not(None),
    )
    found: set[str] = set()
    for role in (ApiRole.OWNER, ApiRole.ADMIN):
        who = holders(organization_id, at, api_role=role.value, scopes=whole)
        found.update(connection.execute(active.where(member.c.id.in_(who))).scalars())
    return sorted(found)
