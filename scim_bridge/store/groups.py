"""Groups of directories: their names here, their members in `store.memberships`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.filters import Filter
from scim_bridge.domain.paging import Window
from scim_bridge.domain.people import DirectoryId, GroupId
from scim_bridge.domain.provisioning import Document, GroupRecord
from scim_bridge.errors import NotUnique
from scim_bridge.store.changes import Change
from scim_bridge.store.documents import reader
from scim_bridge.store.effects import note
from scim_bridge.store.filters import GROUP_COLUMNS, group_condition
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.json_text import fixed, joined
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.paging import Listed, Page, find_page, sort_keys
from scim_bridge.store.schema import membership, nesting, user_group
from scim_bridge.store.statements import write_later
from scim_bridge.store.users import canonical


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group of a directory as stored, without its members; ``document`` is JSON text."""

    id: GroupId
    directory_id: DirectoryId
    display_name: str
    external_id: str | None
    document: str
    version: int
    created_at: datetime
    updated_at: datetime

    def read_document(self) -> Document:
        """Return the document as a dictionary of its own."""
        read: Document = orjson.loads(self.document)
        return read


_COLUMNS = (
    user_group.c.id,
    user_group.c.directory_id,
    user_group.c.display_name,
    user_group.c.external_id,
    user_group.c.document,
    user_group.c.version,
    user_group.c.created_at,
    user_group.c.updated_at,
)
_BY_IDS = sa.select(*_COLUMNS).where(user_group.c.id.in_(listed("ids")))
_GET = sa.select(*_COLUMNS).where(
    user_group.c.directory_id == sa.bindparam("directory"),
    user_group.c.id == sa.bindparam("id"),
    user_group.c.removed_at.is_(None),
)
_LOCK = _GET.with_for_update(key_share=True)
_LOCK_MANY = (
    sa.select(user_group.c.id)
    .where(user_group.c.id.in_(listed("ids")))
    .order_by(user_group.c.id)
    .with_for_update(key_share=True)
)
_INSERT = sa.insert(user_group)
_UPDATE = sa.update(user_group).where(user_group.c.id == sa.bindparam("group"))
_TOUCH = (
    sa.update(user_group)
    .where(user_group.c.id.in_(listed("ids")))
    .values(version=user_group.c.version + 1, updated_at=sa.bindparam("at"))
)


def _members_json(table: sa.Table, owner: sa.Column[Any], value: sa.Column[Any], kind: str) -> sa.Select[Any]:
    # One text a group, joined in the database: ten thousand members never become Python objects. Ids need no escaping.
    entry = (fixed('{"value":"') + value + fixed('","$ref":"') + sa.bindparam("base", type_=sa.Text) + value) + fixed(
        f'","type":"{kind}"}}'
    )
    # A text for each group, put together by a sub-select of its own: no database sorts the members by group first.
    members = (
        sa.select(joined(entry))
        .where(
            owner == user_group.c.id,
            table.c.valid_to.is_(None),
            table.c.origin == "scim",
            table.c.held.is_(False),
        )
        .correlate(user_group)
        .scalar_subquery()
    )
    return sa.select(user_group.c.id, members).where(
        user_group.c.directory_id == sa.bindparam("directory"), user_group.c.id.in_(listed("groups"))
    )


_USER_MEMBERS = _members_json(membership, membership.c.group_id, membership.c.scim_user_id, "User")
_GROUP_MEMBERS = _members_json(nesting, nesting.c.parent_id, nesting.c.child_id, "Group")


def get_group(connection: sa.Connection, directory_id: DirectoryId, group_id: str) -> StoredGroup | None:
    """Return a directory's present group."""
    return _one(connection, _GET, {"directory": directory_id, "id": group_id})


def lock_group(connection: sa.Connection, directory_id: DirectoryId, group_id: str) -> StoredGroup | None:
    """Return a directory's present group, kept from other writers until the transaction ends."""
    return _one(connection, _LOCK, {"directory": directory_id, "id": group_id})


def lock_groups(connection: sa.Connection, group_ids: Iterable[GroupId]) -> None:
    """Keep these groups from other writers; always in the order of their ids, so that two writers cannot meet."""
    ids = as_list(group_ids)
    if ids != "[]":
        connection.execute(_LOCK_MANY, {"ids": ids})


def find_groups(
    connection: sa.Connection, directory_id: DirectoryId, filter_: Filter | None, window: Window
) -> Page[StoredGroup]:
    """Return a page of the directory's present groups that satisfy the filter; ids order what nothing else does."""
    keys = sort_keys(window.order, GROUP_COLUMNS, reader(connection, user_group.c.document))
    found = Listed(user_group, _COLUMNS, [*keys, user_group.c.id])
    page = find_page(connection, found, present_groups(connection, directory_id, filter_), window)
    return Page(page.total, [_group(row[: len(_COLUMNS)]) for row in page.rows], page.end)


def present_groups(
    connection: sa.Connection, directory_id: DirectoryId, filter_: Filter | None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on ``user_group`` of a directory's present groups that satisfy the filter."""
    where = [user_group.c.directory_id == directory_id, user_group.c.removed_at.is_(None)]
    return where if filter_ is None else [*where, group_condition(connection, filter_)]


def groups_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, StoredGroup]:
    """Return the groups with these ids."""
    rows = connection.execute(_BY_IDS, {"ids": as_list(ids)}).all() if ids else ()
    return {row[0]: _group(row) for row in rows}


def insert_group(
    connection: sa.Connection, change: Change, directory_id: DirectoryId, record: GroupRecord
) -> StoredGroup:
    """Add a group; raises NotUnique if its displayName is taken in the directory."""
    made = GroupId(new_id())
    values = _values(record) | {"version": 1, "updated_at": change.at, "created_at": change.at}
    values |= {"id": made, "organization_id": change.organization_id, "directory_id": directory_id}
    write_later(connection, _INSERT, values, partial(_refuse_taken, record.display_name))
    note(connection, change, "group.began", group=made, directory=directory_id)
    return StoredGroup(
        made,
        directory_id,
        record.display_name,
        record.external_id,
        values["document"],
        1,
        change.at,
        change.at,
    )


def update_group(
    connection: sa.Connection, change: Change, group: StoredGroup, record: GroupRecord | None
) -> StoredGroup:
    """Count the group's version up, with a new name if there is one; raises NotUnique if that is taken."""
    values: dict[str, Any] = {"version": group.version + 1, "updated_at": change.at}
    if record is None:
        write_later(connection, _UPDATE, {"group": group.id, **values})
        name, external_id, document = group.display_name, group.external_id, group.document
    else:
        values |= _values(record)
        write_later(connection, _UPDATE, {"group": group.id, **values}, partial(_refuse_taken, record.display_name))
        name, external_id, document = record.display_name, record.external_id, values["document"]
    return StoredGroup(
        group.id,
        group.directory_id,
        name,
        external_id,
        document,
        group.version + 1,
        group.created_at,
        change.at,
    )


def touch_groups(connection: sa.Connection, change: Change, group_ids: Iterable[GroupId]) -> None:
    """Count up the version of groups whose members changed."""
    connection.execute(_TOUCH, {"ids": as_list(group_ids), "at": change.at})


def remove_group(connection: sa.Connection, change: Change, group: StoredGroup) -> None:
    """Take a group out of its directory; the row stays for history."""
    values = {"removed_at": change.at, "updated_at": change.at, "version": group.version + 1}
    connection.execute(_UPDATE, {"group": group.id, **values})
    note(connection, change, "group.ended", group=group.id)


def members_of(
    connection: sa.Connection,
    directory_id: DirectoryId,
    group_ids: Sequence[GroupId],
    users_url: str,
    groups_url: str,
) -> dict[GroupId, str]:
    """Return the members of each of a directory's groups that has any, as the JSON of a SCIM ``members`` list."""
    found: dict[GroupId, list[str]] = {}
    for statement, base in ((_USER_MEMBERS, users_url), (_GROUP_MEMBERS, groups_url)):
        for group_id, text in connection.execute(
            statement, {"directory": directory_id, "groups": as_list(group_ids), "base": base}
        ):
            if text is not None:
                found.setdefault(group_id, []).append(text)
    return {group_id: f"[{','.join(texts)}]" for group_id, texts in found.items()}


def _values(record: GroupRecord) -> dict[str, Any]:
    return {
        "display_name": record.display_name,
        "display_name_key": record.display_name_key,
        "external_id": record.external_id,
        "document": canonical(record.document),
    }


def _refuse_taken(name: str, error: IntegrityError) -> None:
    text = str(error.orig)
    if "display_name_key" in text or "uq_user_group" in text:
        raise NotUnique(f"Another group of this directory has the displayName {name!r}.") from None


def _one(connection: sa.Connection, statement: sa.Select[Any], values: dict[str, str]) -> StoredGroup | None:
    if any("\x00" in value for value in values.values()):
        # No text of PostgreSQL can hold it, so nothing is called so.
        return None
    row = connection.execute(statement, values).first()
    return None if row is None else _group(row)


def _group(row: Sequence[Any]) -> StoredGroup:
    return StoredGroup(*row)
