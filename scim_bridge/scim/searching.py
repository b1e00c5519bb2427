"""Users and groups in one list: `/.search` at the root (RFC 7644 §3.4.3)."""

from collections.abc import Sequence

from scim_bridge.identity.provisioned import Asked, Reading, StoredGroup, StoredUser
from scim_bridge.scim import bodies, groups, pages, protocol, queries, users
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.protocol import route
from scim_bridge.scim.queries import Query
from scim_bridge.scim.translate import Resource


@route("POST", "/.search")
def search_everything(call: Call) -> Answer:
    """Answer a page of users and groups; without sortBy, users come first."""
    with protocol.reading(call) as reading:
        asked = {
            name.lower(): value for name, value in bodies.read_body(call.environ, call.settings.max_body_bytes).items()
        }
        # The same words are read with each schema: what one does not know, none of its resources has.
        of_users, of_groups = (queries.read_query(asked, schema, call.settings) for schema in (USER, GROUP))
        both = Asked(of_users.filter, of_users.order), Asked(of_groups.filter, of_groups.order)
        found = reading.everything(*both, pages.window_of(call, reading, both, of_users))
        shown = _shown(call, reading, found.rows, of_users, of_groups)
        return pages.answer_page(call, reading, both, of_users, found, shown)


def _shown(
    call: Call, reading: Reading, rows: Sequence[StoredUser | StoredGroup], of_users: Query, of_groups: Query
) -> list[Resource]:
    found_users = [row for row in rows if isinstance(row, StoredUser)]
    found_groups = [row for row in rows if isinstance(row, StoredGroup)]
    shown = [
        *users.resources(call, reading, found_users, of_users.projection),
        *groups.resources(call, reading, found_groups, of_groups.projection),
    ]
    by_id = dict(zip([*(user.id for user in found_users), *(group.id for group in found_groups)], shown, strict=True))
    return [by_id[row.id] for row in rows]
