"""Groups: `/Groups`. Members are changed one by one, whatever the size of the group."""

from collections.abc import Sequence
from http import HTTPStatus

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.provisioning import GroupRecord, MemberChange
from scim_bridge.identity import provisioning_groups
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.provisioned import Reading, StoredGroup
from scim_bridge.identity.provisioning_groups import GroupChange
from scim_bridge.scim import bodies, pages, protocol, queries, translate, versions
from scim_bridge.scim.attributes import GROUP
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.members import listed_members, part_members
from scim_bridge.scim.patching import apply_operations, read_operations
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.protocol import route
from scim_bridge.scim.queries import Query


@route("GET", "/Groups")
def list_groups(call: Call) -> Answer:
    """Answer a page of groups."""
    with protocol.reading(call) as reading:
        return _page(call, reading, queries.read_query(call.asked, GROUP, call.settings))


@route("POST", "/Groups/.search")
def search_groups(call: Call) -> Answer:
    """Answer a page of groups whose filter is too long, or too private, for a URL."""
    with protocol.reading(call) as reading:
        asked = {
            name.lower(): value for name, value in bodies.read_body(call.environ, call.settings.max_body_bytes).items()
        }
        return _page(call, reading, queries.read_query(asked, GROUP, call.settings))


@route("GET", "/Groups/<group_id>")
def get_group(call: Call, group_id: str) -> Answer:
    """Answer one group."""
    with protocol.reading(call) as reading:
        return _answer(call, reading, reading.group(group_id), queries.read_shown(call.asked, GROUP))


@route("POST", "/Groups")
def create_group(call: Call) -> Answer:
    """Add a group with its first members."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.CREATED)
    projection = queries.read_shown(call.asked, GROUP)
    record = translate.group_record(read_document(body, GROUP))
    group = provisioning_groups.create_group(
        call.door.database, exchange, record, listed_members(body, call.settings.max_members) or {}
    )
    return _answer_written(call, exchange.caller, group, projection, HTTPStatus.CREATED)


@route("PUT", "/Groups/<group_id>")
def replace_group(call: Call, group_id: str) -> Answer:
    """Replace what a group is, and its members if they are sent."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.OK)
    projection = queries.read_shown(call.asked, GROUP)
    record = translate.group_record(read_document(body, GROUP))
    members = listed_members(body, call.settings.max_members)
    # No list is not an empty list: a rename must not empty a group.
    change = MemberChange() if members is None else MemberChange().then_replace(members)
    group = provisioning_groups.change_group(
        call.door.database,
        exchange,
        group_id,
        GroupChange(change, lambda _: record),
        versions.expected_versions(call.header("HTTP_IF_MATCH")),
        _limits(call),
    )
    return _answer_written(call, exchange.caller, group, projection)


@route("PATCH", "/Groups/<group_id>")
def patch_group(call: Call, group_id: str) -> Answer:
    """Change a group's name or members without reading its member list."""
    exchange, body = protocol.exchange_with_body(call, HTTPStatus.NO_CONTENT)
    operations = read_operations(body, call.settings.max_patch_operations)
    members, rest = part_members(operations, call.settings.max_members)

    def named(group: StoredGroup) -> GroupRecord:
        return translate.group_record(apply_operations(group.read_document(), rest, GROUP))

    provisioning_groups.change_group(
        call.door.database,
        exchange,
        group_id,
        GroupChange(members, named if rest else None),
        versions.expected_versions(call.header("HTTP_IF_MATCH")),
        _limits(call),
    )
    # RFC 7644 §3.5.2 lets us answer 204; a group of 10,000 is not worth echoing.
    return protocol.answer_nothing()


def _limits(call: Call) -> BrakeLimits:
    """Return how many people new lists may leave out within an hour."""
    settings = call.settings
    return BrakeLimits(settings.brake_subjects, settings.brake_percent)


@route("DELETE", "/Groups/<group_id>")
def delete_group(call: Call, group_id: str) -> Answer:
    """Take a group out of the directory."""
    exchange = protocol.exchange(call, HTTPStatus.NO_CONTENT)
    provisioning_groups.delete_group(
        call.door.database, exchange, group_id, versions.expected_versions(call.header("HTTP_IF_MATCH"))
    )
    return protocol.answer_nothing()


def _answer_written(
    call: Call, caller: Caller, group: StoredGroup, projection: Projection, status: int = HTTPStatus.OK
) -> Answer:
    with protocol.reading_for(call, caller) as reading:
        return _answer(call, reading, group, projection, status)


def _answer(
    call: Call, reading: Reading, group: StoredGroup, projection: Projection, status: int = HTTPStatus.OK
) -> Answer:
    resource = resources(call, reading, [group], projection)[0]
    location = call.door.addresses.groups + group.id
    return protocol.answer_resource(call, resource, versions.etag(group.version), location, status)


def _page(call: Call, reading: Reading, query: Query) -> Answer:
    found = reading.groups(query.filter, pages.window_of(call, reading, GROUP.name, query))
    shown = resources(call, reading, found.rows, query.projection)
    return pages.answer_page(call, reading, GROUP.name, query, found, shown)


def resources(
    call: Call, reading: Reading, groups: Sequence[StoredGroup], projection: Projection
) -> list[dict[str, object]]:
    """Return groups as they are answered."""
    addresses = call.door.addresses
    ids = [group.id for group in groups] if projection.wants("members") else []
    members = reading.members_of(ids, addresses.users, addresses.groups)
    return [translate.group_resource(group, members.get(group.id, "[]"), addresses, projection) for group in groups]
