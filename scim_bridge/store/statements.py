"""
Statements that come by again and again, run on the driver itself.

SQLAlchemy looks a statement's text up anew at each execution, which costs more than SQLite needs to run it. Here a
statement that is the same object as before (a constant of a store module) is compiled once for each database and set
of parameters. All else, and everything while somebody listens to a cursor, takes SQLAlchemy's own way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Convert = Callable[[Any], Any]
Values = Mapping[str, Any]

MOST_STALE = 48
"""As many connections of a pool as may have been lost without anybody noticing."""

MOST_PREPARED = 500
"""Statements that a connection to PostgreSQL keeps prepared: all that there are here."""

_READS = (sa.Select, sa.CompoundSelect)
_QUICK = (*_READS, sa.Insert, sa.Update, sa.Delete)


class Scalars(list[Any]):
    """The first column of some rows."""

    def all(self) -> list[Any]:
        """Return them."""
        return self

    def first(self) -> Any:
        """Return the first one, None if there is none."""
        return self[0] if self else None


class Found:
    """The rows of a statement, read already: what is usually asked of SQLAlchemy's results, without their cost."""

    __slots__ = ("_names", "_rows", "rowcount")

    def __init__(self, names: SimpleResultMetaData, rows: Sequence[Sequence[Any]], count: int) -> None:
        self._names = names
        self._rows = rows
        self.rowcount = count

    def __iter__(self) -> Iterator[Any]:
        names, places = self._names, self._names._key_to_index
        return iter([sa.Row(names, None, places, row) for row in self._rows])

    def all(self) -> list[Any]:
        """Return every row."""
        return list(self)

    def first(self) -> Any:
        """Return the first row, None if there is none."""
        return sa.Row(self._names, None, self._names._key_to_index, self._rows[0]) if self._rows else None

    def scalars(self) -> Scalars:
        """Return the first column."""
        return Scalars([row[0] for row in self._rows])

    def one_or_none(self) -> Any:
        """Return the only row, None if there is none; raises MultipleResultsFound."""
        return self.first() if len(self._rows) < 2 else self._whole().one_or_none()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)

    def _whole(self) -> IteratorResult[Any]:
        """Return what SQLAlchemy's own way would have."""
        return IteratorResult(self._names, iter(self._rows))


class _Written:
    """One statement as a text for one driver, with how values go in and come out."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.text = str(compiled)
        self.is_read = isinstance(compiled.statement, _READS)
        names = {name: bind for bind, name in compiled.bind_names.items()}
        binds = [names[name] for name in compiled.positiontup or ()]
        self._defaults = {bind.key: bind.value for bind in binds if not bind.required}
        self._pick = _picking([bind.key for bind in binds])
        inputs = [bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in binds]
        self._inputs = [(place, convert) for place, convert in enumerate(inputs) if convert is not None]
        columns = compiled._result_columns
        self.names = SimpleResultMetaData([column.keyname for column in columns])
        outputs = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._outputs = [(place, convert) for place, convert in enumerate(outputs) if convert is not None]

    def values(self, sent: Values) -> Sequence[Any]:
        """Return the parameters as the driver wants them; raises KeyError for one that is missing."""
        picked = self._pick({**self._defaults, **sent} if self._defaults else sent)
        if not self._inputs:
            return picked
        made = list(picked)
        for place, convert in self._inputs:
            made[place] = convert(made[place])
        return made

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return rows as Python's own types."""
        if not self._outputs or not found:
            return found
        read = [list(row) for row in found]
        for place, convert in self._outputs:
            for row in read:
                row[place] = convert(row[place])
        return [tuple(row) for row in read]


class QuickConnection(sa.Connection):
    """A connection that knows the statements it has run before; ``opening`` is what begins its transactions."""

    opening: str | None = None
    _cursor: Any = None

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """Run a statement; what `sqlalchemy.Connection.execute` says holds here too."""
        many = type(parameters) is list
        if execution_options is None and parameters != [] and not self.dispatch.before_cursor_execute:
            written = _known(statement, self.dialect, (parameters[0] if many else parameters) or {})
            if written is not None:
                return self._run(written, parameters, many=many)
        return super().execute(statement, parameters, execution_options=execution_options)

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

    def _run(self, written: _Written, parameters: Any, *, many: bool) -> Found:
        if not self.in_transaction() and not many:
            return self._run_alone(written, parameters)
        return self._try(written, parameters, many=many)

    def _run_alone(self, written: _Written, parameters: Any) -> Found:
        """Run a read that no transaction was begun for; where the server has gone meanwhile, a new connection does."""
        for _ in range(MOST_STALE):
            try:
                return self._try(written, parameters, many=False)
            except DBAPIError as error:
                if not error.connection_invalidated or not written.is_read:
                    raise
        return self._try(written, parameters, many=False)

    def _try(self, written: _Written, parameters: Any, *, many: bool) -> Found:
        try:
            cursor = self.cursor
            if many:
                cursor.executemany(written.text, [written.values(each) for each in parameters])
                return Found(written.names, (), cursor.rowcount)
            cursor.execute(written.text, written.values(parameters or {}))
            rows = cursor.fetchall() if cursor.description is not None else ()
            return Found(written.names, written.rows(rows), cursor.rowcount)
        except self.dialect.loaded_dbapi.Error as error:
            raise _translated(self, written.text, error) from error


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
_seen: "WeakKeyDictionary[Any, dict[tuple[str, ...], _Written | None]]" = WeakKeyDictionary()


def _known(statement: Any, dialect: Dialect, parameters: Values) -> _Written | None:
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


def _write(statement: Any, dialect: Dialect, names: list[str]) -> _Written | None:
    speaking = _postgresql() if dialect.name == "postgresql" else dialect
    columns = None if isinstance(statement, _READS) else names
    compiled = statement.compile(dialect=speaking, column_keys=columns)
    # Lists that are spelt out, and values that Python makes, differ from one execution to the next.
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if columns is not None and (compiled.insert_prefetch or compiled.update_prefetch):
        return None
    return _Written(compiled, speaking)


@cache
def _postgresql() -> Dialect:
    """Return the dialect of PostgreSQL's own placeholders, which its driver need not translate at each execution."""
    from sqlalchemy.dialects.postgresql import psycopg

    made: Dialect = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    return made


def _picking(keys: list[str]) -> Callable[[Values], Sequence[Any]]:
    """Return what picks these values, in this order."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return (lambda sent: (sent[keys[0]],)) if keys else (lambda _: ())
