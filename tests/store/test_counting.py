"""A number of rows is exact, though it is not counted each time."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from scim_bridge.store.counting import count_once, moment_mark
from scim_bridge.store.database import Connection, Database, is_writing
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import organization

MARK = sa.select(moment_mark())
COUNT = sa.select(sa.func.count()).select_from(organization).where(organization.c.name == sa.bindparam("name"))


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.dispose()


def add(database: Database, name: str = "acme") -> None:
    with database.write() as connection:
        values = {"id": new_id(), "slug": new_id(), "name": name, "created_at": datetime.now(UTC)}
        connection.execute(sa.insert(organization).values(values))


def counted(connection: Connection, name: str = "acme") -> int:
    return count_once(connection, connection.execute(MARK).scalar_one(), COUNT, {"name": name})


def test_what_this_process_writes_is_counted(database: Database) -> None:
    numbers = []
    for _ in range(3):
        add(database)
        with database.read() as connection:
            numbers.append(counted(connection))

    assert numbers == [1, 2, 3]


def test_what_another_process_writes_is_counted(database: Database, migrated_url: str) -> None:
    other = Database(migrated_url)
    with database.read() as connection:
        before = counted(connection)

    add(other)

    with database.read() as connection:
        after = counted(connection)
    other.dispose()
    assert (before, after) == (0, 1)


def test_a_sealed_read_keeps_its_number(database: Database, migrated_url: str) -> None:
    other = Database(migrated_url)
    with database.read() as connection:
        first = counted(connection)
        add(other)
        second = counted(connection)

    other.dispose()
    assert (first, second) == (0, 0)


def test_numbers_of_others_are_others(database: Database) -> None:
    add(database, "acme")

    with database.read() as connection:
        found = [counted(connection, name) for name in ("acme", "globex", "acme")]

    assert found == [1, 0, 1]


def test_nothing_is_counted_again_while_nobody_writes(database: Database) -> None:
    add(database)
    with database.read() as connection:
        counted(connection)

        kept = next(iter(connection.info["scim_bridge_counted"].values()))
        mark = connection.execute(MARK).scalar_one()

    assert kept == (mark, 1)


def test_who_may_have_written_is_told_from_who_reads(database: Database) -> None:
    with database.read() as connection:
        reading = is_writing(connection)
    with database.write() as connection:
        writing = is_writing(connection)

    assert (reading, writing) == (False, True)
