"""`scim-bridge hold …`: memberships that a directory left out of its lists and that wait for a person's word."""

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session


@click.group()
def hold() -> None:
    """Look at removals that a directory only implied, and let them go."""


@hold.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the memberships that are held: gone for the directory, still in force for access."""
    from scim_bridge.identity import holds

    found = holds.list_held(session.database, session.organization(organization))
    rows = ((f"{each.directory}/{each.group}", f"{each.kind} {each.name}", time(each.since)) for each in found)
    say(as_json, found, table(("group", "held", "since"), rows, "Nothing is held."))


@hold.command()
@click.option("--group", help="A group's name or id; DIRECTORY/NAME where two have that name.")
@click.option("--all", "everything", is_flag=True, help="All that is held in the organization.")
@organization_option
@json_option
@click.pass_obj
def approve(session: Session, group: str | None, everything: bool, organization: str | None, as_json: bool) -> None:
    """Let held memberships end, of one group or of all; clusters remove the access at once."""
    if (group is None) != everything:
        raise click.UsageError("Say either --group GROUP or --all.")
    from scim_bridge.identity import holds

    done = holds.approve(session.database, session.actor, session.organization(organization), group)
    text = f"{done.people} people and {done.nested_groups} groups are no longer in {joined(done.groups)}."
    say(as_json, done, text if done.groups else "Nothing was held.")
