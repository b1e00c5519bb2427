"""Sends the audit to the installation's syslog, in the chain's order, from the first entry that is kept."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.outbound.syslog import Line, Sends, open_syslog
from scim_bridge.settings import Settings
from scim_bridge.store import audit_streams as store
from scim_bridge.store.audit_streams import Place
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease
from scim_bridge.sync.telling import dumped, told

LEASE = "syslog"
LEASE_TIME = timedelta(minutes=1)
AT_ONCE = 200


class Streamer:
    """
    One process sends at a time; without ``syslog_url`` nobody does.

    Over TCP and TLS an entry may arrive twice, when a connection breaks; its sequence tells. Over UDP it may get lost.
    """

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime] = now) -> None:
        """Prepare; nothing is sent yet."""
        self._database = database
        self._url = settings.syslog_url
        self._clock = clock
        self._holder = uuid4().hex
        self._host = socket.gethostname()

    def send(self) -> int:
        """Send what was sealed since, and return how many entries; raises SyslogUndelivered, to be tried again."""
        if not self._url:
            return 0
        with self._database.glance() as connection:
            behind = store.streams_behind(connection)
        held = self._take_lease() if behind else None
        if held is None:
            return 0
        try:
            with open_syslog(self._url) as send:
                return sum(self._send_all(held, each, send) for each in behind)
        finally:
            with self._database.write() as connection:
                release_lease(connection, held)

    def _take_lease(self) -> Lease | None:
        at = self._clock()
        with self._database.write() as connection:
            return take_lease(connection, LEASE, self._holder, at, at + LEASE_TIME)

    def _send_all(self, held: Lease, place: Place, send: Sends) -> int:
        total = 0
        while True:
            with self._database.read() as connection:
                entries = store.entries_after(connection, place, AT_ONCE)
            for entry in entries:
                send(self._line(place, entry))
            if not entries:
                return total
            last = entries[-1].sequence or 0
            with self._database.write() as connection:
                # In the transaction that notes them: who lost the lease meanwhile notes nothing.
                if not renew_lease(connection, held, self._clock() + LEASE_TIME):
                    return total
                store.note_sent(connection, place, last)
            place = Place(place.organization_id, place.slug, last)
            total += len(entries)

    def _line(self, place: Place, entry: Entry) -> Line:
        return Line(entry.at, self._host, entry.action, dumped({"organization": place.slug, **told(entry)}))
