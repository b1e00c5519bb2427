"""The nightly look at all of a cluster: what no pass keeps and somebody should know of."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.nights import next_night
from scim_bridge.errors import ClusterError
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.cluster_registry import REMOVED, read_target
from scim_bridge.store.database import Database
from scim_bridge.store.scans import Scan, keep_scan, read_scan
from scim_bridge.sync.inspecting import Found, strangers_on

AGAIN = timedelta(hours=1)
"""After a look that failed: nobody waits for it, and a cluster that is away is not asked twice a minute."""
NAMED = 5


def scan_cluster(
    database: Database,
    gateway: Gateway,
    place: DueCluster,
    clock: Callable[[], datetime],
    draw: Callable[[], float] = random.random,
) -> None:
    """Look at all of a cluster and keep what was found; a look that fails leaves what the last one found."""
    with database.read() as connection:
        registered = read_target(connection, place.id)
    if registered.state == REMOVED:
        return
    try:
        found = strangers_on(database, gateway, registered)
    except ClusterError as error:
        put_off_scan(database, place, str(error), clock)
        return
    at = clock()
    with database.write() as connection:
        keep_scan(connection, place.organization_id, place.id, _seen(found, at), next_night(at, draw()))


def put_off_scan(database: Database, place: DueCluster, reason: str, clock: Callable[[], datetime]) -> None:
    """Look again in an hour: the cluster could not be read."""
    with database.write() as connection:
        before = read_scan(connection, place.id)
        keep_scan(connection, place.organization_id, place.id, replace(before, problem=reason), clock() + AGAIN)


def _seen(found: Iterable[Found], at: datetime) -> Scan:
    by_kind: dict[str, list[str]] = {}
    for each in found:
        name = f"{each.namespace}/{each.name}" if each.namespace else each.name
        by_kind.setdefault(each.what, []).append(name)
    counts = {what: len(names) for what, names in by_kind.items()}
    return Scan(at, None, counts, {what: tuple(names[:NAMED]) for what, names in by_kind.items()})
