"""`scim-bridge doctor`: look the whole installation over and say what to do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.domain.findings import Finding

COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@json_option
@click.pass_obj
def doctor(session: Session, as_json: bool) -> None:
    """Look over database, keys, identity providers, rules, scheduler and clusters, and say what to do."""
    findings = list(_look(session))
    say(as_json, findings, "\n".join(_line(each) for each in findings))
    if any(each.level.value == "problem" for each in findings):
        raise SystemExit(1)


def _look(session: Session) -> Iterator["Finding"]:
    from scim_bridge.identity import checkup as people
    from scim_bridge.sync import checkup as clusters

    database = people.check_database(session.database)
    yield database
    if database.level.value == "problem":
        # Without it nothing else can be known.
        return
    yield people.check_address(session.settings.base_url)
    yield people.check_keys(session.runtime)
    yield clusters.check_scheduler(session.database)
    yield from clusters.check_workers(session.database, session.settings)
    yield from clusters.check_jobs(session.database)
    for slug in people.list_organizations(session.database):
        yield from people.check_directories(session.database, slug)
        yield from clusters.check_clusters(session.database, session.workshop.targets, slug)


def _line(finding: "Finding") -> str:
    mark = click.style(f"{finding.level.value:<8}", fg=COLOURS[finding.level.value])
    remedy = f"\n{' ' * 8} → {finding.remedy}" if finding.remedy else ""
    return f"{mark} {finding.about}: {finding.sentence}{remedy}"
