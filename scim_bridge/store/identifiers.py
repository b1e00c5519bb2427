"""Time-ordered identifiers."""

from datetime import datetime

import uuid_utils


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562 §5.7) as text: ids made later sort later."""
    return str(uuid_utils.uuid7())


def first_id_at(moment: datetime) -> str:
    """Return the text before which the ids made earlier than a moment sort, to the millisecond."""
    digits = f"{max(0, int(moment.timestamp() * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}-"
