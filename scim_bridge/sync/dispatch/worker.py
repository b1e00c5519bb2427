"""
A worker: takes jobs from the queue and does them, on any machine, as many of each lane at a time as it has places.

Each lane has places of its own, so that removals never wait behind passes. A run that takes longer than a healthy
cluster does gives its place back: its lease, not its job, is what keeps others away from the cluster.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

from procrastinate import App
from procrastinate.exceptions import ConnectorException

from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.log import get_logger
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.work_queue import DriverError
from scim_bridge.sync.dispatch.jobs import (
    CLUSTER,
    ERRAND,
    FAILING,
    PASSES,
    PROOFS,
    REMOVALS,
    SCANS,
    errand_lease,
    job_for,
    open_app,
    put_again,
)
from scim_bridge.sync.dispatch.looking import Clock, Due, Kind, is_due
from scim_bridge.sync.dispatch.work import Opens, Work
from scim_bridge.sync.errands import Errand, Guard
from scim_bridge.sync.lanes import ASIDE
from scim_bridge.sync.turns import HOLDER

STOP_SECONDS = 8.0
"""So long what is being written may take when the process is told to stop; what hangs is left behind."""
AWAY_SECONDS = 1.0
LOOK_SECONDS = 0.5
"""A job that waited for another one's lock is found by looking: nobody tells of it."""
FEW, SCANNING = 4, 1
QUEUE_AWAY = (ConnectorException, DriverError, OSError)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerLane:
    """Queues that share places, and how many of these there are."""

    name: str
    queues: tuple[str, ...]
    places: int


def lanes_of(settings: Settings, errands: Iterable[Errand]) -> tuple[WorkerLane, ...]:
    """Return the lanes of a worker: removals, passes, what fails, and the nightly looks each have their own places."""
    rest = sorted({PROOFS, *(each.queue for each in errands if each.queue is not None)})
    return (
        WorkerLane("removals", (REMOVALS,), settings.revocation_workers),
        WorkerLane("passes", (PASSES,), settings.pass_workers),
        WorkerLane("failing", (FAILING,), ASIDE * settings.pass_workers),
        WorkerLane("others", tuple(rest), FEW),
        WorkerLane("scans", (SCANS,), SCANNING),
    )


class Worker:
    """One process's share of the work; `run` blocks until `stop` is called."""

    def __init__(
        self,
        database: Database,
        targets: Opens,
        settings: Settings,
        guard: Guard,
        errands: Iterable[Errand] = (),
        clock: Clock = now,
        holder: str = HOLDER,
    ) -> None:
        """Prepare; nothing is taken yet."""
        self._database = database
        self._settings = settings
        self._guard = guard
        self._clock = clock
        self._errands: Mapping[str, Errand] = {each.name: each for each in errands}
        self._lanes = lanes_of(settings, self._errands.values())
        self._work = Work(database, targets, settings, clock, holder)
        self._threads: set[Thread] = set()
        self._aside = 0
        self._rests: dict[str, int] = {}
        self._stopping = Event()
        self._ended = Event()

    def run(self) -> bool:
        """Do what comes until somebody calls `stop`; tell whether all that ran came to its end in time."""
        keeper = Thread(target=self._keep_turns, name="turns", daemon=True)
        keeper.start()
        try:
            asyncio.run(self._serve())
        finally:
            self._ended.set()
        for errand in self._errands.values():
            self._guard(f"end of the {errand.name}", errand.end)
        for each in list(self._threads):
            each.join(timeout=1)
        return not self._threads

    def stop(self) -> None:
        """Let what is being written be finished and take nothing more; safe from a signal's handler."""
        self._work.stop()
        self._stopping.set()

    def _keep_turns(self) -> None:
        while not self._ended.wait(self._settings.lease_seconds / 6):
            self._guard("turns", self._work.keep_turns)

    async def _serve(self) -> None:
        app = open_app(self._database, most=2 + len(self._lanes))
        app.task(name=CLUSTER)(self._on_cluster)
        app.task(name=ERRAND)(self._an_errand)
        serving = asyncio.create_task(self._serve_lanes(app))
        while not self._stopping.is_set() and not serving.done():
            # A signal's handler may not touch the loop, and a moment's delay at the end is nobody's.
            await asyncio.sleep(0.1)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    async def _serve_lanes(self, app: App) -> None:
        while True:
            try:
                async with app.open_async(), asyncio.TaskGroup() as group:
                    for lane in self._lanes:
                        group.create_task(self._serve_lane(app, lane))
            except QUEUE_AWAY as error:
                log.warning("The queue cannot be reached", reason=_reason(error))
                await asyncio.sleep(AWAY_SECONDS)

    async def _serve_lane(self, app: App, lane: WorkerLane) -> None:
        while True:
            try:
                await app.run_worker_async(
                    queues=list(lane.queues),
                    name=lane.name,
                    concurrency=lane.places,
                    fetch_job_polling_interval=LOOK_SECONDS,
                    shutdown_graceful_timeout=STOP_SECONDS,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._settings.lease_seconds / 3,
                    stalled_worker_timeout=self._settings.lease_seconds,
                )
            except QUEUE_AWAY as error:
                # The others go on, and this lane begins anew.
                log.warning("A lane broke off", lane=lane.name, reason=_reason(error))
            # It ended without being told to: the database was away.
            await asyncio.sleep(AWAY_SECONDS)

    async def _on_cluster(
        self, kind: str, cluster_id: str, organization_id: str, failures: int = 0, **_: object
    ) -> None:
        place = DueCluster(ClusterId(cluster_id), OrganizationId(organization_id), failures)
        due = Due(Kind(kind), place)
        await self._in_thread(due.lease, lambda: self._do(due))

    async def _an_errand(self, name: str, **_: object) -> None:
        errand = self._errands.get(name)
        if errand is not None:
            await self._in_thread(name, lambda: self._guard(name, lambda: self._do_errand(errand)))

    def _do_errand(self, errand: Errand) -> None:
        with self._work.turn(errand_lease(errand.name)) as turn:
            if turn is not None:
                errand.work()

    def _do(self, due: Due) -> None:
        had = Event()

        def work() -> None:
            if self._work.do(due):
                had.set()

        ended = self._guard(f"{due.kind.value} of cluster {due.place.id}", work)
        if self._stopping.is_set() or (ended and not had.is_set()):
            # Somebody else has it; whoever looks next sees whether something is left.
            return
        self._guard("look for what is left", lambda: self._defer_again(due, ended=ended))

    def _defer_again(self, due: Due, *, ended: bool) -> None:
        """Put the job there again where something came up meanwhile, or was not done."""
        times = 0 if ended else min(self._rests.get(due.lease, 0) + 1, 7)
        self._rests[due.lease] = times
        if not times:
            self._rests.pop(due.lease, None)
        at = self._clock()
        # What nobody foresaw is not tried again at once.
        not_before = at + timedelta(seconds=0.25 * 2**times) if times else None
        with self._database.write() as connection:
            if is_due(connection, due.kind, due.place.id, at):
                put_again(connection, job_for(due, not_before))

    async def _in_thread(self, name: str, work: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def run() -> None:
            try:
                work()
            finally:
                self._threads.discard(thread)
                with suppress(RuntimeError):
                    # The loop is gone when the process did not wait.
                    loop.call_soon_threadsafe(_settle, ended)

        # A daemon: a process that is told to stop does not wait for a cluster that never answers.
        thread = Thread(target=run, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()
        done, _ = await asyncio.wait({ended}, timeout=self._settings.cluster_connect_seconds)
        if done:
            return
        if self._aside >= ASIDE * self._settings.pass_workers:
            await ended
            return
        self._aside += 1
        ended.add_done_callback(lambda _: self._give_back())

    def _give_back(self) -> None:
        self._aside -= 1


def _settle(ended: "asyncio.Future[None]") -> None:
    if not ended.done():
        ended.set_result(None)


def _reason(error: Exception) -> str:
    # One that wraps the driver's own says nothing itself.
    return str(error.__cause__ or error) or type(error).__name__
