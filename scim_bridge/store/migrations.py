"""Bring the database's tables up to this release, and say whether they are."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from scim_bridge.errors import StoreError
from scim_bridge.store.database import Database
from scim_bridge.store.installation import SERVES_FROM, instance_id, put_fact
from scim_bridge.store.installation import find_fact as installation_fact

_LOCK = 0x5C1B_21D6
OLDEST_SERVED = "0022"
"""
The oldest revision whose release still works on the tables as this release makes them.

Migrations that only add leave it; one that takes away or changes what older code uses sets it to a later revision
(docs/operations.md, "Upgrades").
"""


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to ``revision``, under a lock, so that several processes may start at once."""
    _migrate(database, revision, command.upgrade)
    with database.write() as connection:
        instance_id(connection)
        put_fact(connection, SERVES_FROM, OLDEST_SERVED)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to ``revision`` (``base`` empties the database)."""
    _migrate(database, revision, command.downgrade)


def state(database: Database) -> tuple[str | None, str]:
    """Return the database's revision (None: empty) and the newest one that this release knows."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head()


@cache
def head() -> str:
    """Return the newest revision that this release knows."""
    made = Config()
    made.set_main_option("script_location", str(_folder()))
    return ScriptDirectory.from_config(made).get_current_head() or ""


def is_begun(database: Database) -> bool:
    """Tell whether a database is there and has tables of ours; a SQLite file is not made to find out."""
    if database.is_sqlite and not Path(str(database.url.database)).is_file():
        return False
    return state(database)[0] is not None


def check(database: Database) -> None:
    """Raise StoreError unless the database can be reached and this release can work on it as it is."""
    current, newest = state(database)
    if current == newest:
        return
    if current is not None and current > newest:
        _require_expanded(database, current, newest)
        return
    raise StoreError(
        f"The database is at revision {current or 'none'} and this release needs {newest}: "
        "run `scim-bridge db upgrade`."
    )


def _require_expanded(database: Database, current: str, newest: str) -> None:
    """Let an older release go on while a newer one, which only added to the tables, is being rolled out."""
    with database.read() as connection:
        serves_from = installation_fact(connection, SERVES_FROM)
    if serves_from is None or serves_from > newest:
        raise StoreError(
            f"The database is at revision {current}, from a newer release, and this release knows {newest}: install "
            f"the newer one, or let it go back with `scim-bridge db downgrade {newest}`."
        )


def config(database: Database) -> Config:
    """Return Alembic's configuration for a database; it needs no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(_folder()))
    made.attributes["database"] = database
    return made


def make_place(database: Database) -> None:
    """Make the folder that a SQLite database is to lie in; raises StoreError."""
    if database.is_sqlite:
        _make_folder(Path(str(database.url.database)).parent)


def _migrate(database: Database, revision: str, verb: object) -> None:
    make_place(database)
    made = config(database)
    try:
        with database.write() as connection:
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            made.attributes["connection"] = connection
            verb(made, revision)  # type: ignore[operator]
    except CommandError as error:
        raise StoreError(f"The database cannot be migrated: {error}.") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The database's folder {folder} cannot be made: {error.strerror}.") from error


def _folder() -> Path:
    # In a checkout the folder lies beside the package; a wheel carries it inside.
    package = Path(__file__).resolve().parents[1]
    bundled = package / "_bundled" / "migrations"
    return bundled if bundled.is_dir() else package.parent / "migrations"
