"""Webhooks: where an organization's events are sent, signed with which secrets, and how that goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Conflict
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import audit_chain, organization, webhook, webhook_delivery

ENABLED, DISABLED = "enabled", "disabled"


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    One receiver: ``sequence`` is the last entry of the audit's chain of which deliveries were made.

    ``problem`` says why the bridge itself disabled it.
    """

    id: str
    organization_id: OrganizationId
    name: str
    url: str
    kinds: tuple[str, ...]
    state: str
    problem: str | None
    sequence: int
    failures: int
    failing_since: datetime | None
    rests_until: datetime | None
    last_success_at: datetime | None
    old_secret_until: datetime | None
    created_by: str
    created_at: datetime
    sealed_secret: str | None = field(repr=False)
    sealed_old_secret: str | None = field(repr=False)

    def sealed_secrets(self, at: datetime) -> tuple[str, ...]:
        """Return what deliveries are signed with at a moment, the newest first."""
        old = self.sealed_old_secret
        is_live = old is not None and self.old_secret_until is not None and at < self.old_secret_until
        return tuple(each for each in (self.sealed_secret, old if is_live else None) if each is not None)


_COLUMNS = tuple(webhook.c[name] for name in Webhook.__dataclass_fields__)
_LIVE = webhook.c.removed_at.is_(None)


def insert_webhook(
    connection: sa.Connection, change: Change, name: str, url: str, kinds: Sequence[str], sealed_secret: str
) -> Webhook:
    """Add a webhook that is told what happens from now on; raises Conflict for a name that is taken."""
    made = new_id()
    values: dict[str, Any] = {"id": made, "organization_id": change.organization_id, "name": name, "url": url}
    values |= {"kinds": orjson.dumps(kinds).decode(), "sealed_secret": sealed_secret, "state": ENABLED}
    values |= {"sequence": chain_head(connection, change.organization_id), "created_at": change.at}
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(webhook).values(**values, created_by=change.actor.name[:320]))
    except IntegrityError:
        raise Conflict(f"There is a webhook {name!r} already.") from None
    found = find_webhook(connection, change.organization_id, made)
    assert found is not None
    return found


def chain_head(connection: sa.Connection, organization_id: OrganizationId) -> int:
    """Return the number of the last entry in an organization's audit chain."""
    query = sa.select(audit_chain.c.head_sequence).where(audit_chain.c.organization_id == organization_id)
    return int(connection.execute(query).scalar_one_or_none() or 0)


def list_webhooks(connection: sa.Connection, organization_id: OrganizationId) -> list[Webhook]:
    """Return an organization's webhooks, by name."""
    query = sa.select(*_COLUMNS).where(webhook.c.organization_id == organization_id, _LIVE).order_by(webhook.c.name)
    return [_webhook(row) for row in connection.execute(query)]


def find_webhook(
    connection: sa.Connection, organization_id: OrganizationId, named: str, *, lock: bool = False
) -> Webhook | None:
    """Return an organization's webhook by name or id; ``lock`` keeps it as it is until the transaction ends."""
    is_named = sa.or_(webhook.c.name == named, webhook.c.id == named)
    query = sa.select(*_COLUMNS).where(webhook.c.organization_id == organization_id, _LIVE, is_named)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _webhook(row)


def open_webhook(connection: sa.Connection, webhook_id: str) -> Webhook | None:
    """Return a webhook that is enabled, whosever it is; None when it is not any more."""
    query = sa.select(*_COLUMNS).where(webhook.c.id == webhook_id, _LIVE, webhook.c.state == ENABLED)
    row = connection.execute(query).one_or_none()
    return None if row is None else _webhook(row)


def set_webhook(connection: sa.Connection, webhook_id: str, **values: Any) -> None:
    """Change columns of a webhook; ``kinds`` is a sequence."""
    if "kinds" in values:
        values["kinds"] = orjson.dumps(values["kinds"]).decode()
    connection.execute(sa.update(webhook).where(webhook.c.id == webhook_id).values(**values))


def behind(connection: sa.Connection) -> list[Webhook]:
    """Return the enabled webhooks of which the audit's chain holds entries that no deliveries were made of."""
    query = (
        sa.select(*_COLUMNS)
        .join(audit_chain, audit_chain.c.organization_id == webhook.c.organization_id)
        .join(organization, organization.c.id == webhook.c.organization_id)
        .where(_LIVE, webhook.c.state == ENABLED, organization.c.removed_at.is_(None))
        .where(audit_chain.c.head_sequence > webhook.c.sequence)
        .order_by(webhook.c.id)
    )
    return [_webhook(row) for row in connection.execute(query)]


def move_on(connection: sa.Connection, found: Webhook, sequence: int) -> bool:
    """Say up to which entry deliveries are made, and tell whether nobody else has made them meanwhile."""
    mine = (webhook.c.id == found.id, webhook.c.sequence == found.sequence, webhook.c.state == ENABLED, _LIVE)
    return connection.execute(sa.update(webhook).where(*mine).values(sequence=sequence)).rowcount == 1


def with_due(connection: sa.Connection, at: datetime) -> list[str]:
    """Return the ids of the enabled webhooks that have something to send and do not rest."""
    due = sa.exists().where(
        webhook_delivery.c.webhook_id == webhook.c.id,
        webhook_delivery.c.state == "queued",
        webhook_delivery.c.due_at <= at,
    )
    rested = sa.or_(webhook.c.rests_until.is_(None), webhook.c.rests_until <= at)
    query = sa.select(webhook.c.id).where(_LIVE, webhook.c.state == ENABLED, rested, due).order_by(webhook.c.id)
    return list(connection.execute(query).scalars())


def note_answered(connection: sa.Connection, webhook_id: str, at: datetime) -> None:
    """Say that a receiver has taken something: what failed before does not count any more."""
    values = {"failures": 0, "failing_since": None, "rests_until": None, "last_success_at": at}
    connection.execute(sa.update(webhook).where(webhook.c.id == webhook_id).values(**values))


def note_failing(connection: sa.Connection, webhook_id: str, at: datetime, rests_until: datetime | None) -> None:
    """Say that a receiver did not take something, and until when it is left alone."""
    values = {"failures": webhook.c.failures + 1, "rests_until": rests_until}
    since = sa.func.coalesce(webhook.c.failing_since, sa.bindparam("since", at, webhook.c.failing_since.type))
    connection.execute(sa.update(webhook).where(webhook.c.id == webhook_id).values(**values, failing_since=since))


def _webhook(row: sa.Row[Any]) -> Webhook:
    return Webhook(**{**row._mapping, "kinds": tuple(orjson.loads(row.kinds))})
