"""Users and groups in one list: `/.search` at the root (RFC 7644 §3.4.3)."""

from collections.abc import Sequence

from flask import Response

from scim_bridge.identity.provisioned import Asked, Reading, StoredGroup, StoredUser
from scim_bridge.scim import bodies, groups, pages, protocol, queries, users
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.protocol import blueprint
from scim_bridge.scim.queries import Query


@blueprint.post("/.search")
def search_everything() -> Response:
    """Answer a page of users and groups; without sortBy, users come first."""
    with protocol.reading() as reading:
        asked = {name.lower(): value for name, value in bodies.read_body().items()}
        # The same words are read with each schema: what one does not know, none of its resources has.
        of_users, of_groups = (queries.read_query(asked, schema, protocol.settings()) for schema in (USER, GROUP))
        both = Asked(of_users.filter, of_users.order), Asked(of_groups.filter, of_groups.order)
        found = reading.everything(*both, pages.window_of(reading, both, of_users))
        shown = _shown(reading, found.rows, of_users, of_groups)
        return pages.answer_page(reading, both, of_users, found, shown)


def _shown(
    reading: Reading, rows: Sequence[StoredUser | StoredGroup], of_users: Query, of_groups: Query
) -> list[dict[str, object]]:
    found_users = [row for row in rows if isinstance(row, StoredUser)]
    found_groups = [row for row in rows if isinstance(row, StoredGroup)]
    shown = [
        *users.resources(reading, found_users, of_users.projection),
        *groups.resources(reading, found_groups, of_groups.projection),
    ]
    by_id = {each["id"]: each for each in shown}
    return [by_id[row.id] for row in rows]
