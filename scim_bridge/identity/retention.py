"""Throw away what is over for longer than the audit is kept."""

from datetime import datetime, timedelta

from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.retention import forget_some


def forget_ended(database: Database, days: int, at: datetime | None = None) -> int:
    """Take away removals, changes, mails, links and alerts that ended so many days ago; returns how many rows."""
    before = (at or now()) - timedelta(days=days)
    total = 0
    while True:
        # A part at a time, so that nobody waits.
        with database.write() as connection:
            found = forget_some(connection, before)
        total += found
        if not found:
            return total
