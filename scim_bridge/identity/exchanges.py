"""One request of an identity provider, as the provisioning log keeps it."""

from dataclasses import dataclass, field, replace
from time import perf_counter

from scim_bridge.domain.attributes import ReadPath
from scim_bridge.errors import PreconditionFailed, StoreError, Unavailable
from scim_bridge.identity.callers import Caller
from scim_bridge.store.changes import Change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.provisioning_log import LogEntry as LogEntry
from scim_bridge.store.provisioning_log import add_entry


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    A request of a directory and the status that it is answered with when it succeeds.

    ``body`` is what may be kept: without passwords. ``started`` is `time.perf_counter` at its arrival. ``noun`` and
    ``object_id`` are what its address names. ``read_path`` reads the paths of the directory's attribute mapping: who
    writes people needs it. ``changes`` fills with what is logged in the course of it.
    """

    caller: Caller
    request_id: str
    method: str
    target: str
    success: int
    started: float
    body: str | None = None
    user_agent: str | None = None
    address: str | None = None
    noun: str | None = None
    object_id: str | None = None
    read_path: ReadPath | None = field(default=None, compare=False)
    changes: list[str] = field(default_factory=list, compare=False)

    def begin(self, kind: str) -> Change:
        """Name the change that this request makes."""
        return new_change(self.caller.organization_id, self.caller.actor, kind, now(), self.request_id)

    def log_success(self, connection: Connection, change: Change, noun: str, object_id: str) -> None:
        """Write the log entry into the change's own transaction."""
        entry = replace(self.entry(self.success), noun=noun, object_id=object_id, change_id=change.id)
        add_entry(connection, entry, change.at)
        self.changes.append(change.id)

    def log_alone(self, database: Database, entry: LogEntry) -> bool:
        """Write the log entry of a request that changed nothing, and tell whether the database took it."""
        try:
            with database.write() as connection:
                add_entry(connection, entry, now())
        except (StoreError, Unavailable):
            return False
        return True

    def entry(self, status: int, scim_type: str | None = None, message: str | None = None) -> LogEntry:
        """Return what the log says of this request when it was answered like this and changed nothing."""
        return LogEntry(
            organization_id=self.caller.organization_id,
            directory_id=self.caller.directory_id,
            token_id=self.caller.token_id,
            request_id=self.request_id,
            method=self.method,
            target=self.target,
            status=status,
            milliseconds=round((perf_counter() - self.started) * 1000),
            body=self.body,
            user_agent=self.user_agent,
            address=self.address,
            noun=self.noun,
            object_id=self.object_id,
            scim_type=scim_type,
            message=message,
        )


def require_version(expected: frozenset[int] | None, version: int) -> None:
    """Raise PreconditionFailed unless the version is one that the client expects; None expects any."""
    if expected is not None and version not in expected:
        raise PreconditionFailed("The resource has changed since this version was read (If-Match).")
