"""Use cases of webhooks: add, change, rotate, disable, test and remove the receivers of an organization's events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.webhooks import TEST, checked_kinds, checked_url, read_networks
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.audit import SEEING
from scim_bridge.identity.authority import opened_organization
from scim_bridge.identity.names import checked_name, the_organization
from scim_bridge.identity.runtime import Runtime
from scim_bridge.outbound.signing import new_secret
from scim_bridge.store import deliveries
from scim_bridge.store import webhooks as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.webhooks import DISABLED, ENABLED, Webhook

PERMISSION = "org.integrations:configure"
NOUN = "webhook"
MOST_WEBHOOKS = 20
LONGEST_OVERLAP = timedelta(days=7)
_TOLD = ("url", "kinds", "state")


@dataclass(frozen=True, slots=True)
class WebhookView:
    """
    A webhook without its secret.

    ``waiting`` and ``dead`` count deliveries; ``failing_since`` is set while its receiver takes nothing, ``problem``
    when the bridge gave up on it. ``old_secret_until``: so long deliveries carry the old secret's signature too.
    """

    id: str
    name: str
    url: str
    kinds: tuple[str, ...]
    state: str
    problem: str | None
    waiting: int
    dead: int
    failing_since: datetime | None
    last_success_at: datetime | None
    old_secret_until: datetime | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A webhook and the secret that it signs with from now on: shown once."""

    webhook: WebhookView
    secret: str = field(repr=False)


def add(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    name: str,
    url: str,
    kinds: Iterable[str],
    request_id: str | None = None,
) -> WebhookSecret:
    """
    Add a receiver that is told what happens from now on.

    Raises Invalid for an address that the bridge does not call, and Refused for whoever may not read the audit: that
    is what is sent there.
    """
    checked_name("a webhook", name)
    told = checked_kinds(kinds)
    checked_url(url, read_networks(runtime.settings.webhook_networks))
    secret = new_secret()
    with runtime.database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        if len(store.list_webhooks(connection, organization_id)) >= MOST_WEBHOOKS:
            raise Conflict(f"An organization has at most {MOST_WEBHOOKS} webhooks.")
        change = new_change(organization_id, actor, "webhook.added", now(), request_id)
        made = store.insert_webhook(connection, change, name, url, told, runtime.keyring.seal(secret))
        _note(connection, change, made, {"url": url, "kinds": told})
        return WebhookSecret(_view(connection, made), secret)


def list_all(database: Database, organization: str) -> list[WebhookView]:
    """Return an organization's webhooks, by name."""
    with database.read() as connection:
        found = store.list_webhooks(connection, the_organization(connection, organization).id)
        return _views(connection, found)


def change(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    named: str,
    *,
    url: str | None = None,
    kinds: Iterable[str] | None = None,
    request_id: str | None = None,
) -> WebhookView:
    """Give a webhook another address or other kinds of events; what waits goes to the new address."""
    values: dict[str, Any] = {}
    if url is not None:
        values["url"] = checked_url(url, read_networks(runtime.settings.webhook_networks))
    if kinds is not None:
        values["kinds"] = checked_kinds(kinds)
    if not values:
        raise Invalid("Name another url, or other kinds.", field="url")
    return _changed(runtime.database, actor, organization, named, "webhook.changed", values, request_id)


def rotate(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    named: str,
    overlap: timedelta = timedelta(days=1),
    request_id: str | None = None,
) -> WebhookSecret:
    """Make another secret, shown once; for the time of the overlap deliveries carry both signatures."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Invalid("Two secrets sign for at most 7 days.", field="overlap_hours")
    secret = new_secret()
    with runtime.database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = the_webhook(connection, organization_id, named, lock=True)
        rotated = new_change(organization_id, actor, "webhook.rotated", now(), request_id)
        store.set_webhook(
            connection,
            found.id,
            sealed_secret=runtime.keyring.seal(secret),
            sealed_old_secret=found.sealed_secret if overlap else None,
            old_secret_until=rotated.at + overlap if overlap else None,
        )
        _note(connection, rotated, found, {"overlap_hours": overlap.total_seconds() / 3600})
        return WebhookSecret(_view(connection, the_webhook(connection, organization_id, found.id)), secret)


def enable(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> WebhookView:
    """Tell a receiver again what happens from now on; what it missed is sent by a redelivery."""
    values = {"state": ENABLED, "problem": None, "failures": 0, "failing_since": None, "rests_until": None}
    return _changed(database, actor, organization, named, "webhook.enabled", values, request_id)


def disable(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> WebhookView:
    """Tell a receiver nothing for now; what waits is dead, and can be delivered again."""
    values = {"state": DISABLED, "problem": None}
    return _changed(database, actor, organization, named, "webhook.disabled", values, request_id)


def remove(database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None) -> None:
    """Take a webhook away; its secret is forgotten."""
    with database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = the_webhook(connection, organization_id, named, lock=True)
        removed = new_change(organization_id, actor, "webhook.removed", now(), request_id)
        forgotten = {"sealed_secret": None, "sealed_old_secret": None, "old_secret_until": None}
        store.set_webhook(connection, found.id, removed_at=removed.at, **forgotten)
        deliveries.end_waiting(connection, found.id, removed.at, "The webhook was removed.")
        _note(connection, removed, found, {"url": found.url})


def send_test(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> WebhookView:
    """Send an event of the kind `webhook.test` to a receiver, and to no other, whatever kinds it wants."""
    with database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = the_webhook(connection, organization_id, named)
        if found.state != ENABLED:
            raise Conflict(f"The webhook {found.name} is disabled: enable it first.")
        _note(connection, new_change(organization_id, actor, TEST, now(), request_id), found, {})
        return _view(connection, found)


def allowed_in(connection: Connection, actor: Actor, organization: str) -> OrganizationId:
    """Return the organization of whoever may configure what is sent out of it, and read all of that."""
    owner, asker = opened_organization(connection, actor, organization)
    asker.require(PERMISSION)
    asker.require(SEEING)
    return owner.id


def the_webhook(connection: Connection, organization_id: OrganizationId, named: str, *, lock: bool = False) -> Webhook:
    """Return an organization's webhook by name or id; raises NotFound."""
    found = store.find_webhook(connection, organization_id, named, lock=lock)
    if found is None:
        raise NotFound(f"There is no webhook {named!r}.")
    return found


def _changed(
    database: Database,
    actor: Actor,
    organization: str,
    named: str,
    kind: str,
    values: dict[str, Any],
    request_id: str | None,
) -> WebhookView:
    with database.write() as connection:
        organization_id = allowed_in(connection, actor, organization)
        found = the_webhook(connection, organization_id, named, lock=True)
        changed = new_change(organization_id, actor, kind, now(), request_id)
        told: dict[str, Any] = {name: [getattr(found, name), new] for name, new in values.items() if name in _TOLD}
        if values.get("state") == ENABLED and found.state == DISABLED:
            values = values | {"sequence": store.chain_head(connection, organization_id)}
        if values.get("state") == DISABLED:
            deliveries.end_waiting(connection, found.id, changed.at, "The webhook was disabled.")
        store.set_webhook(connection, found.id, **values)
        _note(connection, changed, found, told)
        return _view(connection, the_webhook(connection, organization_id, found.id))


def _note(connection: Connection, made: Change, found: Webhook, detail: dict[str, Any]) -> None:
    # No change row: nothing of this is shown to a cluster.
    add_audit(connection, made, made.kind, NOUN, found.id, {"name": found.name, **detail})


def _view(connection: Connection, found: Webhook) -> WebhookView:
    return _views(connection, [found])[0]


def _views(connection: Connection, found: list[Webhook]) -> list[WebhookView]:
    counts = deliveries.count_by_state(connection, [each.id for each in found])
    return [
        WebhookView(
            each.id,
            each.name,
            each.url,
            each.kinds,
            each.state,
            each.problem,
            counts[each.id].get(deliveries.QUEUED, 0),
            counts[each.id].get(deliveries.DEAD, 0),
            each.failing_since,
            each.last_success_at,
            each.old_secret_until,
            each.created_by,
            each.created_at,
        )
        for each in found
    ]
