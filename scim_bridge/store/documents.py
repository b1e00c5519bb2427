"""Reading values out of stored JSON documents in SQL: one reader for each database, the same answers from both."""

from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from scim_bridge.domain.filters import Path

Condition = sa.ColumnElement[bool]
Expression = sa.ColumnElement[Any]


class by_code_point(FunctionElement[str]):  # noqa: N801 - it reads as a function
    """A text that orders by its code points, whatever language the database was made for."""

    inherit_cache = True
    name = "by_code_point"
    type = sa.Text()


@compiles(by_code_point, "sqlite")
def _sqlite_order(element: by_code_point, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(by_code_point, "postgresql")
def _postgresql_order(element: by_code_point, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'


class DocumentReader(Protocol):
    """Reads one document, or one element of a list in it; what is not there, or of another type, is NULL."""

    def text(self, path: Path) -> Expression:
        """Return the string at a path."""
        ...

    def number(self, path: Path) -> Expression:
        """Return the number at a path."""
        ...

    def flag(self, path: Path) -> Expression:
        """Return the boolean at a path as the text true or false."""
        ...

    def present(self, path: Path) -> Condition:
        """Say whether there is a value that is not empty."""
        ...

    def each(self, path: Path) -> "tuple[sa.FromClause, DocumentReader]":
        """Return the rows of the list at a path, and a reader of one of them."""
        ...

    def first_of(self, path: Path) -> "tuple[sa.FromClause, DocumentReader, tuple[Expression, ...]]":
        """Return what `each` does, and the order in which the primary entry, or else the first, is the first row."""
        ...

    def fold(self, text: Expression) -> Expression:
        """Return the form of a text in which case does not count."""
        ...


def reader(connection: sa.Connection, document: sa.Column[Any]) -> DocumentReader:
    """Return the reader of a column of documents for the connection's database."""
    if connection.dialect.name == "postgresql":
        return _PostgresqlReader(sa.cast(document, JSONB))
    return _SqliteReader(document)


class _SqliteReader:
    def __init__(self, source: Expression, element: sa.FromClause | None = None) -> None:
        self._source = source
        self._element = element

    def text(self, path: Path) -> Expression:
        return sa.case((self._type(path) == "text", self._value(path)))

    def number(self, path: Path) -> Expression:
        return sa.case((self._type(path).in_(("integer", "real")), self._value(path)))

    def flag(self, path: Path) -> Expression:
        return sa.case((self._type(path).in_(("true", "false")), self._type(path)))

    def present(self, path: Path) -> Condition:
        kind, value = self._type(path), self._value(path)
        # An element's value is JSON text when it is a list or an object.
        empty = sa.or_(
            kind == "null",
            sa.and_(kind == "text", value == ""),
            sa.and_(kind == "array", value == "[]"),
            sa.and_(kind == "object", value == "{}"),
        )
        return sa.and_(kind.is_not(None), sa.not_(empty))

    def each(self, path: Path) -> tuple[sa.FromClause, DocumentReader]:
        inner = sa.case((self._type(path) == "array", self._value(path)), else_="[]")
        rows = sa.func.json_each(inner).table_valued("key", "value", "type", joins_implicitly=True).alias()
        objects = sa.case((rows.c.type == "object", rows.c.value))
        return rows, _SqliteReader(objects, rows)

    def first_of(self, path: Path) -> tuple[sa.FromClause, DocumentReader, tuple[Expression, ...]]:
        rows, element = self.each(path)
        return rows, element, (_is_primary(element).desc(), rows.c.key)

    def fold(self, text: Expression) -> Expression:
        return sa.func.bridge_fold(text)

    def _type(self, path: Path) -> Expression:
        if not path and self._element is not None:
            return self._element.c.type
        return sa.func.json_type(self._source, _sqlite_path(path))

    def _value(self, path: Path) -> Expression:
        if not path and self._element is not None:
            return self._element.c.value
        return sa.func.json_extract(self._source, _sqlite_path(path))


class _PostgresqlReader:
    def __init__(self, source: Expression) -> None:
        self._source = source

    def text(self, path: Path) -> Expression:
        return self._typed(path, "string")

    def number(self, path: Path) -> Expression:
        return sa.cast(self._typed(path, "number"), sa.Double)

    def flag(self, path: Path) -> Expression:
        return self._typed(path, "boolean")

    def present(self, path: Path) -> Condition:
        value = self._value(path)
        return sa.and_(value.is_not(None), sa.cast(value, sa.Text).not_in(("null", '""', "[]", "{}")))

    def each(self, path: Path) -> tuple[sa.FromClause, DocumentReader]:
        rows = self._elements(path).table_valued(sa.column("value", JSONB), joins_implicitly=True)
        named = rows.render_derived(name=None)
        return named, _PostgresqlReader(named.c.value)

    def first_of(self, path: Path) -> tuple[sa.FromClause, DocumentReader, tuple[Expression, ...]]:
        value = sa.column("value", JSONB)
        rows = self._elements(path).table_valued(value, with_ordinality="place", joins_implicitly=True)
        named = rows.render_derived(name=None)
        element = _PostgresqlReader(named.c.value)
        return named, element, (_is_primary(element).desc(), named.c.place)

    def fold(self, text: Expression) -> Expression:
        # The same steps as `domain.keys.fold`.
        lowered = sa.func.lower(sa.collate(sa.func.normalize(text), "und-x-icu"))
        # A text to SQLAlchemy too, or an ordering would not ask for code points.
        return sa.func.normalize(sa.func.replace(sa.func.replace(lowered, "ς", "σ"), "ß", "ss"), type_=sa.Text)

    def _elements(self, path: Path) -> sa.Function[Any]:
        value = self._value(path)
        # Written out: as a parameter it would be the JSON text "[]", which has no elements to give.
        nothing: Expression = sa.literal_column("'[]'::jsonb", JSONB)
        return sa.func.jsonb_array_elements(sa.case((sa.func.jsonb_typeof(value) == "array", value), else_=nothing))

    def _value(self, path: Path) -> Expression:
        return sa.func.jsonb_extract_path(self._source, *path, type_=JSONB) if path else self._source

    def _typed(self, path: Path, kind: str) -> Expression:
        value = self._value(path)
        # #>> '{}' is the value itself as text, without the quotes of JSON.
        return sa.case((sa.func.jsonb_typeof(value) == kind, value[()].astext))


def _is_primary(element: DocumentReader) -> Expression:
    return sa.func.coalesce(element.flag(("primary",)) == "true", sa.false())


def _sqlite_path(path: Path) -> str:
    return "$" + "".join(f'."{key}"' for key in path)
