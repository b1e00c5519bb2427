"""
Statements that come by again and again, run on the driver itself.

SQLAlchemy looks a statement's text up anew at each execution, which costs more than SQLite needs to run it. Here a
statement that is the same object as before (a constant of a store module) is compiled once for each database and set
of parameters. All else, and everything while somebody listens to a cursor, takes SQLAlchemy's own way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError

from scim_bridge.store.compiled import READS, Found, Together, Values, Written, together

Refuse = Callable[[IntegrityError], None]

MOST_STALE = 48
"""As many connections of a pool as may have been lost without anybody noticing."""

MOST_PREPARED = 500
"""Statements that a connection to PostgreSQL keeps prepared: all that there are here."""

NOTHING: Any = {}
MOST_WAITING = 12
MOST_ROWS_LATER = 4
_QUICK = (*READS, sa.Insert, sa.Update, sa.Delete)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is to be written; ``refuse`` raises what a violated constraint means, if it is about this row."""

    written: Written
    values: Values
    table: Any
    inserts: bool
    refuse: Refuse | None


class QuickConnection(sa.Connection):
    """A connection that knows the statements it has run before; ``opening`` is what begins its transactions."""

    opening: str | None = None
    _cursor: Any = None

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        self.waiting: list[Waiting] = []

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """Run a statement; what `sqlalchemy.Connection.execute` says holds here too."""
        if self.waiting:
            self.catch_up()
        many = type(parameters) is list
        if execution_options is None and parameters != [] and not self.dispatch.before_cursor_execute:
            written = _known(statement, self.dialect, (parameters[0] if many else parameters) or {})
            if written is not None:
                return self._run(written, parameters, many=many)
        return super().execute(statement, parameters, execution_options=execution_options)

    @property
    def may_wait(self) -> bool:
        """Say whether what is to be written may wait for more of it: SQLite is at hand, and has no round trips."""
        is_far = self.dialect.name == "postgresql"
        return is_far and self.in_transaction() and not self.dispatch.before_cursor_execute

    def catch_up(self) -> None:
        """Write what waits (`write_later`), all of it by one statement."""
        waiting, self.waiting = self.waiting, []
        try:
            self._try(together(*[each.written for each in waiting]), [each.values for each in waiting], many=False)
        except IntegrityError as error:
            for each in waiting:
                if each.refuse is not None:
                    each.refuse(error)
            raise

    @property
    def cursor(self) -> Any:
        """Return the one cursor on which everything is run that is run here: its rows are read at once."""
        found = self._cursor
        if found is None or self.invalidated:
            found = self._cursor = _new_cursor(self)
        return found

    def invalidate(self, exception: BaseException | None = None) -> None:
        """Give the connection to the server up; the next statement gets another one."""
        self._cursor = None
        super().invalidate(exception)

    def _run(self, written: Written, parameters: Any, *, many: bool) -> Found:
        if not self.in_transaction() and not many:
            return self._run_alone(written, parameters)
        return self._try(written, parameters, many=many)

    def _run_alone(self, written: Written, parameters: Any) -> Found:
        """Run a read that no transaction was begun for; where the server has gone meanwhile, a new connection does."""
        for _ in range(MOST_STALE):
            try:
                return self._try(written, parameters, many=False)
            except DBAPIError as error:
                if not error.connection_invalidated or not written.is_read:
                    raise
        return self._try(written, parameters, many=False)

    def _try(self, written: Written | Together, parameters: Any, *, many: bool) -> Found:
        try:
            cursor = self.cursor
            if many:
                cursor.executemany(written.text, [written.values(each) for each in parameters])
                return Found(written.names, (), cursor.rowcount)
            cursor.execute(written.text, written.values(parameters or NOTHING))
            rows = cursor.fetchall() if cursor.description is not None else ()
            return Found(written.names, written.rows(rows), cursor.rowcount)
        except self.dialect.loaded_dbapi.Error as error:
            raise _translated(self, written.text, error) from error


def write_later(
    connection: sa.Connection,
    statement: sa.Insert | sa.Update,
    values: dict[str, Any],
    refuse: Refuse | None = None,
) -> None:
    """
    Write before the transaction ends, or before anything else is asked of it.

    On PostgreSQL each statement costs a round trip, so that what nobody waits for is sent together. ``refuse`` is
    called with the IntegrityError that the row may have brought about.
    """
    if isinstance(connection, QuickConnection) and connection.may_wait:
        written = _known(statement, connection.dialect, values)
        if written is not None:
            waiting = Waiting(written, values, statement.table, isinstance(statement, sa.Insert), refuse)
            if any(_meet(each, waiting) for each in connection.waiting) or len(connection.waiting) >= MOST_WAITING:
                connection.catch_up()
            connection.waiting.append(waiting)
            return
    try:
        connection.execute(statement, values)
    except IntegrityError as error:
        if refuse is not None:
            refuse(error)
        raise


def write_rows(connection: sa.Connection, statement: sa.Insert, rows: list[dict[str, Any]]) -> None:
    """Write rows, a few of them later."""
    if len(rows) > MOST_ROWS_LATER:
        connection.execute(statement, rows)
        return
    for row in rows:
        write_later(connection, statement, row)


def _meet(one: Waiting, other: Waiting) -> bool:
    """Say whether two statements may be about one row: then the second one has to see what the first one wrote."""
    return one.table is other.table and not (one.inserts and other.inserts)


def drive(connection: sa.Connection, text: str) -> None:
    """Run a text that has no parameters on the driver itself; nobody wants its answer."""
    try:
        cursor = connection.cursor if isinstance(connection, QuickConnection) else connection.connection.cursor()
        cursor.execute(text)
        if cursor.description is not None:
            # A cursor of SQLite that is not read to its end goes on reading.
            cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, text, error) from error


def try_to_drive(connection: sa.Connection, text: str, busy: str) -> bool:
    """Do what `drive` does, or return False where the driver's complaint holds this word: no error has to be made."""
    try:
        connection.connection.cursor().execute(text)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        if busy in str(error):
            return False
        raise _translated(connection, text, error) from error
    return True


def _new_cursor(connection: sa.Connection) -> Any:
    if connection.dialect.name != "postgresql":
        return connection.connection.cursor()
    import psycopg

    driver: Any = connection.connection.dbapi_connection
    # Each statement is planned once for a connection, not at each execution.
    driver.prepare_threshold = 0
    driver.prepared_max = MOST_PREPARED
    return psycopg.RawCursor(driver)


def _translated(connection: sa.Connection, text: str, error: Exception) -> DBAPIError:
    """Return an error of the driver as SQLAlchemy's; a connection that is lost is given up."""
    module = connection.dialect.loaded_dbapi
    lost = isinstance(error, module.Error) and connection.dialect.is_disconnect(
        error, connection.connection.dbapi_connection, None
    )
    if lost:
        connection.invalidate(error)
    made = DBAPIError.instance(
        text,
        None,
        error,
        module.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=connection.dialect,
    )
    assert isinstance(made, DBAPIError)
    return made


# None: seen once. Statements made for one execution are forgotten with it.
_seen: "WeakKeyDictionary[Any, dict[tuple[str, ...], Written | None]]" = WeakKeyDictionary()


def _known(statement: Any, dialect: Dialect, parameters: Values) -> Written | None:
    if not isinstance(statement, _QUICK):
        return None
    forms = _seen.get(statement)
    if forms is None:
        _seen[statement] = {}
        return None
    form = (dialect.name, *parameters)
    if form not in forms:
        forms[form] = _write(statement, dialect, list(parameters))
    return forms[form]


def _write(statement: Any, dialect: Dialect, names: list[str]) -> Written | None:
    speaking = _postgresql() if dialect.name == "postgresql" else dialect
    columns = None if isinstance(statement, READS) else names
    compiled = statement.compile(dialect=speaking, column_keys=columns)
    # Lists that are spelt out, and values that Python makes, differ from one execution to the next.
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if columns is not None and (compiled.insert_prefetch or compiled.update_prefetch):
        return None
    return Written(compiled, speaking)


@cache
def _postgresql() -> Dialect:
    """Return the dialect of PostgreSQL's own placeholders, which its driver need not translate at each execution."""
    from sqlalchemy.dialects.postgresql import psycopg

    made: Dialect = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    return made
