"""The scheduler's jobs: the installation's own, so that only its terminal comes in."""

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.identity import jobs
from scim_bridge.identity.jobs import JobRun, JobView
from scim_bridge.web.paging import Page

TAG = "jobs"


class RunsAsked(Fields):
    """Which runs."""

    limit: int = Field(default=20, ge=1, le=1000, description="How many at most.")
    before: str | None = Field(default=None, max_length=36, description="Only those before the run of this id.")


@operation("GET", "/jobs", tag=TAG, entrance=Entrance.SIGNED_IN, query=Paged, answers=Page[JobView])
def list_(call: Call) -> Page[JobView]:
    """List the scheduler's jobs and how each stands."""
    return call.page(jobs.list_jobs(call.database, call.actor), lambda each: (each.name,))


@operation("POST", "/jobs/<job>/run", tag=TAG, entrance=Entrance.SIGNED_IN, answers=JobView)
def run(call: Call, job: str) -> JobView:
    """Let the scheduler that leads run a job now."""
    return jobs.run_now(call.database, call.actor, job, call.request_id)


@operation("POST", "/jobs/<job>/pause", tag=TAG, entrance=Entrance.SIGNED_IN, answers=JobView)
def pause(call: Call, job: str) -> JobView:
    """Let a job rest."""
    return jobs.pause(call.database, call.actor, job, call.request_id)


@operation("POST", "/jobs/<job>/resume", tag=TAG, entrance=Entrance.SIGNED_IN, answers=JobView)
def resume(call: Call, job: str) -> JobView:
    """Let a job run again."""
    return jobs.resume(call.database, call.actor, job, call.request_id)


@operation("GET", "/jobs/<job>/runs", tag=TAG, entrance=Entrance.SIGNED_IN, query=RunsAsked, answers=list[JobRun])
def history(call: Call, job: str) -> list[JobRun]:
    """List a job's runs, the latest first."""
    asked = call.asked(RunsAsked)
    return jobs.history(call.database, call.actor, job, asked.limit, asked.before)
