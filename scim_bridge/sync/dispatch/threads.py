"""
The engine of one machine: what is due is done on this process's own threads.

Any number of processes may do this on one database. Rows are claimed by exactly one of them, each cluster's passes and
each cluster's removals are held by a lease, and every process may carry out what another has claimed: what is due
stands in the store, so nothing is lost with a process.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Event

from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.sync.dispatch.looking import Clock, Due, Kind, LeaversFirst, claim_news, due_now
from scim_bridge.sync.dispatch.work import Opens, Work
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.lanes import Guard, Lane
from scim_bridge.sync.turns import HOLDER

PROVING = 2
"""So many clusters are asked at a time about removals that they have confirmed: nobody waits for the answer."""
SCANNING = 1
"""So many clusters are looked at as a whole at a time."""
LOOK_EVERY = timedelta(seconds=1)
"""Without news, so often: for what the clock makes due, and for what another process has claimed and not done."""


class Dispatcher:
    """Finds what is to be done and hands it to the lanes; ticks come from one thread at a time."""

    def __init__(
        self,
        database: Database,
        targets: Opens,
        settings: Settings,
        guard: Guard,
        finished: Callable[[], None] = lambda: None,
        clock: Clock = now,
        holder: str = HOLDER,
    ) -> None:
        """Prepare; ``finished`` is called when a piece of work ended and the next may have its place."""
        self._database = database
        self._clock = clock
        self._work = Work(database, targets, settings, clock, holder)
        patience, ended = settings.cluster_connect_seconds, self._ended(finished)
        self._lanes = {
            Kind.REMOVALS: Lane("removals", settings.revocation_workers, patience, guard, ended),
            Kind.PASS: Lane("pass", settings.pass_workers, patience, guard, ended),
            Kind.PROOFS: Lane("proofs", PROVING, patience, guard, ended),
            Kind.SCAN: Lane("scan", SCANNING, patience, guard, ended),
        }
        self._leavers = LeaversFirst()
        self._look_again = Event()
        self._next_look: datetime | None = None

    def tick(self) -> None:
        """Claim what waits and start what is due; quick when there is nothing. Raises what the store raises."""
        self._work.keep_turns()
        news = claim_news(self._database, self._clock)
        at = self._clock()
        if news or self._look_again.is_set() or self._next_look is None or at >= self._next_look:
            self._look_again.clear()
            self._next_look = at + LOOK_EVERY
            with self._database.read() as connection:
                found = due_now(connection, at)
            self._offer(found, at)

    @property
    def upkeep(self) -> tuple[Errand, ...]:
        """Return what this engine needs: nothing, it has no state of its own."""
        return ()

    def round_of(self, errand: Errand) -> Callable[[], object]:
        """Return what one round of an errand is: here, the work itself."""
        return errand.work

    def stop(self, seconds: float) -> bool:
        """Let what is being written be finished and nothing more; tell whether all ended in time."""
        self._work.stop()
        ended = [lane.wait_until_idle(seconds / len(self._lanes)) for lane in self._lanes.values()]
        return all(ended)

    def _offer(self, found: list[Due], at: datetime) -> None:
        removals = [each for each in found if each.kind is Kind.REMOVALS]
        self._offer_all(removals)
        lane = self._lanes[Kind.REMOVALS]
        if not self._leavers.keeps_back([each for each in removals if not lane.is_at(each.place.id)], at):
            self._offer_all(each for each in found if each.kind is not Kind.REMOVALS)

    def _offer_all(self, found: Iterable[Due]) -> None:
        for each in found:
            self._lanes[each.kind].offer(each.place.id, self._run(each), failing=each.place.failures > 0)

    def _run(self, due: Due) -> Callable[[], None]:
        def run() -> None:
            self._work.do(due)

        return run

    def _ended(self, finished: Callable[[], None]) -> Callable[[], None]:
        def ended() -> None:
            self._look_again.set()
            finished()

        return ended
