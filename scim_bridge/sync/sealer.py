"""Seals audit entries into their chains, at most a second after they were written, whoever wrote them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.audit_chain import organizations_waiting, seal_entries
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.leases import Lease, release_lease, renew_lease, take_lease
from scim_bridge.store.sealing import Keyring

SEAL_SECONDS = 0.5
"""Between two looks: an entry waits for one, and for the seal of what waits before it."""
AT_ONCE = 200
"""So many entries to a transaction: on SQLite whoever writes waits for it, a few milliseconds."""
LEASE = "audit"
LEASE_TIME = timedelta(seconds=10)


class Sealer:
    """One process seals at a time; when it dies another takes over as soon as the lease has run out."""

    def __init__(self, database: Database, keyring: Keyring, clock: Callable[[], datetime] = now) -> None:
        """Prepare; nothing is sealed yet."""
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._holder = f"sealer-{uuid4().hex}"
        self._lease: Lease | None = None

    def seal(self) -> int:
        """Seal all that is committed and return how many entries that were; 0 too when another process does it."""
        with self._database.glance() as connection:
            waiting = organizations_waiting(connection)
        return sum(self._seal_organization(each) for each in waiting)

    def close(self) -> None:
        """Let another process go on at once."""
        if self._lease is not None:
            with self._database.write() as connection:
                release_lease(connection, self._lease)
            self._lease = None

    def _seal_organization(self, organization_id: OrganizationId) -> int:
        total = 0
        while True:
            with self._database.write() as connection:
                # In the transaction of the seals: who lost the lease meanwhile cannot have written them.
                if not self._holds_lease(connection):
                    return total
                sealed = seal_entries(connection, organization_id, self._clock(), self._keyring, AT_ONCE)
            total += sealed
            if sealed < AT_ONCE:
                return total

    def _holds_lease(self, connection: Connection) -> bool:
        at = self._clock()
        until = at + LEASE_TIME
        if self._lease is None or not renew_lease(connection, self._lease, until):
            self._lease = take_lease(connection, LEASE, self._holder, at, until)
        return self._lease is not None
