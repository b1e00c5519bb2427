"""Leases: one holder at a time for a cluster's pass or its removals, across every process on one database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_bridge.store.schema import lease


@dataclass(frozen=True, slots=True)
class Lease:
    """A right that was taken: ``epoch`` grows with every new holder, so a late one can be told from the present."""

    name: str
    holder: str
    epoch: int


def take_lease(connection: sa.Connection, name: str, holder: str, at: datetime, until: datetime) -> Lease | None:
    """Take a lease that nobody holds or that ran out; None when somebody holds it."""
    free = sa.or_(lease.c.holder.is_(None), lease.c.until <= at)
    taken = connection.execute(
        sa.update(lease)
        .where(lease.c.name == name, free)
        .values(holder=holder, until=until, epoch=lease.c.epoch + 1)
        .returning(lease.c.epoch)
    ).scalar_one_or_none()
    if taken is not None:
        return Lease(name, holder, int(taken))
    row = {"name": name, "holder": holder, "until": until, "epoch": 1}
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # Not its rowcount: after an INSERT, SQLAlchemy does not promise one.
    made = connection.execute(
        insert(lease).values(row).on_conflict_do_nothing(index_elements=["name"]).returning(lease.c.name)
    )
    return None if made.first() is None else Lease(name, holder, 1)


def renew_lease(connection: sa.Connection, held: Lease, until: datetime) -> bool:
    """
    Keep a lease, and tell whether it is still ours: the fence before every batch of writes.

    One that ran out and that nobody took is kept: its epoch proves that no other holder was in between.
    """
    mine = (lease.c.name == held.name, lease.c.holder == held.holder, lease.c.epoch == held.epoch)
    return connection.execute(sa.update(lease).where(*mine).values(until=until)).rowcount == 1


def release_lease(connection: sa.Connection, held: Lease) -> None:
    """Give a lease back; nothing happens when somebody else has it by now."""
    mine = (lease.c.name == held.name, lease.c.holder == held.holder, lease.c.epoch == held.epoch)
    connection.execute(sa.update(lease).where(*mine).values(holder=None))


def held_leases(connection: sa.Connection, at: datetime) -> frozenset[str]:
    """Return the names of the leases that somebody holds now."""
    query = sa.select(lease.c.name).where(lease.c.holder.is_not(None), lease.c.until > at)
    return frozenset(connection.execute(query).scalars())
