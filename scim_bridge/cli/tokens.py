"""`scim-bridge token …`: tokens that open the REST API."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def token() -> None:
    """Make, list and end tokens of the REST API."""


@token.command()
@click.option("--for", "member", metavar="MEMBER", default="me", help="Whose: a person or an application user.")
@click.option("--name", default="", help="What you call the token.")
@click.option("--expires", metavar="90d|DATE", help="When it ends; never if left out.")
@click.option("--permission", "permissions", multiple=True, help="Limit it to this; may be repeated.")
@click.option("--ip-range", "ip_ranges", metavar="CIDR", multiple=True, help="From where it works; may be repeated.")
@organization_option
@json_option
@click.pass_obj
def create(
    session: Session,
    /,
    member: str,
    organization: str | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Make a token, shown this once; at the installation's terminal for anybody (--for), else for oneself."""
    body = wanted | {"permissions": wanted["permissions"] or None}
    made = session.api.post(f"{session.of(organization)}/members/{segment(member)}/tokens", body)
    ending = f"It is shown this once. `scim-bridge token revoke {made['prefix']}` ends it."
    say(as_json, made, f"{made['token']}\n\n{ending}")


@token.command("list")
@click.option("--for", "member", metavar="MEMBER", default="me", help="Whose: a person or an application user.")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, member: str, organization: str | None, as_json: bool) -> None:
    """List a member's tokens, ended ones too; their secrets are not kept."""
    found = list(session.api.every(f"{session.of(organization)}/members/{segment(member)}/tokens"))
    headings = ("token", "name", "may", "works from", "created", "last used", "from", "expires", "revoked")
    rows = (
        (
            each["prefix"],
            each["name"],
            "all" if each["permissions"] is None else joined(each["permissions"]),
            joined(each["ip_ranges"]) or "anywhere",
            moment(each["created_at"]),
            moment(each["last_used_at"]),
            each["last_address"],
            moment(each["expires_at"]),
            moment(each["revoked_at"]),
        )
        for each in found
    )
    say(as_json, found, table(headings, rows, "No tokens."))


@token.command()
@click.argument("named", metavar="TOKEN")
@organization_option
@json_option
@click.pass_obj
def revoke(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """End a token at once; TOKEN is its id or prefix."""
    ended = session.api.delete(f"{session.of(organization)}/tokens/{segment(named)}")
    say(as_json, ended, f"The token {ended['prefix']} ended at {moment(ended['revoked_at'])}.")
