"""Whole tables as plain rows: out of one database, and into an empty one of either kind."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from scim_bridge.store.schema import installation, lease, metadata
from scim_bridge.store.schema.columns import Moment

AT_ONCE = 500
NOT_CONTENT = (installation.name, lease.name)
"""Tables that hold rows as soon as a process has looked at a database: it still is an empty one."""

Row = Sequence[Any]


def table_columns() -> Mapping[str, tuple[str, ...]]:
    """Return the columns of every table, in an order in which a row finds what it refers to."""
    return {table.name: tuple(column.name for column in table.columns) for table in metadata.sorted_tables}


def read_rows(connection: sa.Connection, name: str) -> Iterator[Row]:
    """Yield a table's rows as JSON has them: times in ISO 8601, bytes in base64."""
    table = metadata.tables[name]
    found = connection.execute(sa.select(table), execution_options={"yield_per": AT_ONCE})
    for row in found:
        yield [_plain(value) for value in row]


def filled_tables(connection: sa.Connection) -> list[str]:
    """Return the names of the tables that hold anything but what every database has."""
    return [
        table.name
        for table in metadata.sorted_tables
        if table.name not in NOT_CONTENT
        and connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None
    ]


def write_rows(connection: sa.Connection, name: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Put rows that `read_rows` gave into a table, in the place of what stands there; return how many."""
    table = metadata.tables[name]
    connection.execute(sa.delete(table))
    readers = [_reader(table.c[each].type) for each in columns]
    parent = _parent(table)
    waiting = iter(rows if parent is None else _parents_first(list(rows), columns.index("id"), columns.index(parent)))
    count = 0
    while batch := list(islice(waiting, AT_ONCE)):
        values = [
            {column: read(value) for column, read, value in zip(columns, readers, row, strict=True)} for row in batch
        ]
        connection.execute(sa.insert(table), values)
        count += len(batch)
    return count


def end_leases(connection: sa.Connection) -> None:
    """Let nobody hold what the processes of another time and place held; their epochs go on."""
    connection.execute(sa.update(lease).values(holder=None))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _reader(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any]:
    if isinstance(kind, Moment):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if isinstance(kind, sa.LargeBinary):
        return lambda value: None if value is None else b64decode(value)
    return lambda value: value


def _parent(table: sa.Table) -> str | None:
    """Return the column by which rows of a table refer to others of it."""
    return next((key.parent.name for key in table.foreign_keys if key.column.table is table), None)


def _parents_first(rows: Sequence[Row], own: int, parent: int) -> Iterator[Row]:
    below: dict[Any, list[Row]] = {}
    for row in rows:
        below.setdefault(row[parent], []).append(row)
    level = below.get(None, [])
    while level:
        yield from level
        level = [child for row in level for child in below.get(row[own], ())]
