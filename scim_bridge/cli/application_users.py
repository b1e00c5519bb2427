"""`scim-bridge application-user …`: members that are programs."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group("application-user")
def application_user() -> None:
    """Make and remove application users, which act by tokens alone."""


@application_user.command()
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, name: str, description: str, organization: str | None, as_json: bool) -> None:
    """Make an application user; it may do nothing until something is granted to it."""
    body = {"name": name, "description": description}
    made = session.api.post(f"{session.of(organization)}/application-users", body)
    verb = "is made" if made["created"] else "exists"
    say(as_json, made, f"The application user {name} {verb}. `scim-bridge token create --for {name}` makes its token.")


@application_user.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the application users."""
    found = list(session.api.every(f"{session.of(organization)}/application-users"))
    headings = ("name", "description", "state", "created", "last active")
    rows = (
        (each["name"], each["description"], each["state"], moment(each["created_at"]), moment(each["last_active_at"]))
        for each in found
    )
    say(as_json, found, table(headings, rows, "No application users."))


@application_user.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Remove an application user; its tokens end at once."""
    session.api.delete(f"{session.of(organization)}/application-users/{segment(name)}")
    say(as_json, {"removed": name}, f"The application user {name} is gone.")
