"""
The board of jobs: which of them is to be done now, by the one scheduler that leads, and what became of it.

What is due stands in the store: a scheduler that takes over begins where the other ended, and a restart neither skips
a round nor does one twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from scim_bridge.domain.jobs import SORTS, JobSort
from scim_bridge.errors import BridgeError
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import JobRow, add_missing_jobs, begin_run, end_run, note_round, read_jobs
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.leading import Lead
from scim_bridge.sync.turns import HOLDER

NOTED_EVERY = timedelta(minutes=1)
"""A write for every round of what comes by twice a second would cost more than the round."""


class Board:
    """Decides which errands of this process come by; an errand without a sort of job is nobody's and always does."""

    def __init__(
        self,
        database: Database,
        errands: Iterable[Errand],
        clock: Callable[[], datetime] = now,
        holder: str = HOLDER,
        sorts: Mapping[str, JobSort] = SORTS,
    ) -> None:
        """Prepare; nothing is known of the store yet."""
        self._database = database
        self._clock = clock
        self._holder = holder
        self._sorts = sorts
        self._errands = {each.name: each for each in errands if each.name in sorts}
        self._lead = Lead(database, clock, holder)
        self._rows: dict[str, JobRow] = {}
        self._noted: dict[str, datetime] = {}

    def tick(self) -> None:
        """Keep the lead, read how the jobs stand, and ring for those that are due. Raises what the store raises."""
        if not self._lead.keep():
            return
        if not self._rows.keys() >= self._errands.keys():
            with self._database.write() as connection:
                add_missing_jobs(connection, self._errands)
        with self._database.glance() as connection:
            self._rows = read_jobs(connection)
        at = self._clock()
        for name, errand in self._errands.items():
            if self._wants(self._sorts[name], self._rows[name], at):
                errand.ring()

    def round_of(self, errand: Errand, work: Callable[[], object]) -> Callable[[], object]:
        """Return a round of an errand that is done only where this process leads and the job is due."""
        sort = self._sorts.get(errand.name)
        if sort is None:
            return work

        def a_round() -> None:
            row = self._rows.get(errand.name)
            if row is None or not self._lead.is_mine:
                return
            frequent = sort.is_frequent and row.paused_at is None
            if frequent or self._wants(sort, row, self._clock()):
                self._do(sort, row, work)

        return a_round

    def close(self) -> None:
        """Let another process lead at once."""
        self._lead.give_up()

    def _wants(self, sort: JobSort, row: JobRow, at: datetime) -> bool:
        if row.asked_at is not None:
            return True
        return row.paused_at is None and not sort.is_frequent and sort.is_due(row.started_at, at)

    def _do(self, sort: JobSort, row: JobRow, work: Callable[[], object]) -> None:
        if sort.is_frequent and row.asked_at is None:
            self._do_quietly(row, work)
            return
        run_id = self._begin(row)
        if run_id is None:
            return
        self._finish(row, work, lambda problem: self._end(row, run_id, problem))

    def _do_quietly(self, row: JobRow, work: Callable[[], object]) -> None:
        started = self._clock()
        self._finish(row, work, lambda problem: self._note(row, started, problem))

    def _finish(self, row: JobRow, work: Callable[[], object], noting: Callable[[str | None], None]) -> None:
        try:
            work()
        except BridgeError as error:
            noting(str(error))
            raise
        except Exception as error:
            noting(f"{type(error).__name__}: the log says more")
            raise
        noting(None)

    def _begin(self, row: JobRow) -> str | None:
        at = self._clock()
        with self._database.write() as connection:
            if not self._lead.holds(connection):
                return None
            run_id = begin_run(connection, row, self._holder, at)
        if run_id is not None:
            # Until the next look: what was asked for is being done.
            self._rows[row.name] = replace(row, asked_at=None, asked_by=None, started_at=at)
        return run_id

    def _end(self, row: JobRow, run_id: str, problem: str | None) -> None:
        with self._database.write() as connection:
            end_run(connection, row.name, run_id, problem, self._clock())

    def _note(self, row: JobRow, started: datetime, problem: str | None) -> None:
        """Note a round of what comes by often: as a run where failures begin or end, else once a minute."""
        at = self._clock()
        has_turned = (problem is None) is (row.failures > 0)
        if problem is None and not has_turned and at - self._noted.get(row.name, at - NOTED_EVERY) < NOTED_EVERY:
            return
        self._noted[row.name] = at
        with self._database.write() as connection:
            run_id = begin_run(connection, row, self._holder, started) if has_turned else None
            if run_id is None:
                note_round(connection, row.name, started, problem, at)
            else:
                end_run(connection, row.name, run_id, problem, at)
        failures = 0 if problem is None else row.failures + 1
        self._rows[row.name] = replace(row, failures=failures, started_at=started)
