"""What a directory's own attribute mapping makes of the users that it writes, in the transaction that writes them."""

from dataclasses import replace

from scim_bridge.domain.attribute_files import read_mapping
from scim_bridge.domain.attributes import derive
from scim_bridge.domain.people import ScimUserId
from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.identity.exchanges import Exchange
from scim_bridge.store import attribute_mappings as store
from scim_bridge.store.database import Connection


def mapping_for(connection: Connection, exchange: Exchange) -> str | None:
    """Return the caller's mapping, which nobody changes until the transaction ends; call it before rows are locked."""
    return store.lock_mapping(connection, exchange.caller.organization_id, exchange.caller.directory_id)


def mapped_record(exchange: Exchange, record: UserRecord, mapping: str | None) -> UserRecord:
    """Return a record with what the mapping makes of it; None: the directory has none of its own."""
    if mapping is None:
        return record
    assert exchange.read_path is not None
    return replace(record, mapped=derive(read_mapping(mapping, exchange.read_path), record.document))


def keeping_required(connection: Connection, record: UserRecord, user_id: ScimUserId) -> UserRecord:
    """Return a record in which what is required and missing stays as it is stored: nobody loses it by a slip."""
    if record.mapped is None or not record.mapped.lacks:
        return record
    return replace(record, mapped=record.mapped.keeping(store.mapped_values(connection, user_id)))
