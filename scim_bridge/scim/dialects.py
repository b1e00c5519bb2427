"""
What identity providers send instead of what RFC 7644 says; each quirk is one function, and only reading knows it.

Every function takes what was sent and returns what was meant. None depends on the kind of directory: what one vendor
does today, another does tomorrow. "Row" is the row of the demanded behaviours that simulator/wire names.
"""

from collections.abc import Iterator
from typing import Any

import orjson

TRUTH = {"true": True, "false": False}


def bearer_token(authorization: str | None) -> str | None:
    """
    Read the token of an ``Authorization`` header; None if it holds another kind of credential.

    Okta's header authentication sends it without a scheme (row 33), and whoever pastes "Bearer …" into a field that
    adds the word sends it twice.
    """
    words = (authorization or "").split()
    while words and words[0].lower() == "bearer":
        del words[0]
    return words[0] if len(words) == 1 else None


def operation_name(op: object) -> object:
    """Read ``Add``, ``Replace`` and ``Remove`` in any case (row 13, Entra)."""
    return op.strip().lower() if isinstance(op, str) else op


def operations_list(operations: object) -> object:
    """Read one operation that is not wrapped in a list (seen in hand-written clients)."""
    return [operations] if isinstance(operations, dict) else operations


def truth(value: object) -> object:
    """Read ``"True"`` and ``"False"`` as booleans (row 14, Entra): a naive test makes "False" true."""
    return TRUTH.get(value.strip().lower(), value) if isinstance(value, str) else value


def pathless_value(value: object) -> object:
    """Read a path-less value that is JSON inside a string (scim-for-keycloak's client)."""
    return _object_in(value) or value


def names_the_resource(name: str) -> bool:
    """
    Tell what a path-less value says about the resource itself: nothing to change, and no reason to refuse the rest.

    Okta sends the id with a rename (row 26), authentik schemas too; whole resources that come back hold meta, groups.
    """
    return name.lower() in ("id", "schemas", "meta", "groups")


def entries(value: object) -> object:
    """Read a single entry where a list belongs (Rippling, section 2.6)."""
    return value if isinstance(value, list) else [value]


def entry(value: object) -> object:
    """
    Read one entry of a list.

    A bare text is the entry's value. A text that is a JSON object (Entra's roles, section 2.1) is that object; its
    ``displayName`` is what RFC 7643 calls ``display``.
    """
    if isinstance(value, str):
        return entry({"value": value})
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        inside = _object_in(value["value"])
        if inside is not None:
            read = {key: each for key, each in inside.items() if key not in ("id", "displayName")}
            read.setdefault("display", inside.get("displayName"))
            return {**{key: each for key, each in value.items() if key != "value"}, **read}
    return value


def single_complex(value: object) -> object:
    """Read a complex value sent as its bare ``value``, as ``""`` for none, or as a list of one (2.3: Entra)."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        return {"value": value} if value else None
    # `{"value": ""}` is the same wish: no manager.
    return None if isinstance(value, dict) and value.get("value") == "" else value


def member_ids(value: object) -> Iterator[str]:
    """
    Read the ids of members: a list of entries, one entry, bare ids, or references alone.

    ``"$ref": null`` (Entra, section 2.1) and ``display`` are passed over. Raises ValueError for anything else.
    """
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            each = each.get("value") or _id_in(each.get("$ref"))
        if not isinstance(each, str) or not each.strip():
            raise ValueError("a member without an id")
        yield each


def names_members_to_remove(value: object) -> bool:
    """Tell Entra's legacy ``remove`` with a list of members from a removal of all (row 23)."""
    return value is not None


def _id_in(reference: object) -> object:
    return reference.rstrip("/").rpartition("/")[2] if isinstance(reference, str) else None


def _object_in(text: object) -> dict[str, Any] | None:
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return None
    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None
