"""`scim-bridge directory conflict …`: people who wait because they may be somebody who is here already."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def conflict() -> None:
    """Say whether people whom a directory brought are the ones who were here before."""


@conflict.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List who waits, beside whom they may be, and why nobody was adopted."""
    found = list(session.api.every(f"{session.of(organization)}/adoption-conflicts"))
    rows = (
        (
            each["id"],
            each["directory"],
            each["user_name"],
            f"{each['member']} ({each['member_state']})",
            each["reason"],
            moment(each["since"]),
        )
        for each in found
    )
    headings = ("conflict", "directory", "brought", "here already", "why it waits", "since")
    say(as_json, found, table(headings, rows, "Nobody waits."))


@conflict.command()
@click.argument("conflict_id", metavar="CONFLICT")
@organization_option
@json_option
@click.pass_obj
def claim(session: Session, conflict_id: str, organization: str | None, as_json: bool) -> None:
    """Say that it is the same person: they keep what they have, and follow the directory from now on."""
    done = _close(session, organization, conflict_id, "claim")
    say(as_json, done, f"{done['member']} is {done['user_name']} of {done['directory']} from now on.")


@conflict.command()
@click.argument("conflict_id", metavar="CONFLICT")
@organization_option
@json_option
@click.pass_obj
def dismiss(session: Session, conflict_id: str, organization: str | None, as_json: bool) -> None:
    """Say that they are two people: the one whom the directory brought becomes a member like any other."""
    done = _close(session, organization, conflict_id, "dismiss")
    say(as_json, done, f"{done['user_name']} of {done['directory']} and {done['member']} are two people.")


def _close(session: Session, organization: str | None, conflict_id: str, verb: str) -> Any:
    return session.api.post(f"{session.of(organization)}/adoption-conflicts/{segment(conflict_id)}/{verb}")
