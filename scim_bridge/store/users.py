"""SCIM users: the document that a directory sent, and the columns it is found by."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.attributes import Derived
from scim_bridge.domain.filters import Attribute, Compare, Filter, Operator
from scim_bridge.domain.keys import fold
from scim_bridge.domain.paging import Window
from scim_bridge.domain.people import DirectoryId, MemberId, ScimUserId
from scim_bridge.domain.provisioning import Document, UserRecord
from scim_bridge.errors import NotUnique
from scim_bridge.store.changes import Change
from scim_bridge.store.counting import count_once, moment_mark
from scim_bridge.store.database import is_writing
from scim_bridge.store.documents import reader
from scim_bridge.store.effects import note
from scim_bridge.store.filters import USER_COLUMNS, user_condition
from scim_bridge.store.history import change_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.paging import Listed, Page, find_page, sort_keys
from scim_bridge.store.schema import member, scim_user
from scim_bridge.store.shown_groups import groups_of_user
from scim_bridge.store.statements import write_later

# An index entry of PostgreSQL takes 2,704 bytes; its other columns need some of them.
LONGEST_KEY = 1024


class StoredUser(NamedTuple):
    """
    A user of a directory as stored; ``document`` is JSON text.

    ``extensions`` is the JSON list of the names of its schema extensions, None for a user written before they were
    kept. ``groups`` is what `store.shown_groups` made, None where it was not read.
    """

    id: ScimUserId
    directory_id: DirectoryId
    member_id: MemberId
    user_name: str
    external_id: str | None
    active: bool
    document: str
    version: int
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None
    extensions: str | None = None
    groups: str | None = None

    def read_document(self) -> Document:
        """Return the document as a dictionary of its own."""
        read: Document = orjson.loads(self.document)
        return read


COLUMNS = (
    scim_user.c.id,
    scim_user.c.directory_id,
    scim_user.c.member_id,
    scim_user.c.user_name,
    scim_user.c.external_id,
    scim_user.c.active,
    scim_user.c.document,
    scim_user.c.version,
    scim_user.c.created_at,
    scim_user.c.updated_at,
    scim_user.c.removed_at,
    scim_user.c.extensions,
)
SHOWN = (*COLUMNS, groups_of_user(scim_user))
"""What a user is answered from: the columns, and the groups."""
_BY_IDS = sa.select(*SHOWN).where(scim_user.c.id.in_(listed("ids")))
_IN_DIRECTORY = sa.select(*SHOWN).where(scim_user.c.directory_id == sa.bindparam("directory"))
_LIVE = _IN_DIRECTORY.where(scim_user.c.removed_at.is_(None))
_GONE = sa.select(*COLUMNS).where(
    scim_user.c.directory_id == sa.bindparam("directory"), scim_user.c.removed_at.is_not(None)
)
_GET = _LIVE.where(scim_user.c.id == sa.bindparam("id"))
# NO KEY UPDATE: memberships that only refer to the user do not wait for it.
_LOCK = _GET.with_for_update(key_share=True)
_NAMED = _LIVE.where(scim_user.c.user_name_key == sa.bindparam("key"))
_BY_NAME = _NAMED.with_for_update(key_share=True)
# A page is found in an index that holds nothing else, and only its own users are read, with their groups.
_ids = (
    sa.select(scim_user.c.id)
    .where(scim_user.c.directory_id == sa.bindparam("directory"), scim_user.c.removed_at.is_(None))
    .order_by(scim_user.c.id)
    .limit(sa.bindparam("count", type_=sa.Integer))
    .offset(sa.bindparam("offset", type_=sa.Integer))
    .subquery("paged")
)
_PAGE = (
    sa.select(*COLUMNS, groups_of_user(scim_user), moment_mark())
    .join(_ids, _ids.c.id == scim_user.c.id)
    .order_by(scim_user.c.id)
)
_COUNT = (
    sa.select(sa.func.count())
    .select_from(scim_user)
    .where(scim_user.c.directory_id == sa.bindparam("directory"), scim_user.c.removed_at.is_(None))
)
# Put in order here: to spare itself the sorting of two rows, SQLite would go through every user by id.
_GONE_BY_NAME = _GONE.where(scim_user.c.user_name_key == sa.bindparam("key"))
_BY_EXTERNAL_ID = _LIVE.where(scim_user.c.external_id == sa.bindparam("key")).limit(2).with_for_update(key_share=True)
_GONE_BY_EXTERNAL_ID = _GONE.where(scim_user.c.external_id == sa.bindparam("key"))
_OTHERS_LIVE = sa.select(scim_user.c.id).where(
    scim_user.c.member_id == sa.bindparam("member"),
    scim_user.c.directory_id == sa.bindparam("directory"),
    scim_user.c.removed_at.is_(None),
)
_FORMER_IDS = sa.select(scim_user.c.id).where(
    scim_user.c.member_id == sa.bindparam("member"),
    scim_user.c.directory_id == sa.bindparam("directory"),
    scim_user.c.removed_at.is_not(None),
)
ACTIVE = "active"
"""The fact about a SCIM user: what its directory says of the person. Recorded once it changes."""

_INSERT = sa.insert(scim_user)
_UPDATE = sa.update(scim_user).where(scim_user.c.id == sa.bindparam("user"))


def get_user(connection: sa.Connection, directory_id: DirectoryId, user_id: str) -> StoredUser | None:
    """Return a directory's present user."""
    return _one(connection, _GET, {"directory": directory_id, "id": user_id})


def lock_user(connection: sa.Connection, directory_id: DirectoryId, user_id: str) -> StoredUser | None:
    """Return a directory's present user, kept from other writers until the transaction ends."""
    return _one(connection, _LOCK, {"directory": directory_id, "id": user_id})


def lock_by_user_name(connection: sa.Connection, directory_id: DirectoryId, key: str) -> StoredUser | None:
    """Return the present user with this userName key, locked."""
    return _one(connection, _BY_NAME, {"directory": directory_id, "key": key})


def lock_only_carrier(connection: sa.Connection, directory_id: DirectoryId, external_id: str) -> StoredUser | None:
    """Return the present user with this externalId, locked, if exactly one carries it."""
    rows = connection.execute(_BY_EXTERNAL_ID, {"directory": directory_id, "key": external_id}).all()
    return _user(rows[0]) if len(rows) == 1 else None


def find_gone(connection: sa.Connection, directory_id: DirectoryId, record: UserRecord) -> StoredUser | None:
    """
    Return the removed user that a record names: by userName, else by an externalId that one person alone carried.

    A userName that the directory gave to somebody with another externalId names nobody: it was handed on.
    """
    named = _newest_first(connection, _GONE_BY_NAME, {"directory": directory_id, "key": record.user_name_key})
    by_name = named[0] if named else None
    if by_name is not None and record.external_id and by_name.external_id not in (None, "", record.external_id):
        by_name = None
    if by_name is not None or not record.external_id:
        return by_name
    found = _newest_first(connection, _GONE_BY_EXTERNAL_ID, {"directory": directory_id, "key": record.external_id})
    return found[0] if len({user.member_id for user in found}) == 1 else None


def former_ids(connection: sa.Connection, directory_id: DirectoryId, member_id: MemberId) -> list[ScimUserId]:
    """Return the ids under which a directory had a person before."""
    query = {"member": member_id, "directory": directory_id}
    return [ScimUserId(user_id) for user_id in connection.execute(_FORMER_IDS, query).scalars()]


def has_present_user(connection: sa.Connection, directory_id: DirectoryId, member_id: MemberId) -> bool:
    """Say whether a directory has a present user for this member."""
    query = {"member": member_id, "directory": directory_id}
    return connection.execute(_OTHERS_LIVE, query).first() is not None


def find_users(
    connection: sa.Connection, directory_id: DirectoryId, filter_: Filter | None, window: Window
) -> Page[StoredUser]:
    """Return a page of the directory's present users that satisfy the filter; ids order what nothing else does."""
    if window.order is None and window.after is None:
        match filter_:
            case None:
                return _page(connection, directory_id, window.offset, window.count)
            case Compare(Attribute(("userName",)), Operator.EQUAL, str(name)):
                named = _one(connection, _NAMED, {"directory": directory_id, "key": fold(name)})
                return Page(int(named is not None), [named][window.offset :][: window.count] if named else [])
    keys = sort_keys(window.order, USER_COLUMNS, reader(connection, scim_user.c.document))
    found = Listed(scim_user, COLUMNS, [*keys, scim_user.c.id])
    page = find_page(connection, found, present_users(connection, directory_id, filter_), window)
    return Page(page.total, [_user(row[: len(COLUMNS)]) for row in page.rows], page.end)


def present_users(
    connection: sa.Connection, directory_id: DirectoryId, filter_: Filter | None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on ``scim_user`` of a directory's present users that satisfy the filter."""
    where = [scim_user.c.directory_id == directory_id, scim_user.c.removed_at.is_(None)]
    return where if filter_ is None else [*where, user_condition(connection, directory_id, filter_)]


def users_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, StoredUser]:
    """Return the users with these ids."""
    rows = connection.execute(_BY_IDS, {"ids": as_list(ids)}).all() if ids else ()
    return {row[0]: _user(row) for row in rows}


def _page(connection: sa.Connection, directory_id: DirectoryId, offset: int, count: int) -> Page[StoredUser]:
    wanted: dict[str, Any] = {"directory": directory_id, "offset": offset, "count": count}
    rows = connection.execute(_PAGE, wanted).all() if count else []
    users = [_user(row[:-1]) for row in rows]
    if rows and len(rows) < count:
        return Page(offset + len(rows), users)
    if rows and not is_writing(connection):
        return Page(count_once(connection, rows[0][-1], _COUNT, {"directory": directory_id}), users)
    return Page(connection.execute(_COUNT, {"directory": directory_id}).scalar_one(), users)


def insert_user(
    connection: sa.Connection, change: Change, directory_id: DirectoryId, member_id: MemberId, record: UserRecord
) -> StoredUser:
    """Add a user; raises NotUnique, at the end of the transaction if not before, if its userName is taken."""
    made = ScimUserId(new_id())
    values = _values(record, 1, change.at)
    values |= {"id": made, "organization_id": change.organization_id, "directory_id": directory_id}
    values |= {"member_id": member_id, "created_at": change.at}
    write_later(connection, _INSERT, values, partial(_refuse_taken, record.user_name))
    words = {"member": member_id, "directory": directory_id, "active": record.active}
    note(connection, change, "user.began", user=made, **words)
    return StoredUser(
        made,
        directory_id,
        member_id,
        record.user_name,
        record.external_id,
        record.active,
        values["document"],
        1,
        change.at,
        change.at,
        None,
        values["extensions"],
        "",
    )


def update_user(connection: sa.Connection, change: Change, user: StoredUser, record: UserRecord) -> StoredUser:
    """Store a new state of a user; raises NotUnique, at the end of the transaction if not before, as `insert_user`."""
    values = _values(record, user.version + 1, change.at)
    write_later(connection, _UPDATE, {"user": user.id, **values}, partial(_refuse_taken, record.user_name))
    if record.active != user.active:
        was = (_word(active=user.active), user.created_at)
        change_fact(connection, change, "member", user.id, ACTIVE, _word(active=record.active), was)
    return StoredUser(
        user.id,
        user.directory_id,
        user.member_id,
        record.user_name,
        record.external_id,
        record.active,
        values["document"],
        user.version + 1,
        user.created_at,
        change.at,
        None,
        values["extensions"],
        user.groups,
    )


def remove_user(connection: sa.Connection, change: Change, user: StoredUser) -> None:
    """Take a user out of its directory; the row stays, so that the same person can be known again."""
    connection.execute(
        _UPDATE,
        {"user": user.id, "removed_at": change.at, "updated_at": change.at, "version": user.version + 1},
    )


def _word(*, active: bool) -> str:
    return "true" if active else "false"


def counts_for_access() -> sa.ColumnElement[bool]:
    """
    Return the condition on ``scim_user``, joined with ``member``, under which what a user brought gives access.

    The authoritative directory's active=false deactivates the member, and nothing more has to be said; another
    directory's only takes away what it brought itself, until it says active again.
    """
    return sa.or_(
        scim_user.c.active.is_(sa.true()),
        member.c.directory_id.is_(None),
        member.c.directory_id == scim_user.c.directory_id,
    )


def canonical(document: Document) -> str:
    """Return a document as the text that is stored: equal documents give equal text."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def mapped_columns(mapped: Derived | None) -> dict[str, str | None]:
    """Return what is stored of what a directory's own mapping makes of a user."""
    if mapped is None:
        return {"mapped": None, "lacks": None}
    values = orjson.dumps(dict(mapped.values), option=orjson.OPT_SORT_KEYS).decode()
    return {"mapped": values, "lacks": " ".join(mapped.lacks) or None}


def extensions(document: Document) -> list[str]:
    """Return the names of the schema extensions that a document holds."""
    return [name for name in document if name[:4].lower() == "urn:"]


def _values(record: UserRecord, version: int, at: datetime) -> dict[str, Any]:
    return {
        "user_name": record.user_name,
        "user_name_key": record.user_name_key,
        "external_id": record.external_id,
        **_email_columns(record),
        "display_name": record.names.display_name,
        **mapped_columns(record.mapped),
        "active": record.active,
        "document": canonical(record.document),
        "extensions": orjson.dumps(extensions(record.document)).decode(),
        "version": version,
        "updated_at": at,
    }


def _email_columns(record: UserRecord) -> dict[str, Any]:
    """Return what filters on ``emails.value`` look up: of the document's own addresses, not of those rules made up."""
    found = record.document.get("emails")
    values = [each.get("value") for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    keys = list(dict.fromkeys(fold(value) for value in values if isinstance(value, str)))
    fits = bool(keys) and len(keys[0].encode()) <= LONGEST_KEY
    return {"email_key": keys[0] if fits else None, "more_emails": len(keys) > 1 or (bool(keys) and not fits)}


def _refuse_taken(name: str, error: IntegrityError) -> None:
    if "user_name_key" in str(error.orig):
        raise NotUnique(f"Another user of this directory has the userName {name!r}.") from None


def _one(connection: sa.Connection, statement: sa.Select[Any], values: dict[str, str]) -> StoredUser | None:
    if any("\x00" in value for value in values.values()):
        # No text of PostgreSQL can hold it, so nothing is called so.
        return None
    row = connection.execute(statement, values).first()
    return None if row is None else _user(row)


def _newest_first(connection: sa.Connection, statement: sa.Select[Any], values: dict[str, str]) -> list[StoredUser]:
    rows = connection.execute(statement, values).all()
    return sorted((_user(row) for row in rows), key=attrgetter("id"), reverse=True)


def _user(row: Sequence[Any]) -> StoredUser:
    return StoredUser(*row)
