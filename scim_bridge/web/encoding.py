"""JSON for the whole application: orjson, with times in UTC and a ``Z``."""

from typing import Any

import orjson
from flask.json.provider import JSONProvider

OPTIONS = orjson.OPT_UTC_Z


def dump(value: object) -> bytes:
    """Return a value as JSON; a set is a sorted list."""
    return orjson.dumps(value, option=OPTIONS, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class OrjsonProvider(JSONProvider):
    """What Flask's ``jsonify`` and returned dictionaries go through."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return a value as JSON text."""
        return dump(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Return what a JSON text says."""
        return orjson.loads(s)
