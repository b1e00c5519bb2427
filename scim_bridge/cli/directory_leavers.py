"""`scim-bridge directory leavers`: what becomes of whom a directory lets go of."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, organization_option, say
from scim_bridge.cli.session import Session


@click.command()
@click.argument("name")
@click.option("--grace-days", type=click.IntRange(0, 3650), help="Purge whoever was let go of so many days ago.")
@click.option("--keep", is_flag=True, help="Purge nobody.")
@click.option("--delete-suspends/--delete-ends", default=None, help="Whether deleted people come back to their groups.")
@organization_option
@json_option
@click.pass_obj
def leavers(
    session: Session,
    name: str,
    grace_days: int | None,
    keep: bool,
    delete_suspends: bool | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Show, or with options set, what becomes of leavers: suspended at once, purged after a grace."""
    path = f"{session.of(organization)}/directories/{segment(name)}/deprovisioning"
    rule = session.api.get(path)
    wanted = dict(rule)
    if grace_days is not None or keep:
        wanted["grace_days"] = None if keep else grace_days
    if delete_suspends is not None:
        wanted["delete_suspends"] = delete_suspends
    if wanted != rule:
        rule = session.api.put(path, wanted)
    days = rule["grace_days"]
    kept = "for ever" if days is None else f"for {days} days, then purged"
    comes_back = "comes back to their groups" if rule["delete_suspends"] else "comes back without groups"
    say(as_json, rule, f"Leavers of {name} are kept {kept}; who is deleted and returns {comes_back}.")
