"""Alerts: what is so now that somebody should look at, and who gets mails about it."""

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import alerts
from scim_bridge.identity.alerts import AlertRoute, StoredAlert
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "alerts"
WRITE = alerts.PERMISSION


class AlertsQuery(Paged):
    """Which alerts are wanted."""

    closed: bool = Field(default=False, description="Those that ended, too.")


class Addresses(Fields):
    """Who gets mails."""

    addresses: tuple[str, ...] = Field(max_length=20, description="E-mail addresses; none: nobody gets a mail.")


@operation("GET", "/alerts", tag=TAG, permission=alerts.SEEING, query=AlertsQuery, answers=Page[StoredAlert])
def list_(call: Call) -> Page[StoredAlert]:
    """List what is so now, the newest first."""
    asked = call.asked(AlertsQuery)
    before = read_cursor(asked.cursor, 1)
    found = alerts.list_alerts(
        call.database,
        call.organization,
        closed=asked.closed,
        limit=asked.limit,
        before=before[0] if before else None,
    )
    return Page(found.alerts, None if found.before is None else write_cursor((found.before,)))


@operation("GET", "/alert-routes", tag=TAG, permission=WRITE, query=Paged, answers=Page[AlertRoute])
def list_routes(call: Call) -> Page[AlertRoute]:
    """List the kinds of alerts, and who gets mails about each."""
    return call.page(alerts.list_routes(call.database, call.organization), lambda each: (each.kind,))


@operation("PUT", "/alert-routes/<kind>", tag=TAG, permission=WRITE, body=Addresses, answers=AlertRoute)
def set_route(call: Call, kind: str) -> AlertRoute:
    """Let these addresses get the mails about a kind of alert, and no others."""
    addresses = call.given(Addresses).addresses
    return alerts.set_route(call.database, call.actor, call.organization, kind, addresses, call.request_id)


@operation("DELETE", "/alert-routes/<kind>", tag=TAG, permission=WRITE, answers=AlertRoute)
def drop_route(call: Call, kind: str) -> AlertRoute:
    """Let the owners and admins get the mails about a kind of alert again."""
    return alerts.drop_route(call.database, call.actor, call.organization, kind, call.request_id)
