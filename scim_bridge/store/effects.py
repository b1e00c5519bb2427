"""
What a change did to what access is derived from, for the audit: enough to play it again from there alone.

Whoever writes a row with from/to, or a fact, notes it here with ids and no personal value. At the end of the
transaction the notes of each change become audit entries of their own, in one statement: so no use case can forget
them, and none pays for them twice.
"""

from collections.abc import Mapping
from itertools import groupby

import sqlalchemy as sa

from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import AT_THE_END

ACTION = "access.changed"
AT_ONCE = 500
"""So many effects to an entry: one that nobody can read helps nobody."""

Effect = Mapping[str, object]
_NOTES = "scim_bridge_effects"


def note(connection: sa.Connection, change: Change, effect: str, **values: object) -> None:
    """Note one effect of a change, e.g. ``membership.began``; it is undone with the transaction."""
    notes: list[tuple[Change, Effect]] = connection.info.setdefault(_NOTES, [])
    if connection.info.get(AT_THE_END) is not write_down:
        # What an earlier transaction noted went with it.
        notes.clear()
        connection.info[AT_THE_END] = write_down
    notes.append((change, {"effect": effect, **{name: value for name, value in values.items() if value is not None}}))


def write_down(connection: sa.Connection) -> None:
    """Write what was noted in this transaction as audit entries."""
    notes: list[tuple[Change, Effect]] = connection.info.pop(_NOTES, [])
    for change, mine in groupby(notes, key=lambda noted: noted[0]):
        effects = [effect for _, effect in mine]
        for start in range(0, len(effects), AT_ONCE):
            detail = {"effects": effects[start : start + AT_ONCE]}
            add_audit(connection, change, ACTION, "organization", change.organization_id, detail)
