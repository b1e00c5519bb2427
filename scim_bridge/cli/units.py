"""`scim-bridge unit …`: the nodes of an organization's tree."""

import click

from scim_bridge.cli.client import path_of
from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.previews import carry_out, place, preview_options, text_of
from scim_bridge.cli.session import Session

TYPES = ("production", "staging", "testing", "development", "demo", "other")


@click.group()
def unit() -> None:
    """Create, change, move and delete units, the nodes of an organization's tree."""


@unit.command()
@click.argument("path", metavar="NAME")
@click.option("--parent", metavar="PATH", help="The unit it lies in; the organization itself if left out.")
@click.option("--type", "kind", type=click.Choice(TYPES), help="What sort of environment it is, if it is one.")
@organization_option
@json_option
@click.pass_obj
def create(
    session: Session, path: str, parent: str | None, kind: str | None, organization: str | None, as_json: bool
) -> None:
    """Create a unit; NAME may be a path like production/payments."""
    full = f"{parent.rstrip('/')}/{path}" if parent else path
    made = session.api.post(f"{session.of(organization)}/units", {"path": full, "environment_type": kind})
    say(as_json, made, f"The unit {made['path']} {'is created' if made['created'] else 'exists'}.")


@unit.command()
@click.argument("path", metavar="NAME")
@click.option("--to", metavar="PATH", help="The unit it goes into; the organization itself if left out.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def move(
    session: Session,
    path: str,
    to: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Move a unit with all that is in it, as previewed; rules that name it follow."""
    done = carry_out(session, "PATCH", _of(session, organization, path), {"parent": to or ""}, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe unit is now {place(done['becomes'])}.")


@unit.command()
@click.argument("path", metavar="NAME")
@click.argument("new_name")
@preview_options
@organization_option
@json_option
@click.pass_obj
def rename(
    session: Session,
    path: str,
    new_name: str,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Give a unit another name; rules that name it follow."""
    done = carry_out(session, "PATCH", _of(session, organization, path), {"name": new_name}, seen=seen, yes=yes)
    say(as_json, done, f"The unit is now {place(done['becomes'])}.")


@unit.command("set")
@click.argument("path", metavar="NAME")
@click.option("--type", "kind", type=click.Choice((*TYPES, "none")), required=True, help="What sort of environment.")
@organization_option
@json_option
@click.pass_obj
def set_(session: Session, path: str, kind: str, organization: str | None, as_json: bool) -> None:
    """Say what sort of environment a unit is, or that it is none."""
    wanted = {"environment_type": None if kind == "none" else kind}
    done = carry_out(session, "PATCH", _of(session, organization, path), wanted, seen=None, yes=False)
    say(as_json, done, f"The unit {path} is {'no environment' if kind == 'none' else kind}.")


@unit.command()
@click.argument("path", metavar="NAME")
@preview_options
@organization_option
@json_option
@click.pass_obj
def delete(session: Session, path: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Delete a unit that is empty; grants at it end."""
    done = carry_out(session, "DELETE", _of(session, organization, path), seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe unit {path} is gone.")


@unit.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the units by path."""
    found = list(session.api.every(f"{session.of(organization)}/units"))
    rows = [{key: each[key] for key in ("id", "path", "environment_type")} for each in found]
    text = table(("unit", "type"), ((each["path"], each["environment_type"]) for each in found), "No units.")
    say(as_json, rows, text)


def _of(session: Session, organization: str | None, unit_path: str) -> str:
    return f"{session.of(organization)}/units/{path_of(unit_path)}"
