"""Bring the database's tables up to this release, and say whether they are."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from scim_bridge.errors import StoreError
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id

_LOCK = 0x5C1B_21D6


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to ``revision``, under a lock, so that several processes may start at once."""
    _migrate(database, revision, command.upgrade)
    with database.write() as connection:
        instance_id(connection)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to ``revision`` (``base`` empties the database)."""
    _migrate(database, revision, command.downgrade)


def state(database: Database) -> tuple[str | None, str]:
    """Return the database's revision (None: empty) and the newest one that this release knows."""
    head = ScriptDirectory.from_config(config(database)).get_current_head() or ""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def check(database: Database) -> None:
    """Raise StoreError unless the database can be reached and is migrated."""
    current, head = state(database)
    if current != head:
        raise StoreError(
            f"The database is at revision {current or 'none'} and this release needs {head}: "
            "run `scim-bridge db upgrade`."
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
