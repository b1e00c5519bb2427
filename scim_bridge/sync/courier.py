"""
The courier: makes deliveries of what the audit's chain holds, and brings them to the receivers of webhooks.

The chain holds only what was committed, each entry once and under a number without gaps: so nothing that happened is
left out, and nothing that was rolled back is told. One sender at a time has a receiver (a lease), any number run.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.webhooks import TEST, kinds_told, read_networks, until_rested, until_retry
from scim_bridge.errors import StoreError, WebhookUndelivered
from scim_bridge.log import get_logger
from scim_bridge.outbound.posting import Answer, post
from scim_bridge.outbound.signing import signed_headers
from scim_bridge.settings import Settings
from scim_bridge.store import deliveries as store
from scim_bridge.store import webhooks
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.deliveries import DEAD, DELIVERED, QUEUED, Delivery, Told
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease
from scim_bridge.store.sealing import Keyring
from scim_bridge.store.webhooks import Webhook
from scim_bridge.sync.errands import Guard
from scim_bridge.sync.telling import message_of

LEASE_TIME = timedelta(minutes=3)
# Longer than the lease: what a sender died over is not sent by the next one while it may still arrive.
IN_FLIGHT = timedelta(minutes=5)
ROUND = timedelta(seconds=20)
"""So long one receiver is served before the others have their turn."""
AT_ONCE = 500
SENDERS = 16
"""So many receivers are served at the same time."""
SENDER = Actor(ActorKind.SCHEDULER, "webhooks")

log = get_logger(__name__)


class Courier:
    """Makes and sends deliveries; each reaches its receiver at least once, and again only under the same id."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        settings: Settings,
        clock: Callable[[], datetime] = now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Prepare; nothing is sent yet."""
        self._database = database
        self._keyring = keyring
        self._settings = settings
        self._networks = read_networks(settings.webhook_networks)
        self._clock = clock
        self._draw = draw
        self._holder = uuid4().hex
        self._served: set[str] = set()
        self._stopping = Event()

    def tick(self, guard: Guard) -> None:
        """
        Make what deliveries there are to be made, and have what is due sent; nobody waits for a receiver.

        ``guard`` sees to it that a failure ends the round of one receiver only.
        """
        self.make_deliveries()
        due = [each for each in self._due() if each not in self._served]
        # Whoever comes by first would otherwise be the same few each time.
        random.shuffle(due)
        for webhook_id in due[: SENDERS - len(self._served)]:
            self._served.add(webhook_id)
            # Daemons: a process that is told to stop does not wait for a receiver that never answers.
            Thread(target=self._serve, args=(guard, webhook_id), name="webhook", daemon=True).start()

    def is_due(self) -> bool:
        """Tell whether there are deliveries to be made, or to be sent."""
        with self._database.glance() as connection:
            return bool(webhooks.behind(connection) or webhooks.with_due(connection, self._clock()))

    def stop(self) -> None:
        """Begin no other delivery."""
        self._stopping.set()

    def run(self) -> int:
        """Make deliveries and send what is due, one receiver after the other; return how many were taken."""
        self.make_deliveries()
        return sum(self.send_to(each) for each in self._due())

    def make_deliveries(self) -> int:
        """Queue what webhooks are to be told of entries sealed since, and return how much that was."""
        with self._database.glance() as connection:
            waiting = webhooks.behind(connection)
        return sum(self._make_for(each) for each in waiting)

    def send_to(self, webhook_id: str) -> int:
        """
        Send what is due to one receiver, for a round at most, and return how much it took.

        Safe to be called from anywhere, by any number at once: this is what a distributed worker calls.
        """
        held = self._take_lease(webhook_id)
        if held is None:
            return 0
        taken, until = 0, self._clock() + ROUND
        try:
            while self._clock() < until and not self._stopping.is_set():
                found = self._next(held, webhook_id)
                if found is None:
                    break
                is_taken = self._send(*found)
                taken += is_taken
                if not is_taken and self._rests(webhook_id):
                    break
        finally:
            with self._database.write() as connection:
                release_lease(connection, held)
        return taken

    def _due(self) -> list[str]:
        with self._database.glance() as connection:
            return webhooks.with_due(connection, self._clock())

    def _serve(self, guard: Guard, webhook_id: str) -> None:
        try:
            guard("sending to a webhook", lambda: self.send_to(webhook_id))
        finally:
            self._served.discard(webhook_id)

    def _make_for(self, found: Webhook) -> int:
        with self._database.write() as connection:
            entries = store.sealed_after(connection, found, AT_ONCE)
            if not entries or not webhooks.move_on(connection, found, entries[-1].sequence):
                return 0
            told = [Told(each.id, each.sequence, kinds_for(found, each.action, each.object_id)) for each in entries]
            return store.queue(connection, found, told, self._clock(), states=())

    def _take_lease(self, webhook_id: str) -> Lease | None:
        at = self._clock()
        with self._database.write() as connection:
            return take_lease(connection, f"webhook:{webhook_id}", self._holder, at, at + LEASE_TIME)

    def _next(self, held: Lease, webhook_id: str) -> tuple[Webhook, Delivery, Entry | None] | None:
        at = self._clock()
        with self._database.write() as connection:
            if not renew_lease(connection, held, at + LEASE_TIME):
                return None
            found = webhooks.open_webhook(connection, webhook_id)
            begun = None if found is None else store.begin_attempt(connection, webhook_id, at, at + IN_FLIGHT)
            return None if found is None or begun is None else (found, *begun)

    def _rests(self, webhook_id: str) -> bool:
        with self._database.glance() as connection:
            found = webhooks.open_webhook(connection, webhook_id)
        return found is None or (found.rests_until is not None and found.rests_until > self._clock())

    def _send(self, found: Webhook, delivery: Delivery, entry: Entry | None) -> bool:
        if entry is None:
            with self._database.write() as connection:
                why = "The audit entry is kept no longer."
                store.note_outcome(connection, delivery, DEAD, self._clock(), None, why)
            return False
        try:
            answer = self._post(found, delivery, entry)
        except (WebhookUndelivered, StoreError) as error:
            self._failed(found, delivery, None, str(error))
            return False
        if not answer.is_taken:
            self._failed(found, delivery, answer, answer.excerpt)
            return False
        with self._database.write() as connection:
            at = self._clock()
            store.note_outcome(connection, delivery, DELIVERED, at, answer.status, answer.excerpt)
            webhooks.note_answered(connection, found.id, at)
        return True

    def _post(self, found: Webhook, delivery: Delivery, entry: Entry) -> Answer:
        at = self._clock()
        signers = [self._keyring.open(each) for each in found.sealed_secrets(at)]
        message_id, body = message_of(found.organization_id, delivery.kind, entry)
        headers = signed_headers(message_id, at, body, signers)
        seconds = self._settings.webhook_seconds
        return post(found.url, body.encode(), headers, networks=self._networks, seconds=seconds)

    def _failed(self, found: Webhook, delivery: Delivery, answer: Answer | None, why: str) -> None:
        at = self._clock()
        status = None if answer is None else answer.status
        wish = None if answer is None else answer.retry_after
        is_dead = delivery.attempts >= self._settings.webhook_attempts
        failures = found.failures + 1
        rest = until_rested(failures, self._draw(), wish)
        wait = until_retry(delivery.attempts, self._draw(), wish)
        told = {"webhook": found.id, "delivery": delivery.id, "attempts": delivery.attempts, "status": status}
        log.warning("A webhook's event is given up" if is_dead else "A webhook's event was not taken", **told)
        with self._database.write() as connection:
            state = DEAD if is_dead else QUEUED
            store.note_outcome(connection, delivery, state, at, status, why, None if is_dead else at + wait)
            webhooks.note_failing(connection, found.id, at, None if rest is None else at + rest)
            problem = self._hopeless(found, answer, at)
            if problem is not None:
                self._disable(connection, found, problem, at)

    def _hopeless(self, found: Webhook, answer: Answer | None, at: datetime) -> str | None:
        if answer is not None and answer.is_gone:
            return "The receiver answered 410 Gone."
        patience = timedelta(hours=self._settings.webhook_disable_hours)
        if found.failing_since is not None and at - found.failing_since >= patience:
            return f"The receiver has taken nothing since {found.failing_since:%Y-%m-%d %H:%M} UTC."
        return None

    def _disable(self, connection: Connection, found: Webhook, problem: str, at: datetime) -> None:
        change = new_change(found.organization_id, SENDER, "webhook.disabled", at)
        webhooks.set_webhook(connection, found.id, state=webhooks.DISABLED, problem=problem)
        waiting = store.end_waiting(connection, found.id, at, problem)
        detail = {"name": found.name, "problem": problem, "not_sent": waiting}
        add_audit(connection, change, "webhook.disabled", "webhook", found.id, detail)
        log.error("A webhook is disabled", webhook=found.id, reason=problem)


def kinds_for(found: Webhook, action: str, object_id: str) -> tuple[str, ...]:
    """Return as which kinds an entry is told to a webhook; a test goes to the one that is tested."""
    if action == TEST:
        return (TEST,) if object_id == found.id else ()
    return kinds_told(found.kinds, action)
