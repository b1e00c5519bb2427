"""`scim-bridge unit …`: the nodes of an organization's tree."""

import click

from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.previews import agreed, preview_option, text_of, yes_option
from scim_bridge.cli.session import Session

TYPES = ("production", "staging", "testing", "development", "demo", "other")


@click.group()
def unit() -> None:
    """Create, move and list units, the nodes of an organization's tree."""


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
    from scim_bridge.domain.organizations import EnvironmentType
    from scim_bridge.identity import tree

    full = f"{parent.rstrip('/')}/{path}" if parent else path
    environment = EnvironmentType(kind) if kind else None
    made = tree.create_unit(session.database, session.actor, session.organization(organization), full, environment)
    say(as_json, made, f"The unit {made.path} {'is created' if made.created else 'exists'}.")


@unit.command()
@click.argument("path", metavar="NAME")
@click.option("--to", metavar="PATH", help="The unit it goes into; the organization itself if left out.")
@preview_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def move(
    session: Session, path: str, to: str | None, seen: str | None, yes: bool, organization: str | None, as_json: bool
) -> None:
    """Move a unit with all that is in it; rules that name it follow."""
    from scim_bridge.identity import tree_drafts
    from scim_bridge.identity.unit_changes import MoveUnit

    slug, draft = session.organization(organization), MoveUnit(path, to)
    hash_ = seen or agreed(lambda: tree_drafts.preview(session.database, session.actor, slug, draft), yes=yes)
    moved = tree_drafts.carry_out(session.database, session.actor, slug, draft, hash_)
    say(as_json, moved, f"{text_of(moved)}\nThe unit is now {(moved.becomes or '').partition(':')[2]}.")


@unit.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the units by path."""
    from scim_bridge.identity import tree

    found = tree.list_units(session.database, session.organization(organization))
    rows = [{"id": each.id, "path": each.path, "environment_type": each.environment_type} for each in found]
    say(as_json, rows, table(("unit", "type"), ((each.path, each.environment_type) for each in found), "No units."))
