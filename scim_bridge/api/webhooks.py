"""Webhooks: where an organization's events are sent, and what became of each."""

from datetime import timedelta
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import webhook_deliveries, webhooks
from scim_bridge.identity.webhook_deliveries import Delivery, Redelivery
from scim_bridge.identity.webhooks import WebhookSecret, WebhookView
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "webhooks"
PATH = "/webhooks"
WRITE = webhooks.PERMISSION
KINDS = "Actions of the audit, such as `alert.opened` or `group.*`; `*` for all; `audit.entry` streams the audit."


class NewWebhook(Fields):
    """A receiver to be added."""

    name: str = Field(max_length=63)
    url: str = Field(max_length=2048, description="https:// and a public address.")
    kinds: tuple[str, ...] = Field(max_length=50, description=KINDS)


class ChangedWebhook(Fields):
    """What is to be otherwise."""

    url: str | None = Field(default=None, max_length=2048)
    kinds: tuple[str, ...] | None = Field(default=None, max_length=50, description=KINDS)


class Rotation(Fields):
    """How long both secrets sign."""

    overlap_hours: float = Field(default=24, ge=0, le=168)


class DeliveriesQuery(Paged):
    """Which deliveries are wanted."""

    state: str | None = Field(default=None, max_length=16, description="queued, delivered or dead.")


class Again(Fields):
    """What is to be sent again."""

    since: str = Field(max_length=40, description="`2h` or `7d` for so long ago, or an ISO 8601 time.")
    everything: bool = Field(default=False, description="What was taken, too.")


@operation("GET", PATH, tag=TAG, permission=WRITE, query=Paged, answers=Page[WebhookView])
def list_(call: Call) -> Page[WebhookView]:
    """List the webhooks, without their secrets."""
    return call.page(webhooks.list_all(call.database, call.organization), lambda each: (each.name,))


@operation("POST", PATH, tag=TAG, permission=WRITE, body=NewWebhook, answers=WebhookSecret, status=HTTPStatus.CREATED)
def add(call: Call) -> WebhookSecret:
    """Add a receiver of what happens from now on; its secret is shown this once."""
    given = call.given(NewWebhook)
    return webhooks.add(
        call.runtime, call.actor, call.organization, given.name, given.url, given.kinds, call.request_id
    )


@operation("PATCH", f"{PATH}/<webhook>", tag=TAG, permission=WRITE, body=ChangedWebhook, answers=WebhookView)
def change(call: Call, webhook: str) -> WebhookView:
    """Give it another address, or other kinds of events."""
    given = call.given(ChangedWebhook)
    return webhooks.change(
        call.runtime,
        call.actor,
        call.organization,
        webhook,
        url=given.url,
        kinds=given.kinds,
        request_id=call.request_id,
    )


@operation("DELETE", f"{PATH}/<webhook>", tag=TAG, permission=WRITE)
def remove(call: Call, webhook: str) -> None:
    """Take a webhook away; its secret is forgotten."""
    webhooks.remove(call.database, call.actor, call.organization, webhook, call.request_id)


@operation("POST", f"{PATH}/<webhook>/rotate", tag=TAG, permission=WRITE, body=Rotation, answers=WebhookSecret)
def rotate(call: Call, webhook: str) -> WebhookSecret:
    """Make another secret, shown this once; both sign for the time of the overlap."""
    overlap = timedelta(hours=call.given(Rotation).overlap_hours)
    return webhooks.rotate(call.runtime, call.actor, call.organization, webhook, overlap, call.request_id)


@operation("POST", f"{PATH}/<webhook>/enable", tag=TAG, permission=WRITE, answers=WebhookView)
def enable(call: Call, webhook: str) -> WebhookView:
    """Tell it again what happens from now on."""
    return webhooks.enable(call.database, call.actor, call.organization, webhook, call.request_id)


@operation("POST", f"{PATH}/<webhook>/disable", tag=TAG, permission=WRITE, answers=WebhookView)
def disable(call: Call, webhook: str) -> WebhookView:
    """Tell it nothing for now; what waits is dead."""
    return webhooks.disable(call.database, call.actor, call.organization, webhook, call.request_id)


@operation("POST", f"{PATH}/<webhook>/test", tag=TAG, permission=WRITE, answers=WebhookView)
def test(call: Call, webhook: str) -> WebhookView:
    """Send it, and no other, an event of the kind webhook.test."""
    return webhooks.send_test(call.database, call.actor, call.organization, webhook, call.request_id)


@operation(
    "GET", f"{PATH}/<webhook>/deliveries", tag=TAG, permission=WRITE, query=DeliveriesQuery, answers=Page[Delivery]
)
def deliveries(call: Call, webhook: str) -> Page[Delivery]:
    """List what was sent and what became of it, the newest first."""
    asked = call.asked(DeliveriesQuery)
    before = read_cursor(asked.cursor, 1)
    found = webhook_deliveries.list_deliveries(
        call.database, call.organization, webhook, asked.state, asked.limit, before[0] if before else None
    )
    return Page(found.deliveries, None if found.before is None else write_cursor((found.before,)))


@operation("POST", f"{PATH}/<webhook>/deliveries/<delivery>/redeliver", tag=TAG, permission=WRITE, answers=Redelivery)
def redeliver(call: Call, webhook: str, delivery: str) -> Redelivery:
    """Send one delivery again, under the id that it had."""
    return webhook_deliveries.redeliver(
        call.database, call.actor, call.organization, webhook, delivery, call.request_id
    )


@operation("POST", f"{PATH}/<webhook>/redeliver", tag=TAG, permission=WRITE, body=Again, answers=Redelivery)
def redeliver_since(call: Call, webhook: str) -> Redelivery:
    """Send what it has not taken since a moment: what was given up, and what happened while it was disabled."""
    given = call.given(Again)
    return webhook_deliveries.redeliver_since(
        call.database,
        call.actor,
        call.organization,
        webhook,
        given.since,
        everything=given.everything,
        request_id=call.request_id,
    )
