"""JSON put together in the database: thousands of entries never become Python objects."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal


class quoted(FunctionElement[str]):  # noqa: N801 - it reads as a function
    """A text as a JSON string."""

    inherit_cache = True
    name = "quoted"
    type = sa.Text()


class joined(FunctionElement[str]):  # noqa: N801 - it reads as a function
    """The texts of a group of rows, with commas between; SQLAlchemy's own is compiled anew at each execution."""

    inherit_cache = True
    name = "joined"
    type = sa.Text()


class fixed(sa.ColumnElement[str]):  # noqa: N801 - it reads as a function
    """A text of ours that stands in the statement itself: as a parameter it would be sent at each execution."""

    inherit_cache = True
    _traverse_internals = [("text", InternalTraversal.dp_string)]  # noqa: RUF012 - as SQLAlchemy declares it
    type = sa.Text()

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(fixed)
def _fixed(element: fixed, compiler: SQLCompiler, **_: Any) -> str:
    return compiler.render_literal_value(element.text, element.type)


@compiles(quoted, "sqlite")
def _sqlite_quoted(element: quoted, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_quote({compiler.process(element.clauses, **options)})"


@compiles(quoted, "postgresql")
def _postgresql_quoted(element: quoted, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(to_json(CAST({compiler.process(element.clauses, **options)} AS text)) AS text)"


@compiles(joined, "sqlite")
def _sqlite_joined(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)}, ',')"


@compiles(joined, "postgresql")
def _postgresql_joined(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, ',')"
