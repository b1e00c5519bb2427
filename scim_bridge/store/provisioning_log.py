"""What identity providers asked for, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import provisioning_log
from scim_bridge.store.texts import storable

_INSERT = sa.insert(provisioning_log)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request of an identity provider; ``body`` holds no password."""

    organization_id: OrganizationId
    directory_id: DirectoryId
    token_id: str
    request_id: str
    method: str
    target: str
    status: int
    milliseconds: int
    body: str | None = None
    user_agent: str | None = None
    address: str | None = None
    noun: str | None = None
    object_id: str | None = None
    change_id: str | None = None
    scim_type: str | None = None
    message: str | None = None


def add_entry(connection: sa.Connection, entry: LogEntry, at: datetime) -> None:
    """Write one entry, in the transaction of what it tells of."""
    connection.execute(
        _INSERT,
        {
            "id": new_id(),
            "organization_id": entry.organization_id,
            "directory_id": entry.directory_id,
            "token_id": entry.token_id,
            "at": at,
            "request_id": storable(entry.request_id, 64),
            "method": entry.method,
            "target": storable(entry.target, 2048),
            "status": entry.status,
            "scim_type": entry.scim_type,
            "message": storable(entry.message),
            "request_body": storable(entry.body),
            "user_agent": storable(entry.user_agent, 255),
            "address": storable(entry.address, 64),
            "noun": entry.noun,
            "object_id": entry.object_id,
            "change_id": entry.change_id,
            "milliseconds": entry.milliseconds,
        },
    )
