"""What other clocks than this process's say."""

from datetime import datetime

import sqlalchemy as sa

from scim_bridge.store.schema import audit_entry


def database_time(connection: sa.Connection) -> datetime | None:
    """Return the database server's time; None for SQLite, whose clock is this machine's."""
    if connection.dialect.name == "sqlite":
        return None
    found: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return found


def newest_entry(connection: sa.Connection) -> datetime | None:
    """Return the time of the last audit entry that was written."""
    query = sa.select(audit_entry.c.at).order_by(audit_entry.c.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()
