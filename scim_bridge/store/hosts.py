"""Which host uses a SQLite database: two hosts that write to one file destroy it, and neither would notice."""

import socket
import uuid
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from scim_bridge.store.schema import lease

NAME = "sqlite-host"
BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_host() -> str:
    """Return what tells hosts apart, with a name for people: the same for all containers of one."""
    try:
        kernel = BOOT.read_text().strip()
    except OSError:
        kernel = f"{uuid.getnode():x}"
    return f"{kernel}@{socket.gethostname()}"[:128]


def same_host(one: str, other: str) -> bool:
    """Tell whether two names are of one host: containers have names of their own and share its kernel."""
    return one.partition("@")[0] == other.partition("@")[0]


def name_of(host: str) -> str:
    """Return what people call a host."""
    return host.partition("@")[2]


def claim_for(connection: sa.Connection, host: str, at: datetime, until: datetime) -> tuple[str, datetime] | None:
    """Take or keep the database for a host; returns which other one has it, and until when, where one does."""
    row = _row(connection)
    if row is None:
        connection.execute(sa.insert(lease).values(name=NAME, holder=host, until=until, epoch=1))
        return None
    holder, ends = row
    if holder is not None and ends > at and not same_host(holder, host):
        return holder, ends
    changed = holder is None or not same_host(holder, host)
    values = {"holder": host, "until": until, "epoch": lease.c.epoch + (1 if changed else 0)}
    connection.execute(sa.update(lease).where(lease.c.name == NAME).values(**values))
    return None


def other_host(connection: sa.Connection, host: str, at: datetime) -> str | None:
    """Return the name of the other host that has the database at a moment, None where none does."""
    row = _row(connection)
    if row is None or row[0] is None or row[1] <= at or same_host(row[0], host):
        return None
    return str(row[0])


def _row(connection: sa.Connection) -> tuple[str | None, datetime] | None:
    found = connection.execute(sa.select(lease.c.holder, lease.c.until).where(lease.c.name == NAME)).first()
    return None if found is None else (found.holder, found.until)
