"""Use cases of the scheduler's jobs: how they stand, run one now, let one rest, and what became of their runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.jobs import SORTS, JobSort
from scim_bridge.errors import NotFound, Refused
from scim_bridge.store import jobs as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.jobs import JobRow
from scim_bridge.store.jobs import JobRun as JobRun
from scim_bridge.store.organizations import list_organizations


@dataclass(frozen=True, slots=True)
class JobView:
    """
    One job: what it does, every how many seconds, and how it stands (never, ok, failing or paused).

    ``next_at`` is None while it is paused; ``asked_by`` names who waits for it to run now.
    """

    name: str
    does: str
    every_seconds: float
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    next_at: datetime | None
    failures: int
    message: str | None
    paused_by: str | None
    paused_at: datetime | None
    asked_by: str | None


def list_jobs(database: Database, actor: Actor) -> list[JobView]:
    """Return every job, by name; raises Refused for whoever is not the installation itself."""
    _require_installation(actor)
    with database.read() as connection:
        rows = store.read_jobs(connection)
    return [_view(sort, rows.get(name, JobRow(name)), now()) for name, sort in sorted(SORTS.items())]


def run_now(database: Database, actor: Actor, name: str, request_id: str | None = None) -> JobView:
    """Let the scheduler that leads run a job within a second or two, a paused one too; raises NotFound, Refused."""
    _require_installation(actor)
    sort, at = _sort(name), now()
    with database.write() as connection:
        store.add_missing_jobs(connection, SORTS)
        store.ask_for_job(connection, name, actor.name, at)
        return _done(connection, actor, sort, "job.asked_for", at, request_id)


def pause(database: Database, actor: Actor, name: str, request_id: str | None = None) -> JobView:
    """Let a job rest until it is resumed; raises NotFound, and Refused for those that safety needs."""
    _require_installation(actor)
    sort, at = _sort(name), now()
    if not sort.may_pause:
        raise Refused(f"{name} is not paused by anybody: it {sort.does}.")
    with database.write() as connection:
        store.add_missing_jobs(connection, SORTS)
        store.pause_job(connection, name, actor.name, at)
        return _done(connection, actor, sort, "job.paused", at, request_id)


def resume(database: Database, actor: Actor, name: str, request_id: str | None = None) -> JobView:
    """Let a job run again; what was due meanwhile is done at once. Raises NotFound, Refused."""
    _require_installation(actor)
    sort, at = _sort(name), now()
    with database.write() as connection:
        store.add_missing_jobs(connection, SORTS)
        store.pause_job(connection, name, None, None)
        return _done(connection, actor, sort, "job.resumed", at, request_id)


def history(database: Database, actor: Actor, name: str, limit: int = 20, before: str | None = None) -> list[JobRun]:
    """Return a job's runs, the latest first; raises NotFound, Refused."""
    _require_installation(actor)
    _sort(name)
    with database.read() as connection:
        return store.past_runs(connection, name, limit, before)


def _require_installation(actor: Actor) -> None:
    # They are the work of all organizations at once: no grant in one of them is about that.
    if not actor.is_trusted:
        raise Refused("Jobs are the installation's: only its own terminal looks after them.")


def _sort(name: str) -> JobSort:
    if name not in SORTS:
        raise NotFound(f"There is no job {name!r}; there are {', '.join(sorted(SORTS))}.")
    return SORTS[name]


def _done(
    connection: Connection, actor: Actor, sort: JobSort, action: str, at: datetime, request_id: str | None
) -> JobView:
    """Tell every organization, for it is the work of all; return how the job stands now."""
    for organization in list_organizations(connection):
        change = new_change(organization.id, actor, action, at, request_id)
        add_audit(connection, change, action, "job", sort.name, {"does": sort.does})
    return _view(sort, store.read_jobs(connection)[sort.name], at)


def _view(sort: JobSort, row: JobRow, at: datetime) -> JobView:
    state = "paused" if row.paused_at else "failing" if row.failures else "ok" if row.finished_at else "never"
    due = at if row.started_at is None else max(row.started_at + timedelta(seconds=sort.seconds), at)
    return JobView(
        sort.name,
        sort.does,
        sort.seconds,
        state,
        row.started_at,
        row.finished_at,
        None if row.paused_at else due,
        row.failures,
        row.message,
        row.paused_by,
        row.paused_at,
        row.asked_by,
    )
