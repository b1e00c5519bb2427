"""
Cursors (RFC 9865): where a page ended, sealed with the installation's keys.

A client can neither read one (it holds values of people) nor make one, and each is good for one list only: the same
directory, resources, filter and order.
"""

import hashlib
from datetime import datetime

import orjson

from scim_bridge.domain.paging import Position
from scim_bridge.errors import Invalid, StoreError
from scim_bridge.identity.runtime import Keyring

# Counted up when positions of another form are made.
FORM = 1
LONGEST = 16 * 1024


def list_name(*parts: object) -> str:
    """Return the name of the list that a cursor belongs to, made of all that chooses what is in it, and its order."""
    return hashlib.sha256(repr((FORM, *parts)).encode()).hexdigest()


def seal_cursor(keyring: Keyring, name: str, position: Position, at: datetime) -> str:
    """Return the cursor of a list's position, made at this time."""
    return keyring.seal(orjson.dumps([name, at.timestamp(), position]).decode())


def open_cursor(keyring: Keyring, name: str, cursor: str, oldest: datetime) -> Position:
    """Return where to go on; raises Invalid (invalidCursor, expiredCursor) for a cursor that is not of this list."""
    if len(cursor) > LONGEST:
        raise _invalid()
    try:
        found = orjson.loads(keyring.open(cursor))
    except (StoreError, ValueError):
        raise _invalid() from None
    if not isinstance(found, list) or found[0] != name:
        raise _invalid()
    if found[1] < oldest.timestamp():
        raise Invalid("The cursor has expired: begin again with an empty one.", "cursor", scim_type="expiredCursor")
    return tuple(found[2])


def _invalid() -> Invalid:
    sentence = "The cursor is none of this list: it must be empty, or the nextCursor of the same filter and order."
    return Invalid(sentence, "cursor", scim_type="invalidCursor")
