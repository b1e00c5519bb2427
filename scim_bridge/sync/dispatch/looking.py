"""What is to be done now: waiting change rows are claimed, and the store says which clusters are due for what."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.store.change_queue import DueCluster, claim_changes, due_clusters, has_news
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.leases import held_leases
from scim_bridge.store.proofs import clusters_to_ask
from scim_bridge.store.removal_queue import SPREAD_AT_ONCE, clusters_with_removals, spread_removals
from scim_bridge.store.scans import clusters_to_scan
from scim_bridge.sync.turns import pass_lease, proof_lease, removal_lease, scan_lease

Clock = Callable[[], datetime]

LEAVERS_FIRST = timedelta(seconds=5)
"""So long at a time passes are not begun while asked-for removals wait for a place."""


class Kind(StrEnum):
    """What may be due on a cluster, the most urgent first."""

    REMOVALS = "removals"
    PASS = "pass"
    PROOFS = "proofs"
    SCAN = "scan"


_LEASES: dict[Kind, Callable[[ClusterId], str]] = {
    Kind.REMOVALS: removal_lease,
    Kind.PASS: pass_lease,
    Kind.PROOFS: proof_lease,
    Kind.SCAN: scan_lease,
}


@dataclass(frozen=True, slots=True)
class Due:
    """One piece of work on one cluster."""

    kind: Kind
    place: DueCluster

    @property
    def lease(self) -> str:
        """Return the name of the lease that whoever does it has to hold."""
        return _LEASES[self.kind](self.place.id)


class LeaversFirst:
    """
    Keeps everything else back while leavers of clusters that work wait for a place.

    Passes of the same change would take the processor from them. Not for long: joiners wait too.
    """

    def __init__(self) -> None:
        self._since: datetime | None = None

    def keeps_back(self, waiting: Iterable[Due], at: datetime) -> bool:
        """Tell whether nothing but removals is begun now, when these removals have no place yet."""
        if all(each.place.failures for each in waiting):
            self._since = None
            return False
        self._since = self._since or at
        return at - self._since < LEAVERS_FIRST


def claim_news(database: Database, clock: Clock) -> bool:
    """Take the waiting rows, removals first; exactly the rows that were read. Tell whether there were any."""
    with database.read() as connection:
        if not has_news(connection):
            return False
    spread = SPREAD_AT_ONCE
    while spread == SPREAD_AT_ONCE:
        with database.write() as connection:
            spread = spread_removals(connection, clock())
    with database.write() as connection:
        claim_changes(connection, clock())
    return True


def due_now(connection: Connection, at: datetime) -> list[Due]:
    """Return what is due and what nobody holds, removals first."""
    leases = held_leases(connection, at)
    return [each for each in _due(connection, at) if each.lease not in leases]


def is_due(connection: Connection, kind: Kind, cluster_id: ClusterId, at: datetime) -> bool:
    """Tell whether something of this kind is due on one cluster, whoever holds it."""
    if kind is Kind.PASS:
        return bool(due_clusters(connection, at, cluster_id))
    if kind is Kind.SCAN:
        return bool(clusters_to_scan(connection, at, cluster_id))
    places = clusters_with_removals(connection, at) if kind is Kind.REMOVALS else clusters_to_ask(connection, at)
    return any(each.id == cluster_id for each in places)


def _due(connection: Connection, at: datetime) -> Iterator[Due]:
    yield from (Due(Kind.REMOVALS, each) for each in clusters_with_removals(connection, at))
    yield from (Due(Kind.PASS, each) for each in due_clusters(connection, at))
    yield from (Due(Kind.PROOFS, each) for each in clusters_to_ask(connection, at))
    yield from (Due(Kind.SCAN, each) for each in clusters_to_scan(connection, at))
