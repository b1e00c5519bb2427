"""Groups: `/Groups`. Members are changed one by one, whatever the size of the group."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.provisioning import GroupRecord, MemberChange
from scim_bridge.identity import provisioning_groups
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.provisioned import Reading, StoredGroup
from scim_bridge.identity.provisioning_groups import GroupChange
from scim_bridge.scim import bodies, pages, protocol, queries, translate, versions
from scim_bridge.scim.attributes import GROUP
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.members import listed_members, part_members
from scim_bridge.scim.patching import apply_operations, read_operations
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.protocol import blueprint
from scim_bridge.scim.queries import Query
from scim_bridge.web.context import runtime


@blueprint.get("/Groups")
def list_groups() -> Response:
    """Answer a page of groups."""
    with protocol.reading() as reading:
        return _page(reading, queries.sent_query(GROUP, protocol.settings()))


@blueprint.post("/Groups/.search")
def search_groups() -> Response:
    """Answer a page of groups whose filter is too long, or too private, for a URL."""
    with protocol.reading() as reading:
        asked = {name.lower(): value for name, value in bodies.read_body().items()}
        return _page(reading, queries.read_query(asked, GROUP, protocol.settings()))


@blueprint.get("/Groups/<group_id>")
def get_group(group_id: str) -> Response:
    """Answer one group."""
    with protocol.reading() as reading:
        return _answer(reading, reading.group(group_id), queries.sent_projection(GROUP))


@blueprint.post("/Groups")
def create_group() -> Response:
    """Add a group with its first members."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.CREATED)
    projection = queries.sent_projection(GROUP)
    record = translate.group_record(read_document(body, GROUP))
    group = provisioning_groups.create_group(
        runtime().database, exchange, record, listed_members(body, protocol.settings().max_members) or {}
    )
    return _answer_written(exchange.caller, group, projection, HTTPStatus.CREATED)


@blueprint.put("/Groups/<group_id>")
def replace_group(group_id: str) -> Response:
    """Replace what a group is, and its members if they are sent."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.OK)
    projection = queries.sent_projection(GROUP)
    record = translate.group_record(read_document(body, GROUP))
    members = listed_members(body, protocol.settings().max_members)
    # No list is not an empty list: a rename must not empty a group.
    change = MemberChange() if members is None else MemberChange().then_replace(members)
    group = provisioning_groups.change_group(
        runtime().database,
        exchange,
        group_id,
        GroupChange(change, lambda _: record),
        versions.expected_versions(),
        _limits(),
    )
    return _answer_written(exchange.caller, group, projection)


@blueprint.patch("/Groups/<group_id>")
def patch_group(group_id: str) -> Response:
    """Change a group's name or members without reading its member list."""
    exchange, body = protocol.exchange_with_body(HTTPStatus.NO_CONTENT)
    operations = read_operations(body, protocol.settings().max_patch_operations)
    members, rest = part_members(operations, protocol.settings().max_members)

    def named(group: StoredGroup) -> GroupRecord:
        return translate.group_record(apply_operations(group.read_document(), rest, GROUP))

    provisioning_groups.change_group(
        runtime().database,
        exchange,
        group_id,
        GroupChange(members, named if rest else None),
        versions.expected_versions(),
        _limits(),
    )
    # RFC 7644 §3.5.2 lets us answer 204; a group of 10,000 is not worth echoing.
    return protocol.answer_nothing()


def _limits() -> BrakeLimits:
    """Return how many people new lists may leave out within an hour."""
    settings = protocol.settings()
    return BrakeLimits(settings.brake_subjects, settings.brake_percent)


@blueprint.delete("/Groups/<group_id>")
def delete_group(group_id: str) -> Response:
    """Take a group out of the directory."""
    exchange = protocol.exchange(HTTPStatus.NO_CONTENT)
    provisioning_groups.delete_group(runtime().database, exchange, group_id, versions.expected_versions())
    return protocol.answer_nothing()


def _answer_written(
    caller: Caller, group: StoredGroup, projection: Projection, status: int = HTTPStatus.OK
) -> Response:
    with protocol.reading_for(caller) as reading:
        return _answer(reading, group, projection, status)


def _answer(reading: Reading, group: StoredGroup, projection: Projection, status: int = HTTPStatus.OK) -> Response:
    resource = resources(reading, [group], projection)[0]
    location = protocol.addresses().groups + group.id
    return protocol.answer_resource(resource, versions.etag(group.version), location, status)


def _page(reading: Reading, query: Query) -> Response:
    found = reading.groups(query.filter, pages.window_of(reading, GROUP.name, query))
    shown = resources(reading, found.rows, query.projection)
    return pages.answer_page(reading, GROUP.name, query, found, shown)


def resources(reading: Reading, groups: Sequence[StoredGroup], projection: Projection) -> list[dict[str, object]]:
    """Return groups as they are answered."""
    addresses = protocol.addresses()
    ids = [group.id for group in groups] if projection.wants("members") else []
    members = reading.members_of(ids, addresses.users, addresses.groups)
    return [translate.group_resource(group, members.get(group.id, "[]"), addresses, projection) for group in groups]
