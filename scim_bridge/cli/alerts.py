"""`scim-bridge alert …`: what needs a look, and who is told."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid


@click.group()
def alert() -> None:
    """Show what needs a look, and say who is told of it."""


@alert.command("list")
@click.option("--closed", is_flag=True, help="Those that ended, too.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, closed: bool, limit: int, organization: str | None, as_json: bool) -> None:
    """List what is so now, the newest first."""
    asked: dict[str, Any] = {"closed": "true" if closed else None, "limit": limit}
    found = session.api.get(f"{session.of(organization)}/alerts", **asked)["items"]
    headings = ("since", "until", "kind", "about", "what")
    rows = (
        (moment(each["opened_at"]), moment(each["closed_at"]), each["kind"], each["subject"], each["message"])
        for each in found
    )
    say(as_json, found, table(headings, rows, "Nothing needs a look."))


@alert.command()
@click.argument("kind", required=False)
@click.option("--to", "addresses", multiple=True, metavar="EMAIL", help="Who gets the mails; repeatable.")
@click.option("--nobody", is_flag=True, help="Nobody gets a mail.")
@click.option("--default", "is_default", is_flag=True, help="The owners and admins, as at the beginning.")
@organization_option
@json_option
@click.pass_obj
def route(
    session: Session,
    kind: str | None,
    addresses: tuple[str, ...],
    nobody: bool,
    is_default: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Show who gets mails about which kind of alert, or say who gets those about one."""
    path = f"{session.of(organization)}/alert-routes"
    chosen = [bool(addresses), nobody, is_default].count(True)
    if chosen != (0 if kind is None else 1):
        raise Invalid("Name a kind and one of --to, --nobody and --default, or nothing to see who is told.", field="to")
    if kind is None:
        found = list(session.api.every(path))
    elif is_default:
        found = [session.api.delete(f"{path}/{segment(kind)}")]
    else:
        found = [session.api.put(f"{path}/{segment(kind)}", {"addresses": addresses})]
    headings = ("kind", "means", "mails go to")
    rows = ((each["kind"], each["meaning"], _who(each["addresses"], each["is_default"])) for each in found)
    say(as_json, found, table(headings, rows))


def _who(addresses: list[str], is_default: bool) -> str:
    named = joined(addresses) or "nobody"
    return f"owners and admins: {named}" if is_default else named
