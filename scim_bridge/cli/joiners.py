"""`scim-bridge member waiting`, `approve` and `refuse`: people who signed in and wait to be let in."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

HEADINGS = ("who", "signed in by", "as", "since")


@click.command()
@organization_option
@json_option
@click.pass_obj
def waiting(session: Session, organization: str | None, as_json: bool) -> None:
    """List who signed in and waits to be let in, the longest first."""
    found = list(session.api.every(f"{session.of(organization)}/joiners"))
    rows = ((each["user_name"], each["identity_provider"], each["subject"], moment(each["since"])) for each in found)
    say(as_json, found, table(HEADINGS, rows, "Nobody waits."))


@click.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def approve(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Let somebody who waits join, without any role."""
    moved = session.api.post(f"{session.of(organization)}/joiners/{segment(person)}/approve")
    say(as_json, moved, f"{moved['user_name']} is {moved['state']}.")


@click.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def refuse(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Keep somebody who waits out: they do not come back by signing in."""
    moved = session.api.post(f"{session.of(organization)}/joiners/{segment(person)}/refuse")
    say(as_json, moved, f"{moved['user_name']} is {moved['state']}.")
