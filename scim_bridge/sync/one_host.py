"""Keeps a SQLite database to one host, for as long as a process of it runs there."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import sleep

from scim_bridge.errors import StoreError
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.hosts import claim_for, name_of, this_host

CLAIM_SECONDS = 10.0
"""Between two renewals."""
CLAIM = timedelta(seconds=30)
LOOK_SECONDS = 1.0


class HostClaim:
    """The claim of this host; on PostgreSQL, which serves any number, it does nothing."""

    def __init__(
        self,
        database: Database,
        host: str | None = None,
        clock: Callable[[], datetime] = now,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._database = database
        self._host = host or this_host()
        self._clock = clock
        self._pause = pause

    def take(self) -> None:
        """
        Claim the database, and wait for the claim of a host that is gone to end.

        Raises StoreError as soon as the other host renews its claim: it lives.
        """
        first: datetime | None = None
        while (found := self._try()) is not None:
            holder, ends = found
            if first is not None and ends > first:
                raise StoreError(self._sentence(holder))
            first = ends
            self._pause(LOOK_SECONDS)

    def renew(self) -> None:
        """Keep it; raises StoreError when another host has taken it meanwhile."""
        found = self._try()
        if found is not None:
            raise StoreError(self._sentence(found[0]))

    def _try(self) -> tuple[str, datetime] | None:
        if not self._database.is_sqlite:
            return None
        at = self._clock()
        with self._database.write() as connection:
            return claim_for(connection, self._host, at, at + CLAIM)

    def _sentence(self, holder: str) -> str:
        return (
            f"The SQLite database {self._database.safe_url} is in use on the host {name_of(holder)}: two hosts would "
            "destroy it. Stop the other one, or move to PostgreSQL (`scim-bridge backup`, `restore`)."
        )
