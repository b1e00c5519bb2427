"""
The clock: APScheduler rings, a thread of ours ticks.

The memory job store only: with its SQL store, every process would run every job. What is due stands in the bridge's
own tables, so a scheduler that starts knows nothing and needs to know nothing.
"""

from collections.abc import Callable, Iterable
from datetime import UTC
from threading import Event, Thread

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scim_bridge.errors import BridgeError
from scim_bridge.log import get_logger
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import Listener
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.sync.board import Board
from scim_bridge.sync.dispatch.engines import engine_of
from scim_bridge.sync.dispatch.looking import Clock
from scim_bridge.sync.dispatch.work import Opens
from scim_bridge.sync.errands import Errand

STOP_SECONDS = 8.0
"""So long what is being written may take when the process is told to stop; what hangs is left behind."""
AWAY_SECONDS = 1.0
"""After a tick that failed: a database that is away is not asked five times a second."""

ERRAND_SECONDS = 1.0
"""So long an errand may take to come to its end; one that waits for somebody else's server is left behind."""

LOOK_SECONDS = 1.0
"""Between two looks at who leads, and at which jobs somebody has paused or wants to run now."""

log = get_logger(__name__)


class Scheduler:
    """Keeps the clusters in step while it runs; several may run on one database, in any processes."""

    def __init__(
        self,
        database: Database,
        targets: Opens,
        settings: Settings,
        clock: Clock = now,
        errands: Iterable[Errand] = (),
    ) -> None:
        """
        Prepare; nothing runs yet. ``errands`` are done beside the ticks, on threads of their own, by whoever leads.
        """
        self._woken = Event()
        self._stopping = Event()
        self._engine = engine_of(database, targets, settings, carried_out, self.wake, clock)
        self._errands = (*errands, *self._engine.upkeep)
        self._board = Board(database, self._errands, clock)
        self._lead = Errand("lead", LOOK_SECONDS, self._board.tick, self._board.close)
        self._listener = Listener(database, self.wake)
        # A ring is one Event.set: it needs no thread of a pool, and is never skipped because the last one still waits.
        self._clock = BackgroundScheduler(executors={"default": DebugExecutor()}, timezone=UTC)
        self._clock.add_job(
            self.wake,
            "interval",
            seconds=settings.poll_seconds,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._clock.add_job(self._lead.ring, "interval", seconds=LOOK_SECONDS, coalesce=True, misfire_grace_time=None)
        self._ticks = Thread(target=self._tick_until_stopped, name="ticks", daemon=True)

    def start(self) -> None:
        """Begin, with a first tick at once."""
        self._listener.start()
        self._clock.start()
        self._ticks.start()
        self._lead.start(carried_out)
        for errand in self._errands:
            errand.start(carried_out, self._board.round_of(errand, self._engine.round_of(errand)))
        self.wake()

    def wake(self) -> None:
        """Tick now; safe from any thread, and many calls at once make one tick."""
        self._woken.set()

    def stop(self) -> bool:
        """Finish what is being written, start nothing more, and tell whether everything ended in time."""
        self._stopping.set()
        self._woken.set()
        self._listener.stop()
        for errand in (*self._errands, self._lead):
            errand.stop()
        if self._clock.running:
            self._clock.shutdown(wait=False)
        ended = self._engine.stop(STOP_SECONDS)
        if self._ticks.is_alive():
            self._ticks.join(timeout=1)
        at_rest = [errand.wait(ERRAND_SECONDS) for errand in (*self._errands, self._lead)]
        return ended and not self._ticks.is_alive() and all(at_rest)

    def _tick_until_stopped(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait()
            self._woken.clear()
            if not self._stopping.is_set() and not carried_out("tick", self._engine.tick):
                self._stopping.wait(AWAY_SECONDS)


def carried_out(name: str, work: Callable[[], object]) -> bool:
    """
    Do a piece of work and tell whether it came to its end.

    The one place that catches everything: an unknown failure on one cluster must not end the service of the others.
    """
    try:
        work()
    except BridgeError as error:
        log.warning(f"The {name} broke off", reason=str(error))
        return False
    except Exception:
        log.exception(f"The {name} failed in a way that nobody foresaw")
        return False
    return True
