"""Use cases of a webhook's deliveries: see what became of them, and have them sent again."""

from dataclasses import dataclass
from datetime import timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.webhooks import kinds_told
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.webhooks import NOUN, allowed_in, the_webhook
from scim_bridge.store import deliveries as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.deliveries import DEAD, DELIVERED, STATES, Told
from scim_bridge.store.deliveries import Delivery as Delivery
from scim_bridge.store.webhooks import ENABLED, Webhook

PAGE = 1000
MOST_AGAIN = 20_000


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, the newest first, and what to hand in for the next page; None: there are no more."""

    deliveries: tuple[Delivery, ...]
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Redelivery:
    """How many deliveries wait to be sent again."""

    queued: int


def list_deliveries(
    database: Database,
    organization: str,
    named: str,
    state: str | None = None,
    limit: int = 50,
    before: str | None = None,
) -> DeliveryPage:
    """Return a page of a webhook's deliveries, the newest first; ``state``: queued, delivered or dead."""
    if state is not None and state not in STATES:
        raise Invalid(f"{state!r} is no state of a delivery: there are {', '.join(STATES)}.", field="state")
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = the_webhook(connection, owner.id, named)
        listed = store.newest_deliveries(connection, found.id, state, limit + 1, before)
    return DeliveryPage(tuple(listed[:limit]), listed[limit - 1].id if len(listed) > limit else None)


def redeliver(
    database: Database, actor: Actor, organization: str, named: str, delivery_id: str, request_id: str | None = None
) -> Redelivery:
    """Send one delivery again under the id that it had, whatever became of it."""
    with database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = _enabled(the_webhook(connection, organization_id, named, lock=True))
        delivery = store.find_delivery(connection, found.id, delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery of this webhook.")
        change = new_change(organization_id, actor, "webhook.redelivered", now(), request_id)
        told = [Told(delivery.entry_id, delivery.sequence, (delivery.kind,))]
        queued = store.queue(connection, found, told, change.at, states=(DELIVERED, DEAD))
        add_audit(connection, change, change.kind, NOUN, found.id, {"name": found.name, "delivery": delivery.id})
        return Redelivery(queued)


def redeliver_since(
    database: Database,
    actor: Actor,
    organization: str,
    named: str,
    since: str,
    *,
    everything: bool = False,
    request_id: str | None = None,
) -> Redelivery:
    """
    Send what a receiver was to be told since a moment and has not taken: dead deliveries, and what was never made.

    ``everything`` sends again what it has taken too.
    """
    with database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = _enabled(the_webhook(connection, organization_id, named, lock=True))
        change = new_change(organization_id, actor, "webhook.redelivered", now(), request_id)
        moment = read_moment(since, change.at)
        states = (DELIVERED, DEAD) if everything else (DEAD,)
        queued = after = 0
        while page := store.sealed_since(connection, organization_id, moment, found.sequence, after, PAGE):
            told = [Told(each.id, each.sequence, kinds_told(found.kinds, each.action)) for each in page]
            queued += store.queue(connection, found, told, change.at, states=states)
            after = page[-1].sequence
            if queued > MOST_AGAIN:
                raise Conflict(f"These are more than {MOST_AGAIN} deliveries: name a later moment.")
        detail = {"name": found.name, "since": moment, "queued": queued, "everything": everything}
        add_audit(connection, change, change.kind, NOUN, found.id, detail)
        return Redelivery(queued)


def forget_deliveries(database: Database, days: int) -> int:
    """Drop deliveries that were taken or given up so many days ago, and return how many."""
    with database.write() as connection:
        return store.forget_deliveries(connection, now() - timedelta(days=days))


def _enabled(found: Webhook) -> Webhook:
    if found.state != ENABLED:
        raise Conflict(f"The webhook {found.name} is disabled: enable it first.")
    return found
