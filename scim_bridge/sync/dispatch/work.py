"""The work itself: what is done on one cluster while its lease is held, whoever handed it out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Protocol

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterError, Invalid, NotFound, StoreError, Unavailable
from scim_bridge.log import get_logger
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import DueCluster, add_missing_clusters, due_clusters
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.sync.dispatch.looking import Clock, Due, Kind, is_due
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.proving import prove_removals, put_off_proofs
from scim_bridge.sync.reconciler import PassReport, reconcile_cluster, record_unopened
from scim_bridge.sync.revocations import LONGEST_WAIT, RemovalPolicy, carry_out_removals, postpone_all
from scim_bridge.sync.scanning import put_off_scan, scan_cluster
from scim_bridge.sync.turns import HOLDER, Turn, take_turn

log = get_logger(__name__)


class Opens(Protocol):
    """What hands out gateways: `scim_bridge.sync.targets.Targets`."""

    def open(self, cluster_id: ClusterId) -> Gateway:
        """Return a cluster's gateway, which the caller must not close."""


class Work:
    """
    Does what is due, each piece under its lease; safe in any number of threads, processes and machines.

    The lease is the fence: its epoch is asked for before every write, so that whoever lost it writes nothing more.
    """

    def __init__(
        self, database: Database, targets: Opens, settings: Settings, clock: Clock = now, holder: str = HOLDER
    ) -> None:
        """Prepare; nothing is done yet."""
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
        self._turns: set[Turn] = set()
        self._lock = Lock()
        self._stopping = Event()

    def do(self, due: Due) -> bool:
        """Do what is due on a cluster; False where somebody else has it in hand, or the process stops."""
        with self.turn(due.lease) as turn:
            if turn is None:
                return False
            _DOING[due.kind](self, due.place, turn)
            return True

    @contextmanager
    def turn(self, name: str) -> Iterator[Turn | None]:
        """Hold a lease while the block runs, kept by `keep_turns`; None where somebody else does, or at the end."""
        with take_turn(self._database, name, self._settings.lease_seconds, self._clock, self._holder) as turn:
            if turn is None or self._stopping.is_set():
                yield None
                return
            with self._lock:
                self._turns.add(turn)
            try:
                yield turn
            finally:
                with self._lock:
                    self._turns.discard(turn)

    def keep_turns(self) -> None:
        """Renew what is held: a cluster may be silent for longer than a lease lasts."""
        with self._lock:
            turns = list(self._turns)
        for turn in turns:
            turn.goes_on()

    def stop(self) -> None:
        """Let what is being written be finished and nothing more."""
        self._stopping.set()

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
        with self._database.read() as connection:
            if not is_due(connection, Kind.SCAN, place.id, self._clock()):
                return
        gateway, problem = self._open(place)
        if gateway is None:
            put_off_scan(self._database, place, problem, self._clock)
            return
        scan_cluster(self._database, gateway, place, self._clock)

    def _reconcile(self, place: DueCluster, turn: Turn) -> None:
        with self._database.read() as connection:
            found = due_clusters(connection, self._clock(), place.id)
        if not found:
            # Somebody else did it between the look and the turn.
            return
        place = found[0]
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


_DOING: dict[Kind, Callable[[Work, DueCluster, Turn], None]] = {
    Kind.REMOVALS: Work._remove,
    Kind.PASS: Work._reconcile,
    Kind.PROOFS: Work._prove,
    Kind.SCAN: Work._scan,
}
