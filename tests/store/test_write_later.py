"""What may wait is written in the end, in an order that keeps its sense, and by one statement on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.errors import NotUnique
from scim_bridge.store import statements
from scim_bridge.store.compiled import together
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.schema import fact, organization
from scim_bridge.store.statements import QuickConnection, write_later, write_rows

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ADD = sa.insert(organization)
ADD_FACT = sa.insert(fact)
RENAME = sa.update(organization).where(organization.c.slug == sa.bindparam("called"))
NAMES = sa.select(organization.c.slug, organization.c.name).where(organization.c.slug.in_(listed("slugs")))


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    with opened.write() as connection:
        # The statements are known from here on.
        for number in range(3):
            connection.execute(ADD, row(f"known {number}"))
            connection.execute(RENAME, {"called": "known 0", "name": f"Known {number}"})
    yield opened
    opened.dispose()


def row(slug: str, **values: object) -> dict[str, Any]:
    return {"id": new_id(), "slug": slug, "name": slug, "created_at": NOON, **values}


def fact_of(organization_id: str, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "noun": "unit",
        "object_id": f"unit {number}",
        "attribute": "parent",
        "value": None,
        "valid_from": NOON + timedelta(seconds=number),
    }


def names(database: Database, *slugs: str) -> dict[str, str]:
    with database.read() as connection:
        return dict(connection.execute(NAMES, {"slugs": as_list(slugs)}).all())


def refuse(error: IntegrityError) -> None:
    if "slug" in str(error.orig):
        raise NotUnique("The slug is taken.") from None


def test_what_waits_is_there_after_the_commit(database: Database) -> None:
    made = row("acme")
    with database.write() as connection:
        write_later(connection, ADD, made)
        for number in range(20):
            write_later(connection, ADD_FACT, fact_of(made["id"], number))

    with database.read() as connection:
        found = connection.execute(sa.select(sa.func.count()).where(fact.c.organization_id == made["id"])).scalar_one()
    assert (names(database, "acme"), found) == ({"acme": "acme"}, 20)


def test_who_asks_sees_what_was_to_be_written(database: Database) -> None:
    with database.write() as connection:
        write_later(connection, ADD, row("acme"))

        found = connection.execute(NAMES, {"slugs": as_list(["acme"])}).all()

    assert [tuple(each) for each in found] == [("acme", "acme")]


def test_a_change_of_a_row_that_waits_comes_after_it(database: Database) -> None:
    with database.write() as connection:
        write_later(connection, ADD, row("acme"))
        write_later(connection, RENAME, {"called": "acme", "name": "First"})
        write_later(connection, RENAME, {"called": "acme", "name": "Second"})
        write_later(connection, ADD, row("next"))

    assert names(database, "acme", "next") == {"acme": "Second", "next": "next"}


def test_what_waits_goes_with_the_transaction(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            write_later(connection, ADD, row("acme"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.write() as connection:
        write_later(connection, ADD, row("next"))

    assert names(database, "acme", "next") == {"next": "next"}


def test_a_row_that_is_there_already_is_refused_in_words_and_leaves_nothing(database: Database) -> None:
    def write_all() -> None:
        with database.write() as connection:
            write_later(connection, ADD, row("before"))
            write_later(connection, ADD, row("known 1"), refuse)
            write_later(connection, ADD, row("behind"))

    for _ in range(2):
        with pytest.raises(NotUnique, match="taken"):
            write_all()

    assert names(database, "before") == {}


def test_what_nobody_has_words_for_is_the_databases_own_error(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        write_later(connection, ADD_FACT, fact_of("no organization", 1), refuse)


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_rows_are_written_however_many_they_are(database: Database, count: int) -> None:
    with database.write() as connection:
        write_rows(connection, ADD, [row(f"org-{number}") for number in range(count)])

    assert len(names(database, *(f"org-{number}" for number in range(count)))) == count


def test_a_rehearsal_writes_what_waits_and_undoes_it(database: Database) -> None:
    with rehearse(database) as rehearsal:
        with rehearsal.write() as connection:
            write_later(connection, ADD, row("acme"))
        with rehearsal.read() as connection:
            found = connection.execute(NAMES, {"slugs": as_list(["acme"])}).all()

    assert len(found) == 1
    assert names(database, "acme") == {}


def test_on_postgresql_it_is_one_statement(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    run = QuickConnection._try

    def noted(self: QuickConnection, written: Any, parameters: Any, *, many: bool) -> Any:
        sent.append(written.text)
        return run(self, written, parameters, many=many)

    monkeypatch.setattr(QuickConnection, "_try", noted)
    with database.write() as connection:
        write_later(connection, ADD, row("one"))
        write_later(connection, ADD, row("two"))

    assert len(sent) == (2 if database.is_sqlite else 1)
    assert sent[0].startswith("INSERT" if database.is_sqlite else "WITH w0 AS (INSERT")


def test_parameters_of_statements_that_go_together_do_not_meet(database: Database) -> None:
    with database.write() as connection:
        dialect = connection.dialect
        add = statements._known(ADD, dialect, row("one"))
        rename = statements._known(RENAME, dialect, {"called": "one", "name": "One"})
    assert add is not None
    assert rename is not None

    both = together(add, rename)

    values = [row("one"), {"called": "two", "name": "Two"}]
    assert list(both.values(values)) == [*add.values(values[0]), *rename.values(values[1])]
    if not database.is_sqlite:
        assert f"${add.sent + rename.sent}" in both.text
        assert f"${add.sent + rename.sent + 1}" not in both.text
