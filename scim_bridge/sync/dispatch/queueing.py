"""
The engine of many machines: what is due becomes jobs in a queue, which workers take.

Any number of processes may dispatch. The change row is the transactional part; a job is put into the queue in a
transaction of its own, later, and as often as something is still due and nobody has it in hand.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.sync.dispatch.jobs import Job, job_for, job_of_errand, put
from scim_bridge.sync.dispatch.looking import Clock, Kind, LeaversFirst, claim_news, due_now
from scim_bridge.sync.dispatch.rescue import rescue
from scim_bridge.sync.errands import Errand

LOOK_EVERY = timedelta(seconds=1)
AT_ONCE = 50
"""So many jobs to a transaction: a process that is stopped in one holds up nobody for more than these."""


class QueueDispatcher:
    """Finds what is to be done and puts it into the queue; ticks come from one thread at a time."""

    def __init__(self, database: Database, settings: Settings, clock: Clock = now) -> None:
        """Prepare; nothing is looked for yet."""
        self._database = database
        self._clock = clock
        self._patience = timedelta(seconds=settings.lease_seconds)
        self._leavers = LeaversFirst()
        self._next_look: datetime | None = None

    def tick(self) -> None:
        """Claim what waits and put what is due into the queue. Raises what the store raises."""
        news = claim_news(self._database, self._clock)
        at = self._clock()
        if not news and self._next_look is not None and at < self._next_look:
            return
        self._next_look = at + LOOK_EVERY
        with self._database.read() as connection:
            found = due_now(connection, at)
        # What no worker holds has no place yet.
        removals = [each for each in found if each.kind is Kind.REMOVALS]
        if self._leavers.keeps_back(removals, at):
            found, self._next_look = removals, at
        self._put([job_for(each) for each in found])

    def round_of(self, errand: Errand) -> Callable[[], object]:
        """Return what one round of an errand is: handing it out, where it has a queue and there is something to do."""
        queue = errand.queue
        if queue is None:
            return errand.work

        def hand_out() -> None:
            if errand.is_due():
                self._put([job_of_errand(errand.name, queue)])

        return hand_out

    @property
    def upkeep(self) -> tuple[Errand, ...]:
        """Return what keeps the queue itself in order: jobs of workers that died are taken out of it."""
        work = lambda: rescue(self._database, self._clock, self._patience)  # noqa: E731
        return (Errand("rescue", max(self._patience.total_seconds() / 3, 1), work),)

    def stop(self, _seconds: float) -> bool:
        """Put nothing more there: ticks have ended, and what is in hand is in the hands of workers."""
        return True

    def _put(self, jobs: list[Job]) -> None:
        # The most urgent go first; within a transaction their order is that of their locks.
        jobs.sort(key=lambda each: -each.priority)
        for start in range(0, len(jobs), AT_ONCE):
            with self._database.write() as connection:
                put(connection, jobs[start : start + AT_ONCE])
