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
    """Look over settings, database, keys, clock, mail, identity providers and clusters, and say what to do."""
    findings = list(_look(session))
    say(as_json, findings, "\n".join(_line(each) for each in findings))
    if any(_is_problem(each) for each in findings):
        raise SystemExit(1)


def _look(session: Session) -> Iterator["Finding"]:
    from scim_bridge.identity import machine_checkup as machine

    yield from machine.check_settings(session.settings)
    yield machine.check_home(session.settings)
    keys = machine.check_key_file(session.settings)
    if keys is not None:
        yield keys
    database = machine.check_database(session.settings)
    yield database
    # Without it nothing else can be known.
    if not _is_problem(database):
        yield machine.check_clock(session.settings)
        if keys is None:
            yield from _look_inside(session)
    yield machine.check_mail(session.settings)


def _look_inside(session: Session) -> Iterator["Finding"]:
    from scim_bridge.identity import checkup as people
    from scim_bridge.sync import checkup as clusters

    yield from people.check_keys(session.runtime)
    yield clusters.check_scheduler(session.database)
    yield from clusters.check_workers(session.database, session.settings)
    yield from clusters.check_jobs(session.database)
    for slug in people.list_organizations(session.database):
        yield from people.check_directories(session.database, slug)
        yield from clusters.check_clusters(session.database, session.workshop.targets, slug)


def _is_problem(finding: "Finding") -> bool:
    return finding.level.value == "problem"


def _line(finding: "Finding") -> str:
    mark = click.style(f"{finding.level.value:<8}", fg=COLOURS[finding.level.value])
    remedy = f"\n{' ' * 8} → {finding.remedy}" if finding.remedy else ""
    return f"{mark} {finding.about}: {finding.sentence}{remedy}"
