"""What identity providers asked for and what came of it: look it up, understand it, and throw it away in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.domain.remedies import Remedy, remedy_for
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.names import the_directory
from scim_bridge.settings import Settings
from scim_bridge.store import log_reading, provisioning_log
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.log_reading import About, Criteria
from scim_bridge.store.log_reading import AuditRow as AuditRow
from scim_bridge.store.log_reading import LoggedRequest as LoggedRequest

RESULTS = ("ok", "failed")
PURGED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests to show: about whom, with which result ("ok", "failed" or a status), from when to when."""

    person: str | None = None
    group: str | None = None
    result: str | None = None
    since: str | None = None
    until: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Explained:
    """A request, and what to do about it if it failed."""

    request: LoggedRequest
    remedy: Remedy | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Requests, newest first; ``before`` asks for the next page, None when this is the last."""

    entries: tuple[Explained, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything about one request: ``changes`` is what it did, as the audit has it."""

    explained: Explained
    changes: tuple[AuditRow, ...]


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was thrown away."""

    old: int
    reads: int
    unknown: int


def list_entries(database: Database, organization: str, directory: str, wanted: Wanted) -> LogPage:
    """Return a page of a directory's requests; raises NotFound for a directory that is not there."""
    with database.read() as connection:
        found = the_directory(connection, organization, directory)
        about = []
        if wanted.person is not None:
            about.append(log_reading.users_named(connection, found.id, wanted.person))
        if wanted.group is not None:
            about.append(log_reading.groups_named(connection, found.id, wanted.group))
        criteria = _criteria(wanted, tuple(about))
        return _page(log_reading.find_entries(connection, found.id, criteria, wanted.limit + 1), found.kind, wanted)


def list_unknown(database: Database, wanted: Wanted) -> LogPage:
    """Return a page of the requests whose credential nobody gave out: they belong to no organization."""
    if wanted.person is not None or wanted.group is not None:
        raise Invalid("Nobody knows whom a request with an unknown credential is about.", field="person")
    with database.read() as connection:
        found = log_reading.find_entries(connection, None, _criteria(wanted, ()), wanted.limit + 1)
        return _page(found, DirectoryKind.GENERIC, wanted)


def show_entry(database: Database, organization: str, directory: str, named: str) -> Told:
    """Return all about the request with this id, or with the request id that its answer named; raises NotFound."""
    with database.read() as connection:
        found = the_directory(connection, organization, directory)
        entry = log_reading.get_entry(connection, found.id, named)
        if entry is None:
            raise NotFound(f"There is no request {named!r} in the log of the directory {found.name}.")
        return Told(_explained(entry, found.kind), changes_of(connection, found.organization_id, entry))


def changes_of(connection: Connection, organization_id: OrganizationId, entry: LoggedRequest) -> tuple[AuditRow, ...]:
    """Return what a request changed, as the audit has it."""
    if entry.change_id is None:
        return ()
    return tuple(log_reading.audit_of_change(connection, organization_id, entry.change_id, entry.at))


def purge_log(database: Database, settings: Settings, at: datetime) -> Purged:
    """
    Throw away what is older than the settings allow, little by little, so that no request waits for it.

    Safe to repeat, and to run from several processes at once.
    """
    day = timedelta(days=1)
    read_before, before = at - settings.log_read_days * day, at - settings.log_days * day
    return Purged(
        old=_purge(database, lambda connection: provisioning_log.entries_past(connection, before, PURGED_AT_ONCE)),
        reads=_purge(
            database,
            lambda connection: provisioning_log.entries_past(
                connection, read_before, PURGED_AT_ONCE, changed_nothing=True
            ),
        ),
        unknown=_purge(
            database,
            lambda connection: provisioning_log.unknown_beyond(connection, settings.log_unknown_most, PURGED_AT_ONCE),
        ),
    )


def _purge(database: Database, chosen: Callable[[Connection], Sequence[str]]) -> int:
    purged = 0
    while True:
        # Looking for them takes longer than deleting them, and holds up nobody.
        with database.read() as connection:
            ids = chosen(connection)
        if not ids:
            return purged
        with database.write() as connection:
            purged += provisioning_log.delete_entries(connection, ids)


def _criteria(wanted: Wanted, about: tuple[About, ...]) -> Criteria:
    at = now()
    failed = {None: None, "ok": False, "failed": True}.get(wanted.result)
    return Criteria(
        about=about,
        failed=failed,
        status=None if wanted.result in (None, *RESULTS) else _status(wanted.result),
        since=None if wanted.since is None else read_moment(wanted.since, at),
        until=None if wanted.until is None else read_moment(wanted.until, at),
        before=wanted.before,
    )


def _status(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 3):
        raise Invalid(f"{text!r} is no result: write ok, failed or a status such as 409.", field="result")
    return int(text)


def _page(found: list[LoggedRequest], kind: DirectoryKind, wanted: Wanted) -> LogPage:
    shown = found[: wanted.limit]
    more = len(found) > len(shown)
    return LogPage(tuple(_explained(each, kind) for each in shown), shown[-1].id if more and shown else None)


def _explained(entry: LoggedRequest, kind: DirectoryKind) -> Explained:
    return Explained(entry, remedy_for(kind, entry.method, entry.status, entry.scim_type, entry.message or ""))
