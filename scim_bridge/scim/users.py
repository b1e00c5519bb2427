"""Users: `/Users`."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response

from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.identity import provisioning_users
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.provisioned import NamedGroup, Reading, StoredUser, groups_of
from scim_bridge.scim import bodies, pages, protocol, queries, translate, versions
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.patching import apply_operations, read_operations
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.protocol import blueprint
from scim_bridge.scim.queries import Query
from scim_bridge.web.context import runtime


@blueprint.get("/Users")
def list_users() -> Response:
    """Answer a page of users."""
    with protocol.reading() as reading:
        return _page(reading, queries.sent_query(USER, protocol.settings()))


@blueprint.post("/Users/.search")
def search_users() -> Response:
    """Answer a page of users whose filter is too long, or too private, for a URL."""
    with protocol.reading() as reading:
        asked = {name.lower(): value for name, value in bodies.read_body().items()}
        return _page(reading, queries.read_query(asked, USER, protocol.settings()))


@blueprint.get("/Users/<user_id>")
def get_user(user_id: str) -> Response:
    """Answer one user."""
    with protocol.reading() as reading:
        user, projection = reading.user(user_id), queries.sent_projection(USER)
        groups = reading.groups_of([user.id])[user.id] if projection.wants("groups") else ()
        return _answer(user, groups, projection)


@blueprint.post("/Users")
def create_user() -> Response:
    """Add a user, or revive the inactive one that is named again."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.CREATED)
    projection = queries.sent_projection(USER)
    document = {"active": True, **read_document(body, USER)}
    user = provisioning_users.create_user(runtime().database, exchange, translate.user_record(document, active=True))
    return _answer_written(exchange.caller, user, projection, HTTPStatus.CREATED)


@blueprint.put("/Users/<user_id>")
def replace_user(user_id: str) -> Response:
    """Replace what a user is; who is active stays so where nothing is said of it."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.OK)
    projection = queries.sent_projection(USER)
    document = read_document(body, USER)

    def replaced(user: StoredUser) -> UserRecord:
        # RFC 7644 §3.5.1 would let us assume the default; a leaver must not come back by an omission.
        return translate.user_record({"active": user.active, **document}, active=user.active)

    user = provisioning_users.change_user(runtime().database, exchange, user_id, replaced, versions.expected_versions())
    return _answer_written(exchange.caller, user, projection)


@blueprint.patch("/Users/<user_id>")
def patch_user(user_id: str) -> Response:
    """Change a user by operations, all or none of them."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.OK)
    projection = queries.sent_projection(USER)
    operations = tuple(read_operations(body, protocol.settings().max_patch_operations))

    def patched(user: StoredUser) -> UserRecord:
        return translate.user_record(apply_operations(user.read_document(), operations, USER), active=user.active)

    user = provisioning_users.change_user(runtime().database, exchange, user_id, patched, versions.expected_versions())
    return _answer_written(exchange.caller, user, projection)


@blueprint.delete("/Users/<user_id>")
def delete_user(user_id: str) -> Response:
    """Take a user out of the directory."""
    exchange = protocol.exchange(HTTPStatus.NO_CONTENT)
    provisioning_users.delete_user(runtime().database, exchange, user_id, versions.expected_versions())
    return protocol.answer_nothing()


def _answer_written(caller: Caller, user: StoredUser, projection: Projection, status: int = HTTPStatus.OK) -> Response:
    groups = groups_of(runtime().database, caller, user.id) if projection.wants("groups") else ()
    return _answer(user, groups, projection, status)


def _answer(
    user: StoredUser, groups: Sequence[NamedGroup], projection: Projection, status: int = HTTPStatus.OK
) -> Response:
    addresses = protocol.addresses()
    resource = translate.user_resource(user, groups, addresses, projection)
    return protocol.answer_resource(resource, versions.etag(user.version), addresses.users + user.id, status)


def _page(reading: Reading, query: Query) -> Response:
    found = reading.users(query.filter, pages.window_of(reading, USER.name, query))
    shown = resources(reading, found.rows, query.projection)
    return pages.answer_page(reading, USER.name, query, found, shown)


def resources(reading: Reading, users: Sequence[StoredUser], projection: Projection) -> list[dict[str, object]]:
    """Return users as they are answered."""
    groups = reading.groups_of([user.id for user in users]) if projection.wants("groups") else {}
    addresses = protocol.addresses()
    return [translate.user_resource(user, groups.get(user.id, ()), addresses, projection) for user in users]
