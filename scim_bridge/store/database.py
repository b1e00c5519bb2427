"""
The engine and its two kinds of transaction.

SQLite: WAL with ``synchronous=FULL`` (an answered write survives a power cut), ``BEGIN IMMEDIATE`` for writes, so
that a reader never becomes a writer half-way (SQLITE_BUSY). PostgreSQL: psycopg 3; reads are REPEATABLE READ, one
snapshot from first to last row; writes are READ COMMITTED and lock what they change.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from scim_bridge.domain.keys import fold
from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.store.counting import COUNTED
from scim_bridge.store.statements import MOST_STALE, QuickConnection, drive, try_to_drive

Connection = sa.Connection
"""What store functions take first; named here so that use cases need not know sqlalchemy."""

NEWS = "scim_bridge_news"
"""Set in a connection's ``info`` by whoever wrote a change row: the commit is then told in this process."""

AT_THE_END = "scim_bridge_at_the_end"
"""In a connection's ``info``: what is still to be written before the transaction commits."""

_OPTIONS = "-c lock_timeout=20000 -c jit=off"
BUSY_SECONDS = 15
POOL_SIZE = 16
POOL_OVERFLOW = MOST_STALE - POOL_SIZE

_IMMEDIATE = "BEGIN IMMEDIATE"
_PATIENT = f"busy_timeout={BUSY_SECONDS * 1000}"
# In pages of 4 KiB. The pages that every write changes are copied to the database once in so many, not once in 1,000.
_CHECKPOINT = "wal_autocheckpoint=4000"
# How transactions begin, on SQLite (True) and on PostgreSQL (False).
_READING = {True: "BEGIN", False: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
_WRITING = {True: _IMMEDIATE, False: "BEGIN"}


class Database:
    """One database of the bridge; safe to share between threads, not across ``fork``."""

    def __init__(self, url: str) -> None:
        """Prepare the engine; nothing is connected yet. Raises StoreError for a URL that makes no sense."""
        self.url = _parse(url)
        self.after_changes: Callable[[], None] | None = None
        self._line = Lock()
        self._idle: list[QuickConnection] = []
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        try:
            self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        except (ArgumentError, ImportError) as error:
            raise StoreError(f"The database URL {self.safe_url} cannot be used: {error}.") from error

    @property
    def safe_url(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open one sealed read: every statement in it sees the same moment. Raises StoreError when unreachable."""
        with self._connect() as connection:
            connection.opening = _READING[self.is_sqlite]
            with connection.begin():
                yield connection

    @contextmanager
    def glance(self) -> Iterator[sa.Connection]:
        """
        Open a read for a single statement, which sees one moment by itself: nothing has to be begun and ended for it.

        Raises StoreError when unreachable.
        """
        with self._connect() as connection:
            connection.opening = _READING[self.is_sqlite]
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """
        Open one transaction that commits when the block ends and rolls back when it raises.

        Raises StoreError when the database cannot be reached and Unavailable when another writer holds it too long.
        """
        with self._turn(), self._connect() as connection:
            connection.opening = _WRITING[self.is_sqlite]
            connection.info.pop(NEWS, None)
            connection.info.pop(AT_THE_END, None)
            connection.info.pop(COUNTED, None)
            with connection.begin():
                yield connection
                finish(connection)
            told = connection.info.pop(NEWS, False)
        if told and self.after_changes is not None:
            self.after_changes()

    def dispose(self) -> None:
        """Close every connection that nobody uses."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """
        Wait for this process's turn to write.

        SQLite has one writer, and who finds another one sleeps for a time that grows: threads that stand in line here
        go on at once instead.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._line.acquire(timeout=BUSY_SECONDS):
            raise Unavailable("The database is busy; try again in a moment.", retry_after=1)
        try:
            yield
        finally:
            self._line.release()

    @contextmanager
    def _connect(self) -> Iterator[QuickConnection]:
        with self.translating():
            # Whoever used one last left nothing begun: taking it out of the pool, and back, would find that out again.
            connection = self._take()
            try:
                yield connection
            finally:
                self._put_back(connection)

    def _take(self) -> QuickConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _put_back(self, connection: QuickConnection) -> None:
        connection.waiting.clear()
        if connection.closed or connection.invalidated or connection.in_transaction():
            connection.close()
        else:
            self._idle.append(connection)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Raise what a driver complains of, while the block runs, as an error of ours."""
        try:
            yield
        except OperationalError as error:
            raise self._translate(error) from error
        except DBAPIError as error:
            # PostgreSQL counts a missing table among programming errors, SQLite among operational ones.
            if error.connection_invalidated or _is_missing_table(error):
                raise self._translate(error) from error
            raise

    def _open(self) -> QuickConnection:
        try:
            return QuickConnection(self.engine)
        except DBAPIError as error:
            # Before there is a connection every complaint is about the place or the URL: a file that is no database,
            # an option that the driver does not know.
            raise self._translate(error) from error

    def _translate(self, error: DBAPIError) -> StoreError | Unavailable:
        text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no answer"
        if "locked" in text or "deadlock" in text or "canceling statement due to lock timeout" in text:
            return Unavailable("The database is busy; try again in a moment.", retry_after=1)
        if _is_missing_table(error):
            return StoreError(f"The database {self.safe_url} is not migrated: run `scim-bridge db upgrade` ({text}).")
        return StoreError(f"The database {self.safe_url} cannot be used: {text}.")


def finish(connection: sa.Connection) -> None:
    """Write what was put off to the end of the transaction."""
    last = connection.info.pop(AT_THE_END, None)
    if last is not None:
        last(connection)
    if isinstance(connection, QuickConnection) and connection.waiting:
        connection.catch_up()


def is_writing(connection: sa.Connection) -> bool:
    """Say whether a connection is in a transaction that may have written: it sees what nobody else does."""
    return (
        isinstance(connection, QuickConnection) and connection.opening == _WRITING[connection.dialect.name == "sqlite"]
    )


def _is_missing_table(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or type(error.orig).__name__ == "UndefinedTable"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError("The database URL cannot be read; write sqlite:///FILE or postgresql://…") from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"The database {parsed.get_backend_name()!r} is not supported; use sqlite or postgresql.")
    if parsed.get_backend_name() == "sqlite" and not parsed.database:
        raise StoreError("SQLite needs a file: several threads and processes share the database.")
    return parsed


def _sqlite_engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_pragmas(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transaction control would begin too late, and never IMMEDIATE.
    connection.isolation_level = None
    # SQLite's own lower() knows ASCII only.
    connection.create_function("bridge_fold", 1, _fold, deterministic=True)
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", _PATIENT, _CHECKPOINT):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _fold(text: object) -> object:
    return fold(text) if isinstance(text, str) else text


def _begin_sqlite(connection: sa.Connection) -> None:
    if getattr(connection, "opening", None) == _IMMEDIATE:
        _begin_writing(connection)
        return
    drive(connection, "BEGIN")
    # A deferred BEGIN takes its snapshot at the first read: take it now, so that "sealed" means this moment.
    drive(connection, "SELECT 1 FROM sqlite_master LIMIT 1")


def _begin_writing(connection: sa.Connection) -> None:
    """Become the writer, looking every now and then: SQLite's own waiting would sleep past the moment."""
    deadline = monotonic() + BUSY_SECONDS
    drive(connection, "PRAGMA busy_timeout=0")
    try:
        while not try_to_drive(connection, _IMMEDIATE, busy="locked"):
            if monotonic() > deadline:
                drive(connection, _IMMEDIATE)
                return
            sleep(0.0003)
    finally:
        drive(connection, f"PRAGMA {_PATIENT}")


def _postgresql_engine(url: URL) -> sa.Engine:
    # A statement that waits for a lock for longer than a SCIM client waits for its answer is of no use to anybody.
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        # Transactions are begun below, in the words of their kind.
        isolation_level="AUTOCOMMIT",
        # The values of a failed statement are people's data; its text is enough to find the bug.
        hide_parameters=True,
        # Compiling a statement for the machine takes longer than any of ours takes to run.
        # A process that is stopped in mid-transaction must not keep its locks: nobody could take its work over.
        connect_args={"connect_timeout": 10, "options": f"{_OPTIONS} -c idle_in_transaction_session_timeout=30000"},
    )
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: sa.Connection) -> None:
    # The BEGIN tells whether the server is still there: a connection that is gone is replaced, at no cost to others.
    text = getattr(connection, "opening", None) or "BEGIN"
    for _ in range(MOST_STALE):
        try:
            drive(connection, text)
            return
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
    drive(connection, text)
