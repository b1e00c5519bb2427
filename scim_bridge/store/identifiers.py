"""Time-ordered identifiers."""

import uuid_utils


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562 §5.7) as text: ids made later sort later."""
    return str(uuid_utils.uuid7())
