"""
Exact numbers of rows, counted again only when something was written meanwhile.

A client that goes through a directory page by page is told with each page how many users there are. While nobody
writes, that is the number of the page before: what was counted is kept beside the database's own mark of the moment.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

COUNTED = "scim_bridge_counted"
"""Where a connection keeps its numbers; whoever writes on it throws them away."""


class moment_mark(sa.ColumnElement[str]):  # noqa: N801 - it reads as a function
    """A text that is another one as soon as a statement can see anything that others have written since."""

    inherit_cache = True
    _traverse_internals: list[Any] = []  # noqa: RUF012 - as SQLAlchemy declares it
    type = sa.Text()


@compiles(moment_mark, "sqlite")
def _sqlite(_element: moment_mark, _compiler: SQLCompiler, **_: Any) -> str:
    return "(SELECT CAST(data_version AS text) FROM pragma_data_version)"


@compiles(moment_mark, "postgresql")
def _postgresql(_element: moment_mark, _compiler: SQLCompiler, **_: Any) -> str:
    return "(SELECT CAST(pg_current_snapshot() AS text))"


def count_once(connection: sa.Connection, mark: str, statement: sa.Select[Any], values: dict[str, Any]) -> int:
    """Return a number as it was counted at the moment of this mark, or count now; for sealed reads alone."""
    kept: dict[Any, tuple[str, int]] = connection.info.setdefault(COUNTED, {})
    name = (statement, *values.values())
    known = kept.get(name)
    if known is not None and known[0] == mark:
        return known[1]
    number = int(connection.execute(statement, values).scalar_one())
    kept[name] = (mark, number)
    return number
