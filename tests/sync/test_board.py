"""The scheduler's jobs: done by the one that leads, when they are due, when somebody asks, and not while they rest."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.domain.jobs import JobSort
from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import JobRow, ask_for_job, begin_run, forget_runs, past_runs, pause_job, read_jobs
from scim_bridge.sync.board import Board
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.leading import LEASE_TIME
from scim_bridge.sync.scheduler import Scheduler, carried_out
from tests.sync.clockwork import Targets, eventually

HOUR = timedelta(hours=1)
SORTS = {
    "sweep": JobSort("sweep", "sweeps", HOUR.total_seconds()),
    "look": JobSort("look", "looks", 1),
}


class Office:
    """A database, a clock that goes when it is told to, and schedulers' boards with one job each that counts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.at = datetime(2026, 11, 29, 12, tzinfo=UTC)
        self.done: list[str] = []
        self.problem: Exception | None = None
        self.rounds: dict[str, Callable[[], object]] = {}
        self.boards: dict[str, Board] = {}

    def open(self, holder: str, job: str = "sweep") -> Board:
        errand = Errand(job, SORTS[job].seconds, lambda: self._work(holder))
        board = Board(self.database, [errand], lambda: self.at, holder, SORTS)
        self.boards[holder] = board
        self.rounds[holder] = board.round_of(errand, errand.work)
        return board

    def go_on(self, time: timedelta = timedelta(seconds=1), *, stopped: str = "") -> list[str]:
        """Let time go by and every scheduler that is not stopped look at its jobs; return who did some."""
        self.at += time
        self.done.clear()
        for holder, board in self.boards.items():
            if holder != stopped:
                board.tick()
                carried_out("round", self.rounds[holder])
        return list(self.done)

    def row(self, job: str = "sweep") -> JobRow:
        with self.database.read() as connection:
            return read_jobs(connection)[job]

    def runs(self, job: str = "sweep") -> list[tuple[str, str | None, str | None]]:
        with self.database.read() as connection:
            return [(each.state, each.asked_by, each.message) for each in past_runs(connection, job, 10)]

    def _work(self, holder: str) -> None:
        self.done.append(holder)
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def office(migrated_url: str) -> Iterator[Office]:
    database = Database(migrated_url)
    yield Office(database)
    database.dispose()


def test_of_two_schedulers_one_does_the_jobs_and_the_other_takes_over_when_it_dies(office: Office) -> None:
    office.open("one")
    office.open("two")

    first = office.go_on()
    at_once = [office.go_on() for _ in range(5)]
    later = office.go_on(HOUR)
    # It has died: its lead ends by itself, and what is due by then is done by the other, once.
    alone = [office.go_on(LEASE_TIME / 2, stopped="one") for _ in range(3)]
    next_hour = office.go_on(HOUR, stopped="one")

    assert (first, at_once, later) == (["one"], [[]] * 5, ["one"])
    assert (alone, next_hour) == ([[]] * 3, ["two"])
    assert office.runs() == [("ok", None, None)] * 3


def test_one_that_wakes_up_late_does_not_do_what_another_has_done(office: Office) -> None:
    office.open("one")
    office.open("two")
    office.go_on()

    # It stood still for longer than its lead lasts, in the middle of a look, and now goes on with its round.
    office.go_on(HOUR, stopped="one")
    office.done.clear()
    carried_out("round", office.rounds["one"])

    assert office.done == []
    assert office.runs() == [("ok", None, None)] * 2


def test_a_scheduler_that_ends_leaves_the_lead_to_the_others_at_once(office: Office) -> None:
    office.open("one")
    office.go_on()
    office.boards["one"].close()
    office.open("two")

    assert office.go_on(HOUR, stopped="one") == ["two"]


def test_a_job_that_somebody_asks_for_runs_once_whether_it_is_due_or_paused(office: Office) -> None:
    office.open("one")
    office.go_on()
    with office.database.write() as connection:
        pause_job(connection, "sweep", "ada", office.at)
        ask_for_job(connection, "sweep", "ada", office.at)

    done = [office.go_on(), office.go_on(), office.go_on(2 * HOUR)]
    with office.database.write() as connection:
        pause_job(connection, "sweep", None, None)

    assert done == [["one"], [], []]
    assert office.go_on() == ["one"]
    assert office.runs() == [("ok", None, None), ("ok", "ada", None), ("ok", None, None)]


def test_a_run_that_fails_is_told_and_the_next_one_comes_in_its_time(office: Office) -> None:
    office.open("one")
    office.problem = StoreError("The database is away.")
    office.go_on()
    office.problem = ZeroDivisionError("somebody's secret")
    office.go_on(HOUR)
    failures = office.row().failures

    office.problem = None
    office.go_on(HOUR)

    assert (failures, office.row().failures) == (2, 0)
    assert office.runs() == [
        ("ok", None, None),
        ("failed", None, "ZeroDivisionError: the log says more"),
        ("failed", None, "The database is away."),
    ]


def test_a_run_whose_process_was_killed_is_lost_when_the_next_one_begins(office: Office) -> None:
    office.open("one")
    office.go_on()
    with office.database.write() as connection:
        assert begin_run(connection, office.row(), "dead", office.at) is not None

    office.go_on(HOUR)

    assert [state for state, _, _ in office.runs()] == ["ok", "lost", "ok"]


def test_what_comes_by_often_is_in_the_history_only_where_it_begins_or_ends_to_fail(office: Office) -> None:
    office.open("one", "look")
    quiet = [office.go_on() for _ in range(5)]
    after_five = office.runs("look")
    office.problem = StoreError("away")
    office.go_on()
    office.go_on()
    office.problem = None
    office.go_on()
    noted = office.row("look")

    assert quiet == [["one"]] * 5
    assert after_five == []
    assert office.runs("look") == [("ok", None, None), ("failed", None, "away")]
    assert (noted.failures, noted.finished_at) == (0, office.at)


def test_what_comes_by_often_rests_while_it_is_paused(office: Office) -> None:
    office.open("one", "look")
    office.go_on()
    with office.database.write() as connection:
        pause_job(connection, "look", "ada", office.at)

    assert [office.go_on() for _ in range(3)] == [[], [], []]


def test_old_runs_are_forgotten(office: Office) -> None:
    office.open("one")
    office.go_on()
    office.go_on(HOUR)

    with office.database.write() as connection:
        gone = forget_runs(connection, office.at)

    assert (gone, len(office.runs())) == (1, 1)


def test_a_running_scheduler_does_what_is_asked_for_within_moments(migrated_url: str) -> None:
    database = Database(migrated_url)
    done: list[int] = []
    errand = Errand("purge-log", 900, lambda: done.append(1))
    running = Scheduler(database, Targets({}), Settings(), errands=[errand])
    running.start()
    try:
        first = eventually(lambda: len(done) == 1)
        with database.write() as connection:
            ask_for_job(connection, "purge-log", "ada", datetime.now(UTC))
        second = eventually(lambda: len(done) == 2)
    finally:
        stopped = running.stop()
        database.dispose()

    assert (first, second, stopped) == (True, True, True)
