"""Conditions of a cluster from what the nightly look at all of it found."""

from collections.abc import Iterator

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.strangers import Strangeness
from scim_bridge.store.database import Connection
from scim_bridge.store.scans import read_scan

KINDS = {
    Strangeness.LOOKALIKE: ("LookAlikes", "say that they are the bridge's and are not"),
    Strangeness.ORPHAN: ("OrphansLeft", "were written for a cluster that is not registered any more"),
}
"""What is a condition; privileges that somebody gave by hand are many on every cluster, and are only counted."""


def scan_conditions(connection: Connection, cluster_id: ClusterId) -> Iterator[Condition]:
    """Yield what the last look found that should not be there."""
    scan = read_scan(connection, cluster_id)
    for what, (kind, sentence) in KINDS.items():
        count, names = scan.counts.get(what.value, 0), scan.names.get(what.value, ())
        if count:
            more = f" and {count - len(names)} more" if count > len(names) else ""
            since = f"{scan.scanned_at:%Y-%m-%d %H:%M} UTC" if scan.scanned_at else "an unknown time"
            yield Condition(kind, "", f"{count} bindings {sentence} ({', '.join(names)}{more}), as of {since}")
