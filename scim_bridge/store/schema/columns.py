"""Column shapes that every table shares, and the naming convention of constraints."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID_LENGTH = 36


class Moment(TypeDecorator[datetime]):
    """An aware UTC time: TIMESTAMPTZ on PostgreSQL, sortable ISO 8601 text on SQLite (which has no times)."""

    impl = sa.String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Refuse a naive time, which would be a different moment on every machine."""
        return _to_postgresql if dialect.name == "postgresql" else _to_sqlite

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return an aware UTC time."""
        return _from_postgresql if dialect.name == "postgresql" else _from_sqlite


def _to_postgresql(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return value.astimezone(UTC)


def _to_sqlite(value: datetime | None) -> str | None:
    moment = _to_postgresql(value)
    # As `2026-11-23T12:00:00.000000Z`: all of one length, so that the order of the texts is that of the times.
    return None if moment is None else f"{moment.isoformat(timespec='microseconds')[:26]}Z"


def _from_postgresql(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def id_column() -> sa.Column[str]:
    """Return the primary key: a UUIDv7 as text, so that any string can be looked up without a type error."""
    return sa.Column("id", sa.String(ID_LENGTH), primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[Any]:
    """Return a foreign key to ``target``.id."""
    return sa.Column(name, sa.String(ID_LENGTH), sa.ForeignKey(f"{target}.id"), nullable=nullable, index=index or None)


def of_organization(*, index: bool = False) -> sa.Column[Any]:
    """Return the tenant column that every row of a tenant has."""
    return reference("organization_id", "organization", index=index)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Return a time column."""
    return sa.Column(name, Moment(), nullable=nullable)


def period() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Return the two columns of a row with from/to; ``valid_to`` NULL means in force."""
    return moment("valid_from"), moment("valid_to", nullable=True)


def one_of(name: str, *values: str, default: str | None = None, nullable: bool = False) -> sa.Column[Any]:
    """Return a text column that a check constraint keeps to the given words."""
    allowed = sa.column(name).in_(values).compile(compile_kwargs={"literal_binds": True})
    return sa.Column(
        name,
        sa.String(32),
        sa.CheckConstraint(sa.text(str(allowed)), name=name),
        nullable=nullable,
        server_default=default,
    )


def by_code_points(length: int) -> sa.types.TypeEngine[str]:
    """Return the type of a text that is ordered, and searched by its beginning, alike on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
