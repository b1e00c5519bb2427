"""A database in which everything works and nothing lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from scim_bridge.store.database import AT_THE_END, NEWS, Database, finish


class Rehearsal(Database):
    """
    Reads and writes inside one transaction of the real database, which is rolled back.

    For one thread, and for a moment: others wait for what was written. Whoever writes sees it, nobody is told.
    """

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self.url = database.url
        self.engine = database.engine
        self.is_sqlite = database.is_sqlite
        self.after_changes = None
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Read what was written so far."""
        with self.translating():
            yield self._connection

    @contextmanager
    def glance(self) -> Iterator[sa.Connection]:
        """Read what was written so far."""
        with self.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Write until the rehearsal ends; what raises is undone at once, as in a transaction of its own."""
        with self.translating(), self._connection.begin_nested():
            self._connection.info.pop(AT_THE_END, None)
            yield self._connection
            finish(self._connection)


@contextmanager
def rehearse(database: Database) -> Iterator[Rehearsal]:
    """Open a rehearsal and undo, at the end of the block, all that was written in it."""
    with database.write() as connection:
        yield Rehearsal(database, connection)
        connection.info.pop(NEWS, None)
        transaction = connection.get_transaction()
        if transaction is not None:
            transaction.rollback()
