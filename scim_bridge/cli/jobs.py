"""`scim-bridge job …`: what the scheduler does by the clock."""

from collections.abc import Mapping
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, say, table
from scim_bridge.cli.session import Session


@click.group()
def job() -> None:
    """See what the scheduler does by the clock, run it now, or let it rest."""


@job.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the jobs, how each stands, and when it is due again."""
    found = list(session.api.every("/jobs"))
    rows = (
        (each["name"], _state(each), moment(each["finished_at"]), moment(each["next_at"]), each["does"])
        for each in found
    )
    say(as_json, found, table(("job", "state", "last ended", "next", "what it does"), rows, "No jobs."))


@job.command()
@click.argument("name", metavar="JOB")
@json_option
@click.pass_obj
def run(session: Session, name: str, as_json: bool) -> None:
    """Let the scheduler that leads run a job within a second or two, a paused one too."""
    say(as_json, _ask(session, name, "run"), f"{name} runs as soon as a scheduler has seen it.")


@job.command()
@click.argument("name", metavar="JOB")
@json_option
@click.pass_obj
def pause(session: Session, name: str, as_json: bool) -> None:
    """Let a job rest until it is resumed."""
    say(as_json, _ask(session, name, "pause"), f"{name} rests until `scim-bridge job resume {name}`.")


@job.command()
@click.argument("name", metavar="JOB")
@json_option
@click.pass_obj
def resume(session: Session, name: str, as_json: bool) -> None:
    """Let a job run again; what was due meanwhile is done at once."""
    say(as_json, _ask(session, name, "resume"), f"{name} runs by the clock again.")


@job.command()
@click.argument("name", metavar="JOB")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many runs at most.")
@json_option
@click.pass_obj
def history(session: Session, name: str, limit: int, as_json: bool) -> None:
    """Show a job's runs, the latest first."""
    found = session.api.get(f"/jobs/{segment(name)}/runs", limit=limit)
    rows = (
        (moment(each["started_at"]), moment(each["finished_at"]), each["state"], each["asked_by"], each["message"])
        for each in found
    )
    say(as_json, found, table(("began", "ended", "state", "asked for by", "message"), rows, "It has not run yet."))


def _ask(session: Session, name: str, verb: str) -> Any:
    return session.api.post(f"/jobs/{segment(name)}/{verb}")


def _state(each: Mapping[str, Any]) -> str:
    if each["paused_by"]:
        return f"paused by {each['paused_by']}"
    if each["failures"]:
        return f"failed {each['failures']} times: {each['message']}"
    return str(each["state"])
