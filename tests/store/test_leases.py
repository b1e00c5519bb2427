"""A lease has one holder at a time, and a late holder can be told from the present one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.store.database import Database
from scim_bridge.store.leases import Lease, held_leases, release_lease, renew_lease, take_lease

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)
MUCH_LATER = NOON + timedelta(seconds=60)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    made = Database(migrated_url)
    yield made
    made.dispose()


def take(database: Database, holder: str, at: datetime = NOON, until: datetime = LATER) -> Lease | None:
    with database.write() as connection:
        return take_lease(connection, "pass:prod", holder, at, until)


def renew(database: Database, held: Lease, until: datetime = MUCH_LATER) -> bool:
    with database.write() as connection:
        return renew_lease(connection, held, until)


def test_whoever_comes_second_gets_nothing(database: Database) -> None:
    first = take(database, "a")
    second = take(database, "b")

    assert first == Lease("pass:prod", "a", 1)
    assert second is None


def test_even_its_own_holder_cannot_take_it_twice(database: Database) -> None:
    take(database, "a")

    assert take(database, "a") is None


def test_one_that_ran_out_is_taken_over_with_a_higher_epoch(database: Database) -> None:
    take(database, "a")

    taken = take(database, "b", at=LATER, until=MUCH_LATER)

    assert taken == Lease("pass:prod", "b", 2)


def test_a_holder_that_was_overtaken_learns_it_and_can_do_no_harm(database: Database) -> None:
    late = take(database, "a")
    present = take(database, "b", at=LATER, until=MUCH_LATER)
    assert late is not None
    assert present is not None

    kept = renew(database, late)
    with database.write() as connection:
        release_lease(connection, late)

    assert not kept
    assert renew(database, present)
    assert take(database, "c", at=LATER) is None


def test_the_same_process_that_lost_a_turn_and_took_it_again_is_told_apart(database: Database) -> None:
    late = take(database, "a")
    take(database, "a", at=LATER, until=MUCH_LATER)
    assert late is not None

    assert not renew(database, late)


def test_one_that_ran_out_and_nobody_took_is_kept(database: Database) -> None:
    held = take(database, "a")
    assert held is not None

    assert renew(database, held)
    assert take(database, "b", at=LATER) is None


def test_what_is_given_back_is_free_at_once(database: Database) -> None:
    held = take(database, "a")
    assert held is not None

    with database.write() as connection:
        release_lease(connection, held)

    assert not renew(database, held)
    assert take(database, "b") == Lease("pass:prod", "b", 2)


def test_what_is_held_can_be_seen_until_it_runs_out(database: Database) -> None:
    take(database, "a")

    with database.read() as connection:
        seen = [held_leases(connection, at) for at in (NOON, LATER)]

    assert seen == [{"pass:prod"}, frozenset()]


def test_of_many_that_come_at_once_one_gets_it(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        first = [each for each in pool.map(lambda n: take(database, f"h{n}"), range(8)) if each]
        again = [each for each in pool.map(lambda n: take(database, f"h{n}", LATER, MUCH_LATER), range(8)) if each]

    assert [each.epoch for each in (*first, *again)] == [1, 2]
