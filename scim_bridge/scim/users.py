"""Users: `/Users`."""

from collections.abc import Sequence
from http import HTTPStatus

from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.identity import provisioning_users
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.provisioned import NamedGroup, Reading, StoredUser, groups_of
from scim_bridge.scim import bodies, pages, protocol, queries, translate, versions
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.patching import apply_operations, read_operations
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.protocol import route
from scim_bridge.scim.queries import Query


@route("GET", "/Users")
def list_users(call: Call) -> Answer:
    """Answer a page of users."""
    with protocol.reading(call) as reading:
        return _page(call, reading, queries.read_query(call.asked, USER, call.settings))


@route("POST", "/Users/.search")
def search_users(call: Call) -> Answer:
    """Answer a page of users whose filter is too long, or too private, for a URL."""
    with protocol.reading(call) as reading:
        asked = {
            name.lower(): value for name, value in bodies.read_body(call.environ, call.settings.max_body_bytes).items()
        }
        return _page(call, reading, queries.read_query(asked, USER, call.settings))


@route("GET", "/Users/<user_id>")
def get_user(call: Call, user_id: str) -> Answer:
    """Answer one user."""
    with protocol.reading(call) as reading:
        user, projection = reading.user(user_id), queries.read_shown(call.asked, USER)
        groups = reading.groups_of([user.id])[user.id] if projection.wants("groups") else ()
        return _answer(call, user, groups, projection)


@route("POST", "/Users")
def create_user(call: Call) -> Answer:
    """Add a user, or revive the inactive one that is named again."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.CREATED)
    projection = queries.read_shown(call.asked, USER)
    document = {"active": True, **read_document(body, USER)}
    user = provisioning_users.create_user(call.door.database, exchange, translate.user_record(document, active=True))
    return _answer_written(call, exchange.caller, user, projection, HTTPStatus.CREATED)


@route("PUT", "/Users/<user_id>")
def replace_user(call: Call, user_id: str) -> Answer:
    """Replace what a user is; who is active stays so where nothing is said of it."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.OK)
    projection = queries.read_shown(call.asked, USER)
    document = read_document(body, USER)

    def replaced(user: StoredUser) -> UserRecord:
        # RFC 7644 §3.5.1 would let us assume the default; a leaver must not come back by an omission.
        return translate.user_record({"active": user.active, **document}, active=user.active)

    user = provisioning_users.change_user(
        call.door.database, exchange, user_id, replaced, versions.expected_versions(call.header("HTTP_IF_MATCH"))
    )
    return _answer_written(call, exchange.caller, user, projection)


@route("PATCH", "/Users/<user_id>")
def patch_user(call: Call, user_id: str) -> Answer:
    """Change a user by operations, all or none of them."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.OK)
    projection = queries.read_shown(call.asked, USER)
    operations = tuple(read_operations(body, call.settings.max_patch_operations))

    def patched(user: StoredUser) -> UserRecord:
        return translate.user_record(apply_operations(user.read_document(), operations, USER), active=user.active)

    user = provisioning_users.change_user(
        call.door.database, exchange, user_id, patched, versions.expected_versions(call.header("HTTP_IF_MATCH"))
    )
    return _answer_written(call, exchange.caller, user, projection)


@route("DELETE", "/Users/<user_id>")
def delete_user(call: Call, user_id: str) -> Answer:
    """Take a user out of the directory."""
    exchange = protocol.exchange(call, HTTPStatus.NO_CONTENT)
    provisioning_users.delete_user(
        call.door.database, exchange, user_id, versions.expected_versions(call.header("HTTP_IF_MATCH"))
    )
    return protocol.answer_nothing()


def _answer_written(
    call: Call, caller: Caller, user: StoredUser, projection: Projection, status: int = HTTPStatus.OK
) -> Answer:
    groups = groups_of(call.door.database, caller, user.id) if projection.wants("groups") else ()
    return _answer(call, user, groups, projection, status)


def _answer(
    call: Call, user: StoredUser, groups: Sequence[NamedGroup], projection: Projection, status: int = HTTPStatus.OK
) -> Answer:
    addresses = call.door.addresses
    resource = translate.user_resource(user, groups, addresses, projection)
    return protocol.answer_resource(call, resource, versions.etag(user.version), addresses.users + user.id, status)


def _page(call: Call, reading: Reading, query: Query) -> Answer:
    found = reading.users(query.filter, pages.window_of(call, reading, USER.name, query))
    shown = resources(call, reading, found.rows, query.projection)
    return pages.answer_page(call, reading, USER.name, query, found, shown)


def resources(
    call: Call, reading: Reading, users: Sequence[StoredUser], projection: Projection
) -> list[dict[str, object]]:
    """Return users as they are answered."""
    groups = reading.groups_of([user.id for user in users]) if projection.wants("groups") else {}
    addresses = call.door.addresses
    return [translate.user_resource(user, groups.get(user.id, ()), addresses, projection) for user in users]
