"""
What makes passes and removals happen: change rows and removal requests become work on clusters.

Any number of processes may do this on one database. Rows are claimed by exactly one of them, each cluster's passes and
each cluster's removals are held by a lease, and every process may carry out what another has claimed: what is due
stands in the store, so nothing is lost with a process.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Protocol

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterError, Invalid, NotFound, StoreError, Unavailable
from scim_bridge.log import get_logger
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import DueCluster, add_missing_clusters, claim_changes, due_clusters, has_news
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.leases import held_leases
from scim_bridge.store.proofs import clusters_to_ask
from scim_bridge.store.removal_queue import SPREAD_AT_ONCE, clusters_with_removals, spread_removals
from scim_bridge.store.scans import clusters_to_scan
from scim_bridge.sync.lanes import Guard, Lane
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.proving import prove_removals, put_off_proofs
from scim_bridge.sync.reconciler import PassReport, reconcile_cluster, record_unopened
from scim_bridge.sync.revocations import LONGEST_WAIT, RemovalPolicy, carry_out_removals, postpone_all
from scim_bridge.sync.scanning import put_off_scan, scan_cluster
from scim_bridge.sync.turns import HOLDER, Turn, pass_lease, proof_lease, removal_lease, scan_lease, take_turn

Clock = Callable[[], datetime]

PROVING = 2
"""So many clusters are asked at a time about removals that they have confirmed: nobody waits for the answer."""
SCANNING = 1
"""So many clusters are looked at as a whole at a time."""
LEAVERS_FIRST = timedelta(seconds=5)
"""So long at a time passes are not begun while asked-for removals wait for a place."""
LOOK_EVERY = timedelta(seconds=1)
"""Without news, so often: for what the clock makes due, and for what another process has claimed and not done."""

log = get_logger(__name__)


class Opens(Protocol):
    """What hands out gateways: `scim_bridge.sync.targets.Targets`."""

    def open(self, cluster_id: ClusterId) -> Gateway:
        """Return a cluster's gateway, which the caller must not close."""


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
        self._targets = targets
        self._settings = settings
        self._clock = clock
        self._holder = holder
        self._pass_policy = PassPolicy.of(settings)
        self._removal_policy = RemovalPolicy(
            settings.backoff_first_seconds,
            min(settings.backoff_most_seconds, LONGEST_WAIT),
            settings.brake_subjects,
        )
        patience = settings.cluster_connect_seconds
        self._passes = Lane("pass", settings.pass_workers, patience, guard, self._ended(finished))
        self._removals = Lane("removals", settings.revocation_workers, patience, guard, self._ended(finished))
        self._proofs = Lane("proofs", PROVING, patience, guard, self._ended(finished))
        self._scans = Lane("scan", SCANNING, patience, guard, self._ended(finished))
        self._leavers_since: datetime | None = None
        self._turns: set[Turn] = set()
        self._lock = Lock()
        self._stopping = Event()
        self._look_again = Event()
        self._next_look: datetime | None = None

    def tick(self) -> None:
        """Claim what waits and start what is due; quick when there is nothing. Raises what the store raises."""
        self._keep_turns()
        news = self._claim()
        at = self._clock()
        if news or self._look_again.is_set() or self._next_look is None or at >= self._next_look:
            self._look_again.clear()
            self._next_look = at + LOOK_EVERY
            self._start_due(at)

    def stop(self, seconds: float) -> bool:
        """Let what is being written be finished and nothing more; tell whether all ended in time."""
        self._stopping.set()
        lanes = (self._removals, self._passes, self._proofs, self._scans)
        ended = [lane.wait_until_idle(seconds / len(lanes)) for lane in lanes]
        return all(ended)

    def _ended(self, finished: Callable[[], None]) -> Callable[[], None]:
        def ended() -> None:
            self._look_again.set()
            finished()

        return ended

    def _keep_turns(self) -> None:
        # A cluster may be silent for longer than a lease lasts; as long as this process ticks, its turns are its own.
        with self._lock:
            turns = list(self._turns)
        for turn in turns:
            turn.goes_on()

    def _claim(self) -> bool:
        """Take the waiting rows, removals first; exactly the rows that were read."""
        with self._database.read() as connection:
            if not has_news(connection):
                return False
        spread = SPREAD_AT_ONCE
        while spread == SPREAD_AT_ONCE:
            with self._database.write() as connection:
                spread = spread_removals(connection, self._clock())
        with self._database.write() as connection:
            claim_changes(connection, self._clock())
        return True

    def _start_due(self, at: datetime) -> None:
        with self._database.read() as connection:
            leases = held_leases(connection, at)
            removals = clusters_with_removals(connection, at)
            passes = due_clusters(connection, at)
            proofs = clusters_to_ask(connection, at)
            scans = clusters_to_scan(connection, at)
        self._offer(self._removals, removal_lease, self._remove, removals, leases)
        if self._leavers_first(removals, leases, at):
            return
        self._offer(self._passes, pass_lease, self._reconcile, passes, leases)
        self._offer(self._proofs, proof_lease, self._prove, proofs, leases)
        self._offer(self._scans, scan_lease, self._scan, scans, leases)

    def _offer(
        self,
        lane: Lane,
        lease: Callable[[ClusterId], str],
        work: Callable[[DueCluster, Turn], None],
        places: Iterable[DueCluster],
        leases: Collection[str],
    ) -> None:
        for place in places:
            if lease(place.id) not in leases:
                lane.offer(place.id, self._run(lease(place.id), work, place), failing=place.failures > 0)

    def _leavers_first(self, removals: Iterable[DueCluster], leases: Collection[str], at: datetime) -> bool:
        """
        Tell whether nothing else is begun for now: leavers of clusters that work still wait for a place.

        Passes of the same change would take the processor from them. Not for long: joiners wait too.
        """
        waiting = any(
            not place.failures and removal_lease(place.id) not in leases and not self._removals.is_at(place.id)
            for place in removals
        )
        if not waiting:
            self._leavers_since = None
            return False
        self._leavers_since = self._leavers_since or at
        return at - self._leavers_since < LEAVERS_FIRST

    def _run(self, lease: str, work: Callable[[DueCluster, Turn], None], place: DueCluster) -> Callable[[], None]:
        return lambda: self._in_turn(lease, lambda turn: work(place, turn))

    def _in_turn(self, name: str, work: Callable[[Turn], None]) -> None:
        with take_turn(self._database, name, self._settings.lease_seconds, self._clock, self._holder) as turn:
            if turn is None or self._stopping.is_set():
                return
            with self._lock:
                self._turns.add(turn)
            try:
                work(turn)
            finally:
                with self._lock:
                    self._turns.discard(turn)

    def _goes_on(self, turn: Turn) -> Callable[[], bool]:
        return lambda: not self._stopping.is_set() and turn.goes_on()

    def _remove(self, place: DueCluster, turn: Turn) -> None:
        gateway, problem = self._open(place)
        if gateway is None:
            postpone_all(self._database, place, problem, self._clock, self._removal_policy)
            return
        report = carry_out_removals(
            self._database, gateway, place, self._clock, self._goes_on(turn), self._removal_policy
        )
        if report.done:
            log.info("removals carried out", cluster=place.id, done=report.done, postponed=report.postponed)

    def _prove(self, place: DueCluster, turn: Turn) -> None:
        gateway, problem = self._open(place)
        if gateway is None:
            put_off_proofs(self._database, place, problem, self._clock)
            return
        prove_removals(self._database, gateway, place, self._clock, self._goes_on(turn))

    def _scan(self, place: DueCluster, _turn: Turn) -> None:
        gateway, problem = self._open(place)
        if gateway is None:
            put_off_scan(self._database, place, problem, self._clock)
            return
        scan_cluster(self._database, gateway, place, self._clock)

    def _reconcile(self, place: DueCluster, turn: Turn) -> None:
        with self._database.read() as connection:
            # Another process may have done it between the look and the turn.
            if not due_clusters(connection, self._clock(), place.id):
                return
        gateway, problem = self._open(place)
        if gateway is None:
            self._give_up(place, problem)
            return
        if place.failures >= self._settings.circuit_failures and not self._is_there(place, gateway):
            return
        report = reconcile_cluster(
            self._database,
            gateway,
            place.organization_id,
            place.id,
            self._pass_policy,
            self._clock,
            self._goes_on(turn),
        )
        _tell(place, report)

    def _open(self, place: DueCluster) -> tuple[Gateway | None, str]:
        try:
            return self._targets.open(place.id), ""
        except Unavailable:
            raise
        except (ClusterError, Invalid, NotFound, StoreError) as error:
            # A database that is away is a StoreError too; then writing this down fails, and the guard says so.
            return None, str(error)

    def _is_there(self, place: DueCluster, gateway: Gateway) -> bool:
        """Ask a cluster that failed again and again only whether it is there: a pass would wait for each answer."""
        try:
            gateway.probe()
        except ClusterError as error:
            problem = f"after {place.failures} passes that failed it is only asked whether it is there: {error}"
            self._give_up(place, problem, "CircuitOpen")
            return False
        return True

    def _give_up(self, place: DueCluster, problem: str, kind: str = "CannotBeOpened") -> None:
        with self._database.write() as connection:
            add_missing_clusters(connection, place.organization_id)
            record_unopened(
                connection, place.organization_id, place.id, problem, self._pass_policy, self._clock(), kind
            )
        log.warning("a pass was not begun", cluster=place.id, reason=problem)


def _tell(place: DueCluster, report: PassReport) -> None:
    reason = report.problem or report.result.message
    if report.is_abandoned:
        log.info("a pass was stopped", cluster=place.id)
    elif reason is not None:
        log.warning("a pass could not do everything", cluster=place.id, reason=reason)
    elif not report.plan.is_empty:
        result = report.result
        log.info(
            "a pass brought a cluster up to date",
            cluster=place.id,
            added=result.subjects_added,
            removed=result.subjects_removed,
            held=result.held,
        )
