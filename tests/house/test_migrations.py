"""The database's history is one line that can be walked up and down, and its end is what the code expects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager

from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.schema import metadata
from tests.house.source import ROOT

# SQLAlchemy cannot reflect SQLite's expression indexes and says so; one test below compares them by name.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index"),
]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.dispose()


QUEUE = (
    "03.03.00_01_pre_priority_lock_fetch_job.sql",
    "03.04.00_01_pre_add_retry_failed_job_procedure.sql",
    "03.04.00_50_post_add_retry_failed_job_procedure.sql",
)
"""The last changes of the queue's tables that our migrations have; a newer one needs a migration that runs it."""


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the queue's tables out, as migrations/env.py does."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


def test_there_is_one_first_migration_and_one_last() -> None:
    history = _history()

    assert len(history.get_heads()) == 1
    assert len(history.get_bases()) == 1


def test_migrations_are_named_by_day_and_number() -> None:
    names = sorted(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))

    numbers = [int(name.split("_")[1]) for name in names]

    assert numbers == list(range(1, len(names) + 1))


def test_the_migrated_tables_are_the_ones_that_the_code_declares(database: Database) -> None:
    migrations.upgrade(database)

    with database.read() as connection:
        looking = MigrationContext.configure(connection, opts={"include_name": is_ours})
        differences = compare_metadata(looking, metadata)

    assert differences == []


def test_every_declared_index_is_in_the_database(database: Database) -> None:
    declared = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    listing = {
        True: "SELECT name FROM sqlite_master WHERE type = 'index'",
        False: "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
    }
    migrations.upgrade(database)

    with database.read() as connection:
        found = set(connection.execute(sa.text(listing[database.is_sqlite])).scalars())

    assert declared - found == set()


def test_every_migration_can_be_taken_back_and_made_again(database: Database) -> None:
    migrations.upgrade(database)
    made = _tables(database)

    for revision in _history().walk_revisions():
        migrations.downgrade(database, str(revision.down_revision or "base"))
    emptied = _tables(database)
    migrations.upgrade(database)

    assert emptied <= {"alembic_version"}
    assert _tables(database) == made


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrations.upgrade(database)
    before = _tables(database)

    migrations.upgrade(database)

    assert _tables(database) == before
    migrations.check(database)


def test_the_queue_has_the_tables_of_the_library_that_is_installed() -> None:
    scripts = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))

    assert tuple(scripts[-3:]) == QUEUE
    assert len(scripts) == 38


def test_taking_the_queue_down_leaves_nothing_of_it(postgresql_url: str) -> None:
    opened = Database(postgresql_url)
    migrations.upgrade(opened)
    left = sa.text("SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%' UNION ALL "
                   "SELECT typname FROM pg_type WHERE typname LIKE '%procrastinate%'")  # fmt: skip

    migrations.downgrade(opened, "0027")
    with opened.read() as connection:
        found = connection.execute(left).scalars().all()
    migrations.upgrade(opened)
    opened.dispose()

    assert found == []


def test_every_constraint_has_a_name_of_the_convention(database: Database) -> None:
    # A constraint without a name cannot be changed by a later migration.
    migrations.upgrade(database)

    with database.read() as connection:
        looked = sa.inspect(connection)
        names = [
            key["name"]
            for table in looked.get_table_names()
            if table != "alembic_version" and is_ours(table, "table", None)
            for key in (*looked.get_foreign_keys(table), *looked.get_unique_constraints(table))
        ]

    assert [name for name in names if not (name or "").startswith(("fk_", "uq_"))] == []


def _history() -> ScriptDirectory:
    return ScriptDirectory(str(ROOT / "migrations"))


def _tables(database: Database) -> set[str]:
    with database.read() as connection:
        return set(sa.inspect(connection).get_table_names())
