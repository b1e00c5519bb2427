"""Audit entries are chained soon after they are committed, by one process, and nobody who writes one waits for it."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import audit, organizations
from scim_bridge.settings import Settings
from scim_bridge.store.audit import add_audit
from scim_bridge.store.audit_chain import seal_entries
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.scheduler import Scheduler
from scim_bridge.sync.sealer import AT_ONCE, LEASE_TIME, SEAL_SECONDS, Sealer
from tests.conftest import Lent
from tests.identity.chains import KEYRING, verdict
from tests.identity.rows import organization_id

HANDS = Actor(ActorKind.CLI, "tests")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    organizations.create(opened, HANDS, "acme")
    yield opened
    opened.dispose()


@pytest.fixture
def postgresql(lent_postgresql: Lent) -> Iterator[Database]:
    """Open PostgreSQL: SQLite has one writer, and nobody seals while somebody writes."""
    opened = Database(lent_postgresql.lend())
    organizations.create(opened, HANDS, "acme")
    yield opened
    opened.dispose()


def write_entries(database: Database, number: int = 1) -> None:
    with database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "x", now())
        for each in range(number):
            add_audit(connection, change, "thing.changed", "thing", str(each))


def unsealed(database: Database) -> int:
    with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(audit_entry).where(audit_entry.c.sequence.is_(None))
        return int(connection.execute(query).scalar_one())


def test_what_is_committed_is_sealed_however_much_it_is(database: Database) -> None:
    write_entries(database, 2 * AT_ONCE + 1)
    waiting = unsealed(database)

    sealed = Sealer(database, KEYRING).seal()

    assert sealed == waiting
    assert verdict(database).checked == waiting
    assert verdict(database).holds


def test_a_second_look_goes_on_where_the_first_ended(database: Database) -> None:
    sealer = Sealer(database, KEYRING)
    sealer.seal()
    before = verdict(database)

    write_entries(database)
    sealer.seal()

    after = verdict(database)
    assert after.holds
    assert after.last == before.last + 1
    assert audit.verify(database, KEYRING, HANDS, "acme", f"{before.last}:{before.hash}").holds


def test_each_organization_has_a_chain_of_its_own(database: Database) -> None:
    organizations.create(database, HANDS, "globex")

    Sealer(database, KEYRING).seal()

    assert (verdict(database).first, verdict(database, "globex").first) == (1, 1)
    assert verdict(database).holds
    assert verdict(database, "globex").holds


def test_one_process_seals_until_it_stops_or_its_lease_runs_out(database: Database) -> None:
    moment = now()
    first, second = (Sealer(database, KEYRING, lambda: moment) for _ in range(2))
    late = Sealer(database, KEYRING, lambda: moment + LEASE_TIME)

    write_entries(database)
    sealed = [first.seal()]
    write_entries(database)
    sealed += [second.seal(), late.seal()]
    write_entries(database)
    sealed += [first.seal()]
    late.close()
    sealed += [first.seal()]

    assert [number > 0 for number in sealed] == [True, False, True, False, True]
    assert verdict(database).holds


def test_an_entry_that_is_not_committed_yet_is_sealed_once_it_is(postgresql: Database) -> None:
    database = postgresql
    with database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "x", now())
        add_audit(connection, change, "thing.changed", "thing", "late")
        write_entries(database)
        Sealer(database, KEYRING, lambda: now() - 2 * LEASE_TIME).seal()
        waiting = unsealed(database)

    Sealer(database, KEYRING).seal()

    assert waiting == 0
    assert verdict(database).holds
    assert unsealed(database) == 0


def test_nobody_who_writes_an_entry_waits_for_the_chain(postgresql: Database) -> None:
    database = postgresql
    write_entries(database, 10)
    writer = Thread(target=write_entries, args=(database,))

    with database.write() as connection:
        # The chain is locked, its newest entries too, and nothing is committed.
        seal_entries(connection, organization_id(connection), now(), KEYRING, 1000)
        writer.start()
        writer.join(timeout=5)
        waited = writer.is_alive()

    assert not waited
    assert unsealed(database) == 1


def test_the_scheduler_seals_at_most_a_second_behind(database: Database) -> None:
    settings = Settings(poll_seconds=0.1)

    def opens(*_: object) -> object:
        raise AssertionError("there is no cluster")

    sealer = Sealer(database, KEYRING)
    errand = Errand("sealing", SEAL_SECONDS, sealer.seal, sealer.close)
    scheduler = Scheduler(database, opens, settings, errands=[errand])  # type: ignore[arg-type]
    scheduler.start()
    try:
        sleep(0.3)
        write_entries(database)
        started = monotonic()
        while unsealed(database) and monotonic() < started + 10:
            sleep(0.02)
        took = monotonic() - started
    finally:
        assert scheduler.stop()

    assert took < 1.5
    assert verdict(database).holds
    # It let go of the lease: another process need not wait.
    write_entries(database)
    assert Sealer(database, KEYRING).seal() == 1


def test_a_sealer_that_comes_back_after_its_lease_ran_out_takes_it_again(database: Database) -> None:
    moment = [now()]
    sealer = Sealer(database, KEYRING, lambda: moment[0])
    sealer.seal()
    write_entries(database)

    moment[0] += LEASE_TIME + timedelta(seconds=1)

    assert sealer.seal() == 1
