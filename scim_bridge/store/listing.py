"""A list of values as one parameter: no limit on its length, and one prepared statement whatever the length."""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _EachOf(FunctionElement[Any]):
    """The rows of a JSON array of texts, in a column called ``value``."""

    inherit_cache = True
    name = "each_of"


@compiles(_EachOf, "sqlite")
def _sqlite(element: _EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_EachOf, "postgresql")
def _postgresql(element: _EachOf, compiler: SQLCompiler, **options: Any) -> str:
    texts = f"SELECT jsonb_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS jsonb))"
    # Of an array the planner expects ten texts, of the function alone a hundred: most lists have one or two, and
    # looking those up must not seem dearer to it than reading a whole organization.
    return f"unnest(ARRAY({texts})) AS each_of(value)"


def listed(parameter: str) -> sa.Select[Any]:
    """Return the sub-select for ``column.in_(listed("ids"))``; bind the parameter to `as_list` of the values."""
    rows = _EachOf(sa.bindparam(parameter, type_=sa.Text))
    return sa.select(sa.column("value", sa.Text)).select_from(rows)


def as_list(values: Iterable[str]) -> str:
    """Return the value of a parameter of `listed`."""
    return orjson.dumps(list(values)).decode()


class _Beside(FunctionElement[str]):
    """A text column, in a form that SQLite has no index for."""

    type = sa.Text()
    inherit_cache = True
    name = "beside"


@compiles(_Beside, "sqlite")
def _hidden(element: _Beside, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} || '')"


@compiles(_Beside, "postgresql")
def _plain(element: _Beside, compiler: SQLCompiler, **options: Any) -> str:
    # PostgreSQL knows how many rows an organization has, and of an expression it would guess too few.
    return compiler.process(element.clauses, **options)


def beside(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """
    Return a text column to compare with that SQLite uses no index for, because another condition has a better one.

    SQLite knows nothing of how long a list is, and would rather read a whole organization than look its ids up.
    """
    return _Beside(column)
