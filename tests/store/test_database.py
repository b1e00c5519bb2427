"""The two kinds of transaction, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import StoreError
from scim_bridge.store import migrations
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.database import Database
from scim_bridge.store.history import end_facts, record_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import audit_entry, change_row, fact, organization, removal_request

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
CLI = Actor(ActorKind.CLI, "ada")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.dispose()


def add_organization(connection: sa.Connection, slug: str) -> str:
    made = new_id()
    connection.execute(sa.insert(organization).values(id=made, slug=slug, name=slug, created_at=NOON))
    return made


def slugs(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(organization.c.slug).order_by(organization.c.slug)).scalars())


def change_in(connection: sa.Connection, kind: str = "test.changed") -> Change:
    change = new_change(OrganizationId(add_organization(connection, new_id())), CLI, kind, NOON)
    add_change(connection, change)
    return change


def test_a_write_that_ends_is_there(database: Database) -> None:
    with database.write() as connection:
        add_organization(connection, "acme")

    assert slugs(database) == ["acme"]


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as connection:
            add_organization(connection, "acme")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()

    assert slugs(database) == []


def test_a_read_sees_one_moment_from_its_first_row_to_its_last(database: Database) -> None:
    with database.read() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(organization)).scalar_one()
        with database.write() as writer:
            add_organization(writer, "late")
        after = connection.execute(sa.select(sa.func.count()).select_from(organization)).scalar_one()

    assert (before, after) == (0, 0)
    assert slugs(database) == ["late"]


def test_twenty_writers_at_once_all_get_through(database: Database) -> None:
    def write(number: int) -> None:
        with database.write() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(organization)).scalar_one()
            add_organization(connection, f"org-{number:02}-{count}")

    threads = [Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(slugs(database)) == 20


def test_times_come_back_aware_and_to_the_microsecond(database: Database) -> None:
    with database.write() as connection:
        add_organization(connection, "acme")

    with database.read() as connection:
        assert connection.execute(sa.select(organization.c.created_at)).scalar_one() == NOON


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="without a zone"), database.write() as connection:
        connection.execute(
            sa.insert(organization).values(id="x", slug="x", name="x", created_at=NOON.replace(tzinfo=None))
        )


def test_sqlite_survives_a_power_cut_by_its_settings(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    with database.read() as connection:
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one()

    assert (journal, synchronous, keys) == ("wal", 2, 1)


def test_a_reader_is_not_kept_out_by_a_writer(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrations.upgrade(database)

    with database.write() as connection:
        add_organization(connection, "acme")
        seen_meanwhile = slugs(database)

    assert seen_meanwhile == []
    assert slugs(database) == ["acme"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://localhost/x", "'mysql' is not supported"),
        ("sqlite://", "SQLite needs a file"),
    ],
)
def test_an_unusable_url_is_one_clear_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        Database(url)


def test_a_dead_server_is_one_sentence_without_the_password() -> None:
    database = Database("postgresql://bridge:hunter2@127.0.0.1:1/none")

    with pytest.raises(StoreError) as caught, database.read():
        pass

    assert "cannot be used" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_empty_database_says_how_to_migrate_it(database_url: str) -> None:
    database = Database(database_url)

    with pytest.raises(StoreError, match="scim-bridge db upgrade"):
        migrations.check(database)
    with pytest.raises(StoreError, match="scim-bridge db upgrade"), database.read() as connection:
        connection.execute(sa.select(organization.c.id))
    database.dispose()


def test_upgrading_twice_keeps_the_installations_id(database: Database) -> None:
    with database.write() as connection:
        first = instance_id(connection)

    migrations.upgrade(database)

    with database.write() as connection:
        assert instance_id(connection) == first
    assert len(first) == 8


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(StoreError, match="cannot be"):
        migrations.upgrade(Database(f"sqlite:///{blocked}/deeper/bridge.sqlite3"))


def test_a_new_fact_ends_the_one_before_and_keeps_it(database: Database) -> None:
    with database.write() as connection:
        change = change_in(connection)
        record_fact(connection, change, "cluster", "c1", "unit_id", "u1")
        record_fact(connection, change, "cluster", "c1", "unit_id", "u2")
        record_fact(connection, change, "cluster", "c1", "state", "active")
        end_facts(connection, change, "c1", "state")

    with database.read() as connection:
        rows = connection.execute(sa.select(fact.c.attribute, fact.c.value, fact.c.valid_to).order_by(fact.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("unit_id", "u1", NOON),
        ("unit_id", "u2", None),
        ("state", "active", NOON),
    ]


def test_a_change_waits_for_the_dispatcher(database: Database) -> None:
    with database.write() as connection:
        change = change_in(connection, "user.created")

    with database.read() as connection:
        row = connection.execute(sa.select(change_row.c.id, change_row.c.kind, change_row.c.dispatched_at)).one()
    assert tuple(row) == (change.id, "user.created", None)


def test_an_audit_row_names_the_actor_and_is_not_sealed_yet(database: Database) -> None:
    with database.write() as connection:
        change = change_in(connection)
        add_audit(connection, change, "user.create", "member", "m1", {"new": {"email": "ada@example.com"}})

    with database.read() as connection:
        row = connection.execute(sa.select(audit_entry)).one()
    assert (row.actor_kind, row.actor_name, row.action, row.object_id) == ("cli", "ada", "user.create", "m1")
    assert row.detail == '{"new":{"email":"ada@example.com"}}'
    assert (row.sequence, row.hash) == (None, None)
    assert len(row.digest) == 64


def test_asking_to_remove_nothing_writes_no_request(database: Database) -> None:
    with database.write() as connection:
        change = change_in(connection)
        request_removals(connection, change, [], "membership", [])

    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(removal_request)).scalar_one() == 0
