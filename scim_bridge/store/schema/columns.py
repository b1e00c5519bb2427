"""Column shapes that every table shares, and the naming convention of constraints."""

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

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive time, which would be a different moment on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else datetime.fromisoformat(value)


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
