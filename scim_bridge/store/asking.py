"""
Who asks and whom they ask for, in one statement: a look-up costs one round trip, the check of its token included.

The token is judged before the user is looked at, as if it had been read first.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.store import tokens
from scim_bridge.store.schema import directory, scim_user
from scim_bridge.store.tokens import PresentedToken
from scim_bridge.store.users import SHOWN, StoredUser

Found = tuple[PresentedToken | None, StoredUser | None]
Finding = Callable[[sa.Connection, str, str], Found]

_OF_TOKEN = len(tokens.COLUMNS)


def _user_of_token(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    present = (scim_user.c.directory_id == directory.c.id, scim_user.c.removed_at.is_(None), condition)
    return tokens.FIND.add_columns(*SHOWN).outerjoin(scim_user, sa.and_(*present))


_BY_ID = _user_of_token(scim_user.c.id == sa.bindparam("sought"))
_BY_NAME = _user_of_token(scim_user.c.user_name_key == sa.bindparam("sought"))


def user_by_id(connection: sa.Connection, digest: str, user_id: str) -> Found:
    """Return the token whose text has this hex SHA-256, and its directory's present user of this id."""
    return _find(connection, _BY_ID, digest, user_id)


def user_by_name(connection: sa.Connection, digest: str, name: str) -> Found:
    """Return the token whose text has this hex SHA-256, and its directory's present user of this userName."""
    return _find(connection, _BY_NAME, digest, fold(name))


def _find(connection: sa.Connection, statement: sa.Select[Any], digest: str, sought: str) -> Found:
    # No text of PostgreSQL can hold NUL, so nothing is called so; and nothing is called nothing.
    values = {"digest": digest, "sought": "" if "\x00" in sought else sought}
    row = connection.execute(statement, values).one_or_none()
    if row is None:
        return None, None
    user: tuple[Any, ...] = row[_OF_TOKEN:]
    return tokens.presented(row[:_OF_TOKEN]), None if user[0] is None else StoredUser(*user)
