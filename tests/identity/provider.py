"""An identity provider that talks to its directory through the use cases, as the SCIM door does."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count as counter
from time import perf_counter
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.people import DirectoryKind, GroupId, MemberState, ScimUserId
from scim_bridge.domain.provisioning import Document, GroupRecord, MemberChange, UserRecord
from scim_bridge.identity import directories, organizations
from scim_bridge.identity.callers import Caller, authenticate
from scim_bridge.identity.exchanges import Exchange
from scim_bridge.identity.provisioned import open_reading
from scim_bridge.identity.provisioning_groups import GroupChange, change_group, create_group, delete_group
from scim_bridge.identity.provisioning_users import change_user, create_user, delete_user
from scim_bridge.scim import translate
from scim_bridge.scim.filters import attribute_path
from scim_bridge.store import schema
from scim_bridge.store.database import Database
from scim_bridge.store.groups import StoredGroup
from scim_bridge.store.users import StoredUser

HANDS = Actor(ActorKind.CLI, "tests")
_requests = counter(1)


def user_record(document: Document) -> UserRecord:
    """Read a document as the door does."""
    return translate.user_record(document, active=True)


def group_record(display_name: str, external_id: str | None = None) -> GroupRecord:
    """Name a group."""
    document: Document = {"displayName": display_name}
    if external_id is not None:
        document["externalId"] = external_id
    return GroupRecord(display_name, document, external_id)


@dataclass
class Provider:
    """One connection of one identity provider."""

    database: Database
    caller: Caller
    token: str

    @classmethod
    def connect(cls, database: Database, name: str = "okta", slug: str = "acme") -> "Provider":
        organizations.create(database, HANDS, slug)
        made = directories.create(database, HANDS, slug, name, DirectoryKind.OKTA)
        assert made.token is not None
        with database.read() as connection:
            return cls(database, authenticate(connection, made.token.text), made.token.text)

    def exchange(self, method: str = "POST", success: int = 201) -> Exchange:
        return Exchange(
            self.caller,
            f"request-{next(_requests)}",
            method,
            "/scim/v2/x",
            success,
            perf_counter(),
            read_path=attribute_path,
        )

    def post(self, user_name: str, **attributes: Any) -> StoredUser:
        document = {"userName": user_name, "active": True, **attributes}
        return create_user(self.database, self.exchange(), user_record(document))

    def patch(self, user_id: str, **attributes: Any) -> StoredUser:
        def changed(user: StoredUser) -> UserRecord:
            return user_record(user.read_document() | attributes)

        return change_user(self.database, self.exchange("PATCH", 200), user_id, changed)

    def delete(self, user_id: str) -> None:
        delete_user(self.database, self.exchange("DELETE", 204), user_id)

    def post_group(self, name: str, *members: str, external_id: str | None = None) -> StoredGroup:
        record = group_record(name, external_id)
        return create_group(self.database, self.exchange(), record, dict.fromkeys(members))

    def change(self, group_id: str, members: MemberChange, **named: Any) -> StoredGroup:
        return change_group(self.database, self.exchange("PATCH", 204), group_id, GroupChange(members), **named)

    def add(self, group_id: str, *members: str) -> StoredGroup:
        return self.change(group_id, MemberChange(add=dict.fromkeys(members)))

    def remove(self, group_id: str, *members: str) -> StoredGroup:
        return self.change(group_id, MemberChange(remove=dict.fromkeys(members)))

    def replace(self, group_id: str, members: Iterable[str]) -> StoredGroup:
        return self.change(group_id, MemberChange(add=dict.fromkeys(members), replace=True))

    def rename_group(self, group_id: str, name: str) -> StoredGroup:
        wanted = GroupChange(naming=lambda _group: group_record(name))
        return change_group(self.database, self.exchange("PATCH", 204), group_id, wanted)

    def delete_group(self, group_id: str) -> None:
        delete_group(self.database, self.exchange("DELETE", 204), group_id)

    def members(self, group_id: str) -> set[str]:
        """Return whom a GET of the group shows."""
        with open_reading(self.database, self.token) as reading:
            text = reading.members_of([GroupId(group_id)], "u/", "g/").get(GroupId(group_id), "[]")
            return {each["value"] for each in orjson.loads(text)}

    def groups_of(self, user_id: str) -> set[str]:
        """Return the names of the groups that a GET of the user shows."""
        with open_reading(self.database, self.token) as reading:
            return {group.name for group in reading.groups_of([ScimUserId(user_id)])[ScimUserId(user_id)]}

    def user(self, user_id: str) -> StoredUser:
        with open_reading(self.database, self.token) as reading:
            return reading.user(user_id)


def rows(database: Database, table: str, **equal: Any) -> list[dict[str, Any]]:
    """Return the rows of a table that have these values, oldest first."""
    found = schema.metadata.tables[table]
    query = sa.select(found).where(*(found.c[name] == value for name, value in equal.items())).order_by(found.c.id)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def state_of(database: Database, member_id: str) -> MemberState:
    """Return a member's state."""
    (row,) = rows(database, "member", id=member_id)
    return MemberState(row["state"])


def removals(database: Database, **equal: Any) -> list[tuple[str, str, str | None]]:
    """Return the removals asked for: whose, why, and where."""
    found = rows(database, "removal_request", **equal)
    return [(row["member_id"], row["cause"], row["extent"]) for row in found]


def actions(database: Database) -> list[str]:
    """Return what the audit says to people was done, oldest first."""
    return [row["action"] for row in rows(database, "audit_entry") if row["action"] != "access.changed"]
