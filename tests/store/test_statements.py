"""Statements that come by again: run on the driver, and the same answers as by SQLAlchemy's own way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.store import database as database_module
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import organization

NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
ADD = sa.insert(organization)
RENAME = sa.update(organization).where(organization.c.slug == sa.bindparam("called"))
FIND = sa.select(organization.c.slug, organization.c.name, organization.c.created_at, organization.c.removed_at).where(
    organization.c.slug == sa.bindparam("slug"), organization.c.removed_at.is_(None)
)
AMONG = sa.select(organization.c.slug).where(organization.c.slug.in_(listed("slugs"))).order_by(organization.c.slug)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.dispose()


def row(slug: str, **values: object) -> dict[str, object]:
    return {"id": new_id(), "slug": slug, "name": slug, "created_at": NOON, **values}


def end_other_connections(url: str) -> None:
    """Close every connection to a database from the server's side, as a restart does."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    killer = Database(url)
    with killer.write() as connection:
        connection.exec_driver_sql(f"{others} AND pid <> pg_backend_pid()")
    killer.dispose()


def test_the_third_time_answers_what_the_first_time_did(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ADD, row("acme"))

    with database.read() as connection:
        answers = [connection.execute(FIND, {"slug": "acme"}).all() for _ in range(3)]

    assert [[tuple(each) for each in answer] for answer in answers] == [[("acme", "acme", NOON, None)]] * 3


def test_rows_can_be_asked_for_by_name_and_by_place_however_often(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ADD, row("acme", name="Acme"))

    with database.read() as connection:
        found = [connection.execute(FIND, {"slug": "acme"}).one() for _ in range(3)]

    assert [(each.name, each[1], each._mapping["created_at"]) for each in found] == [("Acme", "Acme", NOON)] * 3


def test_a_change_says_how_many_rows_it_changed(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ADD, row("acme"))

        counts = [
            connection.execute(RENAME, {"called": slug, "name": "New"}).rowcount for slug in ("acme", "none", "acme")
        ]

    assert counts == [1, 0, 1]


def test_the_same_statement_changes_different_columns(database: Database) -> None:
    later = NOON + timedelta(days=1)
    with database.write() as connection:
        connection.execute(ADD, row("acme"))
        for _ in range(3):
            connection.execute(RENAME, {"called": "acme", "name": "Renamed"})
            connection.execute(RENAME, {"called": "acme", "created_at": later})

        found = connection.execute(FIND, {"slug": "acme"}).one()

    assert (found.name, found.created_at) == ("Renamed", later)


def test_many_rows_at_once_are_all_written(database: Database) -> None:
    slugs = [f"org-{number}" for number in range(9)]
    with database.write() as connection:
        for start in (0, 3, 6):
            connection.execute(ADD, [row(slug) for slug in slugs[start : start + 3]])

        found = [connection.execute(AMONG, {"slugs": as_list(slugs)}).scalars().all() for _ in range(3)]

    assert found == [slugs] * 3


def test_a_time_of_another_zone_is_the_same_moment_and_one_without_a_zone_none(database: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with database.write() as connection:
        for number in range(3):
            connection.execute(ADD, row(f"org-{number}", created_at=elsewhere))
        with pytest.raises((ValueError, sa.exc.StatementError), match="without a zone"):
            connection.execute(ADD, row("naive", created_at=NOON.replace(tzinfo=None)))

        found = connection.execute(FIND, {"slug": "org-2"}).one()

    assert found.created_at == NOON
    assert found.created_at.utcoffset() == timedelta(0)


def test_what_is_there_already_is_refused_however_often_it_was_tried(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ADD, row("acme"))

    for _ in range(3):
        with pytest.raises(IntegrityError) as refused, database.write() as connection:
            connection.execute(ADD, row("acme"))
        assert "acme" not in str(refused.value).replace("uq_organization_slug", "").split("DETAIL")[0]

    with database.read() as connection:
        assert len(connection.execute(AMONG, {"slugs": as_list(["acme"])}).all()) == 1


def test_a_parameter_that_is_missing_is_an_error_and_not_an_empty_answer(database: Database) -> None:
    with database.read() as connection:
        for _ in range(3):
            with pytest.raises((KeyError, sa.exc.StatementError)):
                connection.execute(FIND, {})


def test_statements_made_for_one_execution_are_forgotten(database: Database) -> None:
    from scim_bridge.store import statements

    before = len(statements._seen)
    with database.read() as connection:
        for number in range(50):
            connection.execute(sa.select(organization.c.id).where(organization.c.slug == f"org-{number}")).all()

    assert len(statements._seen) <= before + 5


def test_a_glance_sees_what_is_there_and_begins_nothing(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ADD, row("acme"))
    for _ in range(2):
        with database.read() as connection:
            connection.execute(FIND, {"slug": "acme"}).one()

    with database.glance() as connection:
        found = connection.execute(FIND, {"slug": "acme"}).one()
        begun = connection.in_transaction()

    assert (found.slug, begun) == ("acme", False)


def test_connections_that_the_server_has_closed_are_replaced_without_an_error(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    migrations.upgrade(database)
    with database.read() as one, database.read() as other:
        for connection in (one, other, one, other):
            connection.execute(FIND, {"slug": "acme"}).all()
    for way in (database.glance, database.read, database.write):
        end_other_connections(postgresql_url)

        with way() as connection:
            assert connection.execute(FIND, {"slug": "acme"}).all() == []
    database.dispose()


def test_a_connection_that_is_lost_in_a_write_is_an_error_and_nothing_is_half_written(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    migrations.upgrade(database)
    for slug in ("first", "second"):
        with database.write() as connection:
            connection.execute(ADD, row(slug))

    def write_both_halves() -> None:
        with database.write() as connection:
            connection.execute(ADD, row("half"))
            end_other_connections(postgresql_url)
            connection.execute(ADD, row("other half"))

    with pytest.raises(StoreError):
        write_both_halves()

    with database.read() as connection:
        found = connection.execute(AMONG, {"slugs": as_list(["half", "other half", "first"])}).scalars().all()
    assert found == ["first"]
    database.dispose()


def test_a_writer_that_waits_too_long_for_its_turn_is_told_to_come_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    mine, others = Database(sqlite_url), Database(sqlite_url)
    migrations.upgrade(mine)

    for held, asking in ((mine, mine), (others, mine)):
        with held.write(), pytest.raises(Unavailable, match="busy"), asking.write():
            pass

    # The line moves on after that.
    with mine.write() as connection:
        connection.execute(ADD, row("acme"))
    mine.dispose()
    others.dispose()
