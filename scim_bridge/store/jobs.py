"""What the scheduler does by the clock: when each job ran last, whether it is paused, and what became of its runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import job, job_run

RUNNING, OK, FAILED, LOST = "running", "ok", "failed", "lost"


@dataclass(frozen=True, slots=True)
class JobRow:
    """How a job stands; ``asked_at`` while somebody waits for it to run now, ``failures`` in a row so far."""

    name: str
    paused_at: datetime | None = None
    paused_by: str | None = None
    asked_at: datetime | None = None
    asked_by: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failures: int = 0
    message: str | None = None


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run: by the clock, or because somebody asked; lost is one whose process ended in the middle of it."""

    id: str
    job: str
    asked_by: str | None
    state: str
    started_at: datetime
    finished_at: datetime | None
    message: str | None


def add_missing_jobs(connection: sa.Connection, names: Iterable[str]) -> None:
    """Give each of these jobs its row, where it has none yet."""
    known = set(connection.execute(sa.select(job.c.name)).scalars())
    rows = [{"name": name} for name in names if name not in known]
    if rows:
        connection.execute(sa.insert(job), rows)


def read_jobs(connection: sa.Connection) -> dict[str, JobRow]:
    """Return how every job stands that has a row, by name."""
    columns = [job.c[name] for name in JobRow.__slots__]
    return {row[0]: JobRow(*row) for row in connection.execute(sa.select(*columns))}


def pause_job(connection: sa.Connection, name: str, by: str | None, at: datetime | None) -> None:
    """Let a job rest from now on; None and None let it run again."""
    connection.execute(sa.update(job).where(job.c.name == name).values(paused_at=at, paused_by=by))


def ask_for_job(connection: sa.Connection, name: str, by: str, at: datetime) -> None:
    """Say that somebody wants a job to run now."""
    connection.execute(sa.update(job).where(job.c.name == name).values(asked_at=at, asked_by=by))


def begin_run(connection: sa.Connection, found: JobRow, holder: str, at: datetime) -> str | None:
    """
    Write down that a run begins, for whoever asked; one that was never ended has been lost. Returns its id.

    None when the job is not as it was found any more: somebody began it in between.
    """
    same = (job.c.name == found.name, job.c.started_at.is_not_distinct_from(found.started_at))
    values: dict[str, Any] = {"started_at": at}
    if found.asked_at is not None:
        values |= {"asked_at": None, "asked_by": None}
    if connection.execute(sa.update(job).where(*same).values(values)).rowcount == 0:
        return None
    earlier = sa.update(job_run).where(job_run.c.job == found.name, job_run.c.state == RUNNING)
    connection.execute(earlier.values(state=LOST, finished_at=at, message="its process ended, or lost the lead"))
    made = new_id()
    row = {"id": made, "job": found.name, "asked_by": found.asked_by, "holder": holder, "state": RUNNING}
    connection.execute(sa.insert(job_run).values(row | {"started_at": at}))
    return made


def end_run(connection: sa.Connection, name: str, run_id: str, problem: str | None, at: datetime) -> None:
    """Write down how a run ended; ``problem`` is None for one that went well."""
    state = OK if problem is None else FAILED
    mine = sa.update(job_run).where(job_run.c.id == run_id, job_run.c.state == RUNNING)
    connection.execute(mine.values(state=state, finished_at=at, message=problem))
    note_round(connection, name, None, problem, at)


def note_round(
    connection: sa.Connection, name: str, started: datetime | None, problem: str | None, at: datetime
) -> None:
    """Note how a round ended, without a run of its own in the history."""
    values = {"finished_at": at, "message": problem, "failures": 0 if problem is None else job.c.failures + 1}
    if started is not None:
        values["started_at"] = started
    connection.execute(sa.update(job).where(job.c.name == name).values(values))


def past_runs(connection: sa.Connection, name: str, limit: int, before: str | None = None) -> list[JobRun]:
    """Return a job's runs, the latest first."""
    columns = [job_run.c[each] for each in JobRun.__slots__]
    query = sa.select(*columns).where(job_run.c.job == name).order_by(job_run.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(job_run.c.id < before)
    return [JobRun(*row) for row in connection.execute(query)]


def forget_runs(connection: sa.Connection, before: datetime) -> int:
    """Throw away runs that began earlier; returns how many."""
    gone = sa.delete(job_run).where(job_run.c.started_at < before, job_run.c.state != RUNNING)
    return int(connection.execute(gone).rowcount)
