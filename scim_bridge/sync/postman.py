"""The postman: brings the outbox to the mail server, one sender at a time, and again where nobody opened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.errors import MailRefused, MailUndelivered, StoreError
from scim_bridge.log import get_logger
from scim_bridge.mail.messages import Envelope, compose
from scim_bridge.mail.smtp import deliver
from scim_bridge.settings import Settings
from scim_bridge.store import mails
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease
from scim_bridge.store.mails import WaitingMail
from scim_bridge.store.sealing import Keyring

LEASE = "mail"
LEASE_TIME = timedelta(minutes=3)
# Longer than the lease: a mail that a sender died over is not sent by the next one while it may still go out.
IN_FLIGHT = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=30)
A_ROUND = 200
SENDER = Actor(ActorKind.SCHEDULER, "mail")

log = get_logger(__name__)


class Postman:
    """
    Sends what waits; any number may run on one database, and each mail goes out once.

    Only a sender that dies between the mail server's yes and our noting it lets a mail go out again, under the same
    Message-ID. Without ``smtp_host`` everything waits.
    """

    def __init__(
        self, database: Database, keyring: Keyring, settings: Settings, clock: Callable[[], datetime] = now
    ) -> None:
        """Prepare; nothing is sent yet."""
        self._database = database
        self._keyring = keyring
        self._settings = settings
        self._clock = clock
        self._holder = uuid4().hex

    def send_due(self) -> int:
        """Send what is due, and return how many mails a server took; a server that is away ends the round."""
        if not self.is_due():
            return 0
        held = self._take_lease()
        if held is None:
            return 0
        sent = 0
        try:
            for _ in range(A_ROUND):
                found = self._next(held)
                if found is None:
                    break
                taken = self._send(found)
                if taken is None:
                    break
                sent += taken
        finally:
            with self._database.write() as connection:
                release_lease(connection, held)
        return sent

    def is_due(self) -> bool:
        """Say whether there is a mail to send, and a server to send it to."""
        if not self._settings.smtp_host:
            return False
        with self._database.glance() as connection:
            return mails.is_mail_due(connection, self._clock())

    def _take_lease(self) -> Lease | None:
        at = self._clock()
        with self._database.write() as connection:
            return take_lease(connection, LEASE, self._holder, at, at + LEASE_TIME)

    def _next(self, held: Lease) -> WaitingMail | None:
        at = self._clock()
        with self._database.write() as connection:
            if not renew_lease(connection, held, at + LEASE_TIME):
                return None
            return mails.begin_attempt(connection, at, at + IN_FLIGHT)

    def _send(self, found: WaitingMail) -> int | None:
        """Return 1 for a mail that a server took, 0 for one that none ever will, None while the server is away."""
        try:
            values = mails.open_values(self._keyring, found.sealed)
            envelope = Envelope(found.id, self._settings.smtp_from, found.recipient, found.created_at)
            deliver(self._settings, compose(found.kind, values, envelope))
        except MailRefused as error:
            self._give_up(found, str(error))
            return 0
        except (MailUndelivered, StoreError) as error:
            self._put_off(found, str(error))
            return None
        with self._database.write() as connection:
            mails.note_sent(connection, found.id, self._clock())
        return 1

    def _put_off(self, found: WaitingMail, error: str) -> None:
        at = self._clock()
        if at - found.created_at >= timedelta(hours=self._settings.mail_give_up_hours):
            self._give_up(found, error)
            return
        wait = min(FIRST_WAIT * 2 ** min(found.attempts - 1, 16), LONGEST_WAIT)
        log.warning("A mail did not go out", mail=found.id, attempts=found.attempts, reason=error)
        with self._database.write() as connection:
            mails.note_failed(connection, found.id, error, at + wait)

    def _give_up(self, found: WaitingMail, error: str) -> None:
        at = self._clock()
        log.error("A mail is given up", mail=found.id, attempts=found.attempts, reason=error)
        with self._database.write() as connection:
            mails.give_up(connection, found.id, error, at)
            change = new_change(found.organization_id, SENDER, "mail.given_up", at)
            detail = {"about": found.about_id, "recipient": found.recipient, "error": error}
            add_audit(connection, change, "mail.given_up", found.kind, found.about_id, detail)
