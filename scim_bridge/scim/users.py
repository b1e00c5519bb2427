"""Users: `/Users`."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from scim_bridge.domain.filters import Compare
from scim_bridge.domain.people import ScimUserId
from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.identity import provisioning_users
from scim_bridge.identity.provisioned import (
    NamedGroups,
    Reading,
    StoredUser,
    find_user_by_id,
    find_user_by_name,
    groups_of,
    require_user,
)
from scim_bridge.scim import bodies, pages, protocol, queries, translate, versions
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.patching import apply_operations, read_operations
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.protocol import route
from scim_bridge.scim.queries import Query
from scim_bridge.scim.translate import Resource


@route("GET", "/Users")
def list_users(call: Call) -> Answer:
    """Answer a page of users."""
    named = queries.read_name(call.asked, call.settings)
    if named is not None and call.known_caller is None:
        return _answer_named(call, named)
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
    if call.known_caller is not None:
        with protocol.reading(call) as reading:
            user = reading.user(user_id)
    else:
        user = require_user(protocol.find_user(call, find_user_by_id, user_id), user_id)
    return _answer(call, user, queries.read_shown(call.asked, USER))


@route("POST", "/Users")
def create_user(call: Call) -> Answer:
    """Add a user, or revive the inactive one that is named again."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.CREATED)
    projection = queries.read_shown(call.asked, USER)
    document = {"active": True, **read_document(body, USER)}
    user = provisioning_users.create_user(call.door.database, exchange, translate.user_record(document, active=True))
    return _answer(call, user, projection, HTTPStatus.CREATED)


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
    return _answer(call, user, projection)


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
    return _answer(call, user, projection)


@route("DELETE", "/Users/<user_id>")
def delete_user(call: Call, user_id: str) -> Answer:
    """Take a user out of the directory."""
    exchange = protocol.exchange(call, HTTPStatus.NO_CONTENT)
    provisioning_users.delete_user(
        call.door.database, exchange, user_id, versions.expected_versions(call.header("HTTP_IF_MATCH"))
    )
    return protocol.answer_nothing()


def _answer(call: Call, user: StoredUser, projection: Projection, status: int = HTTPStatus.OK) -> Answer:
    [resource] = _resources(call, [user], projection, partial(groups_of, call.door.database, call.known))
    location = call.door.addresses.users + user.id
    return protocol.answer_resource(call, resource, versions.etag(user.version), location, status)


def _answer_named(call: Call, query: Query) -> Answer:
    """Answer what identity providers ask before they write: who is called so."""
    assert isinstance(query.filter, Compare)
    found = protocol.find_user(call, find_user_by_name, str(query.filter.value))
    users = [found][query.offset :][: query.count] if found is not None else []
    shown = _resources(call, users, query.projection, partial(groups_of, call.door.database, call.known))
    return protocol.answer_list(int(found is not None), query.start, shown)


def _page(call: Call, reading: Reading, query: Query) -> Answer:
    found = reading.users(query.filter, pages.window_of(call, reading, USER.name, query))
    shown = resources(call, reading, found.rows, query.projection)
    return pages.answer_page(call, reading, USER.name, query, found, shown)


def resources(call: Call, reading: Reading, users: Sequence[StoredUser], projection: Projection) -> list[Resource]:
    """Return users as they are answered."""
    return _resources(call, users, projection, reading.groups_of)


def _resources(
    call: Call,
    users: Sequence[StoredUser],
    projection: Projection,
    look_up: Callable[[Sequence[ScimUserId]], NamedGroups],
) -> list[Resource]:
    """Return users as they are answered; groups that were not read with them are looked up, if anybody wants them."""
    addresses = call.door.addresses
    texts = [translate.groups_text(user, addresses) for user in users]
    missing = [user.id for user, text in zip(users, texts, strict=True) if text is None]
    named = look_up(missing) if missing and projection.wants("groups") else {}
    return [
        translate.user_resource(
            user,
            translate.named_groups_text(named.get(user.id, ()), addresses) if text is None else text,
            addresses,
            projection,
        )
        for user, text in zip(users, texts, strict=True)
    ]
