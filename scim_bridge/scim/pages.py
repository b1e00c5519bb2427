"""A page of a list: which part of it a request means, and the answer, with a cursor where there is more."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from scim_bridge.domain.paging import Window
from scim_bridge.identity.provisioned import Page, Reading, now
from scim_bridge.scim import protocol
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.cursors import list_name, open_cursor, seal_cursor
from scim_bridge.scim.queries import Query
from scim_bridge.scim.translate import Resource


def window_of(call: Call, reading: Reading, resources: object, query: Query) -> Window:
    """Return which part of a list is asked for; raises Invalid for a cursor of another list, and for an old one."""
    if query.cursor is None:
        return Window(query.count, query.offset, query.order)
    if query.cursor == "":
        return Window(query.count, 0, query.order, after=())
    oldest = now() - timedelta(seconds=call.settings.cursor_seconds)
    name = _name(reading, resources, query)
    return Window(query.count, 0, query.order, open_cursor(call.door.runtime.keyring, name, query.cursor, oldest))


def answer_page(
    call: Call, reading: Reading, resources: object, query: Query, found: Page[Any], shown: Sequence[Resource]
) -> Answer:
    """Return what was found, as it is shown; the last page has no cursor."""
    if query.cursor is None:
        return protocol.answer_list(found.total, query.start, shown)
    if found.end is None:
        return protocol.answer_list(found.total, None, shown)
    cursor = seal_cursor(call.door.runtime.keyring, _name(reading, resources, query), found.end, now())
    return protocol.answer_list(found.total, None, shown, cursor)


def _name(reading: Reading, resources: object, query: Query) -> str:
    return list_name(reading.caller.directory_id, resources, query.filter, query.order)
