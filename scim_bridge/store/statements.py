"""
Statements that come by again and again, run on the driver itself.

SQLAlchemy looks a statement's text up anew at each execution, which costs more than SQLite needs to run it. Here a
statement that is the same object as before (a constant of a store module) is compiled once for each database and set
of parameters. All else, and everything while somebody listens to a cursor, takes SQLAlchemy's own way.
"""

from collections.abc import Callable, Mapping, Sequence
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


class Found(IteratorResult[Any]):
    """The rows of a statement, read already."""

    def __init__(self, metadata: SimpleResultMetaData, rows: Sequence[Sequence[Any]], count: int) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = count


class _Written:
    """One statement as a text for one driver, with how values go in and come out."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.text = str(compiled)
        names = dict(compiled.bind_names)
        self.is_read = isinstance(compiled.statement, sa.Select)
        self._order = compiled.positiontup
        self._inputs = [
            (name, bind.key, bind.required, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect))
            for bind, name in names.items()
        ]
        columns = compiled._result_columns
        self.metadata = SimpleResultMetaData([column.keyname for column in columns])
        converts = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._outputs = [(number, convert) for number, convert in enumerate(converts) if convert is not None]

    def values(self, sent: Values) -> Any:
        """Return the parameters as the driver wants them; raises KeyError for one that is missing."""
        made = {}
        for name, key, required, default, convert in self._inputs:
            value = sent[key] if required or key in sent else default
            made[name] = value if convert is None else convert(value)
        return made if self._order is None else tuple([made[name] for name in self._order])

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return rows as Python's own types."""
        if not self._outputs:
            return found
        read = [list(row) for row in found]
        for number, convert in self._outputs:
            for row in read:
                row[number] = convert(row[number])
        return read


class QuickConnection(sa.Connection):
    """A connection that knows the statements it has run before; ``opening`` is what begins its transactions."""

    opening: str | None = None

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """Run a statement; what `sqlalchemy.Connection.execute` says holds here too."""
        many = type(parameters) is list
        if execution_options is None and parameters != [] and not self.dispatch.before_cursor_execute:
            written = _known(statement, self.dialect, (parameters[0] if many else parameters) or {})
            if written is not None:
                return self._run(written, parameters, many=many)
        return super().execute(statement, parameters, execution_options=execution_options)

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
        cursor = self.connection.cursor()
        try:
            if many:
                cursor.executemany(written.text, [written.values(each) for each in parameters])
                return Found(written.metadata, (), cursor.rowcount)
            cursor.execute(written.text, written.values(parameters or {}))
            rows = cursor.fetchall() if cursor.description is not None else ()
            return Found(written.metadata, written.rows(rows), cursor.rowcount)
        except self.dialect.loaded_dbapi.Error as error:
            raise _translated(self, written.text, error) from error
        finally:
            cursor.close()


def drive(connection: sa.Connection, text: str) -> None:
    """Run a text that has no parameters and no answer on the driver itself."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(text)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, text, error) from error
    finally:
        cursor.close()


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
_QUICK = (sa.Select, sa.Insert, sa.Update, sa.Delete)


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
    compiled = statement.compile(dialect=dialect, column_keys=names if not isinstance(statement, sa.Select) else None)
    # Lists that are spelt out, and values that Python makes, differ from one execution to the next.
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if not isinstance(statement, sa.Select) and (compiled.insert_prefetch or compiled.update_prefetch):
        return None
    return _Written(compiled, dialect)
