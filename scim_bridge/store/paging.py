"""
One page of a list in SQL: exact totals, any order, by offset or from where the last page ended.

Where it ended is a comparison of what the rows are ordered by, never an offset: a page costs the same wherever it is,
and what is added or removed meanwhile neither hides a row nor shows one twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from scim_bridge.domain.filters import Path
from scim_bridge.domain.paging import Order, Position, SortKind, Window
from scim_bridge.errors import Invalid
from scim_bridge.store.documents import DocumentReader, by_code_point
from scim_bridge.store.filters import Column
from scim_bridge.store.schema.columns import Moment

Row = TypeVar("Row")
Expression = sa.ColumnElement[Any]
# Where a page ended goes through the client and back: texts that agree for so long are ordered by id.
LONGEST_TEXT = 256
# Before each value, so that those who have none come after all others.
VALUE, NOTHING = "1", "2"
NUMBER = "0"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A part of what was found, how much that is in all, and, for who goes on by positions, where there is more."""

    total: int
    rows: list[Row]
    end: Position | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of a table that are looked for: which columns to read, and what they are ordered by."""

    table: sa.FromClause
    columns: Sequence[sa.ColumnElement[Any]]
    keys: Sequence[Expression]


def find_page(
    connection: sa.Connection, listed: Listed, where: Sequence[sa.ColumnElement[bool]], window: Window
) -> Page[sa.Row[Any]]:
    """Return the rows of a window as they were read, the keys behind the columns, and the exact number of all."""
    rows, end = _find_rows(connection, listed, where, window) if window.count else ([], None)
    from_start = window.offset if window.after is None else 0 if window.after == () else None
    is_last = end is None and len(rows) < window.count if window.after is None else end is None
    if rows and is_last and from_start is not None:
        return Page(from_start + len(rows), rows, end)
    total = connection.execute(sa.select(sa.func.count()).select_from(listed.table).where(*where)).scalar_one()
    return Page(total, rows, end)


def sort_keys(
    order: Order | None, columns: Mapping[Path, Column], document: DocumentReader, *, shared: bool = False
) -> list[Expression]:
    """Return what puts rows into an order, before their ids; ``shared``: in one form, whatever the table."""
    if order is None or order.path == ("id",):
        return []
    known = columns.get(order.path) if order.within is None else None
    if known is None:
        return _of_document(order, document, shared=shared)
    if isinstance(known.column.type, Moment):
        return [known.column]
    if not shared and not known.column.nullable and isinstance(known.column.type, sa.String):
        # Bare, so that its index gives the order.
        return [by_code_point(known.column)]
    is_flag = isinstance(known.column.type, sa.Boolean)
    text: Expression = sa.case((known.column, "true"), else_="false") if is_flag else known.column
    return [_tagged([text]), *([sa.literal(0.0, sa.Double)] if shared else [])]


def _of_document(order: Order, document: DocumentReader, *, shared: bool) -> list[Expression]:
    if order.within is None:
        return _values(order, document, shared=shared)
    rows, element, first = document.first_of(order.within)
    values = _values(order, element, shared=shared)
    nothing: tuple[Any, ...] = (NOTHING, 0.0)
    return [
        _in_order(sa.func.coalesce(_first(rows, value, first), sa.literal(missing, value.type)))
        for value, missing in zip(values, nothing, strict=False)
    ]


def _first(rows: sa.FromClause, value: Expression, order: tuple[Expression, ...]) -> Expression:
    return sa.select(value).select_from(rows).order_by(*order).limit(1).scalar_subquery()


def _values(order: Order, document: DocumentReader, *, shared: bool) -> list[Expression]:
    texts = []
    if order.kind is not SortKind.FLAG:
        text = document.text(order.path)
        texts.append(text if order.exact else document.fold(text))
    if order.kind is not SortKind.TEXT:
        texts.append(document.flag(order.path))
    if order.kind is not SortKind.ANY:
        return [_tagged(texts), *([sa.literal(0.0, sa.Double)] if shared else [])]
    number = document.number(order.path)
    return [_tagged(texts, number), sa.func.coalesce(number, sa.literal(0.0, sa.Double))]


def _tagged(texts: Sequence[Expression], number: Expression | None = None) -> Expression:
    """Return a text that orders whatever there is; an empty text is no value."""
    found = [
        sa.literal(VALUE, sa.Text).concat(sa.func.nullif(sa.func.substr(text, 1, LONGEST_TEXT), "")) for text in texts
    ]
    if number is not None:
        found.append(sa.case((number.is_not(None), NUMBER)))
    return _in_order(sa.func.coalesce(*found, NOTHING, type_=sa.Text))


def _in_order(key: Expression) -> Expression:
    return by_code_point(key) if isinstance(key.type, sa.String) else key


def _find_rows(
    connection: sa.Connection, listed: Listed, where: Sequence[sa.ColumnElement[bool]], window: Window
) -> tuple[list[sa.Row[Any]], Position | None]:
    by_position = window.after is not None
    keys = [key.label(f"key_{number}") for number, key in enumerate(listed.keys)] if by_position else []
    query = sa.select(*listed.columns, *keys).where(*where)
    if window.after:
        query = query.where(_behind(listed.keys, window.after, descending=window.descending))
    query = query.order_by(*(key.desc() if window.descending else key for key in listed.keys))
    query = query.limit(window.count + by_position).offset(window.offset or None)
    rows = list(connection.execute(query).all())
    if not by_position or len(rows) <= window.count:
        return rows, None
    del rows[window.count :]
    return rows, tuple(_sent(value) for value in rows[-1][len(listed.columns) :])


def _behind(keys: Sequence[Expression], after: Position, *, descending: bool) -> sa.ColumnElement[bool]:
    if len(keys) != len(after):
        raise Invalid("The cursor is of another release of this server: begin again.", scim_type="invalidCursor")
    here = sa.tuple_(*keys)
    there = sa.tuple_(*(sa.literal(_read(value, key), key.type) for value, key in zip(after, keys, strict=True)))
    behind: sa.ColumnElement[bool] = here < there if descending else here > there
    return behind


def _sent(value: object) -> str | float:
    if isinstance(value, datetime):
        return value.isoformat()
    assert isinstance(value, str | int | float)
    return value


def _read(value: str | float, key: Expression) -> object:
    return datetime.fromisoformat(str(value)) if isinstance(key.type, Moment) else value
