"""Alembic's door: run with the connection that `scim_bridge.store.migrations` opened and locked."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from scim_bridge.store.schema import metadata
from scim_bridge.store.schema.columns import Moment

config = context.config


def run() -> None:
    """Run the migrations on the caller's connection, in the caller's transaction."""
    connection = config.attributes.get("connection")
    if connection is None:
        database = config.attributes["database"]
        with database.write() as opened:
            configure(opened)
    else:
        configure(connection)


def configure(connection: sa.Connection) -> None:
    """Point Alembic at one connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        include_name=is_ours,
    )
    context.run_migrations()


def render_item(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Write our time column as plain types: a landed migration must not follow the code's later changes."""
    if kind == "type" and isinstance(item, Moment):
        return 'sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")'
    return False


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the queue's own tables alone: its library says what they are."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


run()
