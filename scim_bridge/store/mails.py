"""The outbox: mails written in the transaction of what they tell of, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import mail
from scim_bridge.store.sealing import Keyring

QUEUED, SENT, GIVEN_UP, CANCELLED = "queued", "sent", "given_up", "cancelled"


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail that is due; ``attempts`` counts this one too."""

    id: str
    organization_id: OrganizationId
    about_id: str
    kind: str
    recipient: str
    sealed: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MailState:
    """What became of the last mail about something."""

    state: str
    attempts: int
    last_error: str | None
    due_at: datetime | None


def seal_values(keyring: Keyring, values: Mapping[str, str | Sequence[str] | None]) -> str:
    """Return what fills a mail as it may be stored: a link in it opens something."""
    return keyring.seal(orjson.dumps(dict(values)).decode())


def open_values(keyring: Keyring, sealed: str) -> dict[str, Any]:
    """Return what fills a mail; raises StoreError when no key of ours sealed it."""
    read: dict[str, Any] = orjson.loads(keyring.open(sealed))
    return read


def queue_mail(
    connection: sa.Connection, change: Change, about_id: str, kind: str, recipient: str, sealed: str
) -> None:
    """Add a mail that is due at once; ``sealed`` fills its template."""
    values: dict[str, Any] = {"id": new_id(), "organization_id": change.organization_id, "about_id": about_id}
    values |= {"kind": kind, "recipient": recipient, "sealed": sealed, "state": QUEUED}
    connection.execute(sa.insert(mail).values(created_at=change.at, due_at=change.at, **values))


def cancel_mails(connection: sa.Connection, change: Change, about_id: str) -> None:
    """Send no more what waits about something: its link opens nothing any more."""
    waiting = sa.update(mail).where(mail.c.about_id == about_id, mail.c.state == QUEUED)
    connection.execute(waiting.values(state=CANCELLED, sealed=None, closed_at=change.at))


def is_mail_due(connection: sa.Connection, at: datetime) -> bool:
    """Say whether there is something to send."""
    query = sa.select(mail.c.id).where(mail.c.state == QUEUED, mail.c.due_at <= at).limit(1)
    return connection.execute(query).first() is not None


def begin_attempt(connection: sa.Connection, at: datetime, due_again: datetime) -> WaitingMail | None:
    """
    Return the mail that is due for longest, which is due again only later: a sender that dies holds up nothing.

    None when nothing is due.
    """
    due = sa.select(mail.c.id).where(mail.c.state == QUEUED, mail.c.due_at <= at).order_by(mail.c.due_at, mail.c.id)
    found = connection.execute(due.limit(1)).scalar_one_or_none()
    if found is None:
        return None
    taken = sa.update(mail).where(mail.c.id == found, mail.c.state == QUEUED)
    row = connection.execute(
        taken.values(attempts=mail.c.attempts + 1, due_at=due_again).returning(
            mail.c.id,
            mail.c.organization_id,
            mail.c.about_id,
            mail.c.kind,
            mail.c.recipient,
            mail.c.sealed,
            mail.c.attempts,
            mail.c.created_at,
        )
    ).first()
    return None if row is None else WaitingMail(*row)


def note_sent(connection: sa.Connection, mail_id: str, at: datetime) -> None:
    """Say that a mail server has taken a mail; what filled it is forgotten."""
    values = {"state": SENT, "sealed": None, "closed_at": at, "last_error": None}
    connection.execute(sa.update(mail).where(mail.c.id == mail_id).values(values))


def note_failed(connection: sa.Connection, mail_id: str, error: str, due_at: datetime) -> None:
    """Say why a mail did not go out, and when it is tried again."""
    waiting = sa.update(mail).where(mail.c.id == mail_id, mail.c.state == QUEUED)
    connection.execute(waiting.values(last_error=error, due_at=due_at))


def give_up(connection: sa.Connection, mail_id: str, error: str, at: datetime) -> None:
    """Say that a mail is not tried again; what filled it is forgotten."""
    waiting = sa.update(mail).where(mail.c.id == mail_id, mail.c.state == QUEUED)
    connection.execute(waiting.values(state=GIVEN_UP, sealed=None, last_error=error, closed_at=at))


def mail_states(connection: sa.Connection, about_ids: list[str]) -> dict[str, MailState]:
    """Return what became of the last mail about each of these."""
    query = (
        sa.select(mail.c.about_id, mail.c.state, mail.c.attempts, mail.c.last_error, mail.c.due_at)
        .where(mail.c.about_id.in_(about_ids))
        .order_by(mail.c.id)
    )
    return {
        str(row[0]): MailState(row[1], row[2], row[3], row[4] if row[1] == QUEUED else None)
        for row in connection.execute(query)
    }
