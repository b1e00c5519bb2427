"""A turn is one process's at a time; whoever is not sure to have it does not write."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.store.database import Database
from scim_bridge.store.leases import held_leases
from scim_bridge.store.schema import lease
from scim_bridge.sync.turns import pass_lease, removal_lease, take_turn
from tests.sync.worlds import NOON

NAME = pass_lease(ClusterId("prod"))


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def goes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    made = Database(migrated_url)
    yield made
    made.dispose()


def is_held(database: Database, clock: Clock) -> bool:
    with database.read() as connection:
        return NAME in held_leases(connection, clock())


def test_a_turn_is_held_while_the_block_runs_and_free_after_it(database: Database, clock: Clock) -> None:
    with take_turn(database, NAME, 30, clock) as turn:
        within = (turn is not None, is_held(database, clock))

    assert (within, is_held(database, clock)) == ((True, True), False)


def test_it_is_free_too_after_a_block_that_broke_off(database: Database, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError), take_turn(database, NAME, 30, clock):
        raise ZeroDivisionError

    assert not is_held(database, clock)


def test_whoever_comes_second_gets_none_and_takes_nothing_away(database: Database, clock: Clock) -> None:
    with take_turn(database, NAME, 30, clock, "one") as first:
        with take_turn(database, NAME, 30, clock, "two") as second:
            refused = second is None
        assert first is not None
        kept = (first.goes_on(), is_held(database, clock))

    assert (refused, kept) == (True, (True, True))


def test_removals_never_wait_for_the_turn_of_a_pass(database: Database, clock: Clock) -> None:
    with (
        take_turn(database, NAME, 30, clock, "one"),
        take_turn(database, removal_lease(ClusterId("prod")), 30, clock, "two") as removals,
    ):
        assert removals is not None


def test_a_turn_is_renewed_as_long_as_somebody_asks_whether_it_goes_on(database: Database, clock: Clock) -> None:
    with take_turn(database, NAME, 30, clock) as turn:
        assert turn is not None
        for _ in range(10):
            clock.goes(20)
            assert turn.goes_on()
        held = is_held(database, clock)

    assert held


def test_nothing_is_written_while_there_is_no_need_to_renew(database: Database, clock: Clock) -> None:
    writes: list[str] = []
    with take_turn(database, NAME, 30, clock) as turn:
        assert turn is not None
        sa.event.listen(database.engine, "before_cursor_execute", lambda *words: writes.append(words[2]))
        for _ in range(100):
            turn.goes_on()
        asked = list(writes)

    assert asked == []


def test_a_turn_that_was_overtaken_is_lost_for_good(database: Database, clock: Clock) -> None:
    with take_turn(database, NAME, 30, clock, "slow") as slow:
        assert slow is not None
        clock.goes(31)
        with take_turn(database, NAME, 30, clock, "next") as present:
            assert present is not None
            answers = [slow.goes_on(), slow.goes_on()]
            higher = present.epoch > slow.epoch
        # The next holder has given it back; whoever lost it must not go on all the same.
        after = slow.goes_on()

    assert (answers, higher, after) == ([False, False], True, False)


def test_the_end_of_a_lost_turn_does_not_end_the_next_ones(database: Database, clock: Clock) -> None:
    slow = take_turn(database, NAME, 30, clock, "slow")
    slow.__enter__()
    clock.goes(31)

    with take_turn(database, NAME, 30, clock, "next"):
        slow.__exit__(None, None, None)
        held = is_held(database, clock)

    assert held


@pytest.mark.parametrize("trouble", [StoreError("away"), Unavailable("busy", 1)])
def test_what_cannot_be_known_to_be_ours_is_not_ours(
    database: Database, clock: Clock, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise trouble

    with take_turn(database, NAME, 30, clock) as turn:
        assert turn is not None
        clock.goes(11)
        monkeypatch.setattr(database, "write", away)
        answers = [turn.goes_on()]
        monkeypatch.undo()
        answers.append(turn.goes_on())

    assert answers == [False, False]


def test_many_threads_may_ask_at_once(database: Database, clock: Clock) -> None:
    answers: list[bool] = []
    with take_turn(database, NAME, 30, clock) as turn:
        assert turn is not None
        clock.goes(15)
        threads = [threading.Thread(target=lambda: answers.append(turn.goes_on())) for _ in range(16)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
        with database.read() as connection:
            epochs = list(connection.execute(sa.select(lease.c.epoch)).scalars())

    assert (answers, epochs) == ([True] * 16, [1])
