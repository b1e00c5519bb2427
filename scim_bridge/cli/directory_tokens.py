"""`scim-bridge directory token …`: the credentials that identity providers present."""

from collections.abc import Sequence
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

expires_option = click.option(
    "--expires", metavar="90d|DATE", help="When it ends: so many days ahead, or a date; never if left out."
)


@click.group()
def token() -> None:
    """Make, rotate, end and list a directory's tokens."""


@token.command()
@click.argument("directory_name", metavar="DIRECTORY")
@click.option("--name", default="", help="What you call the token.")
@expires_option
@click.option("--ip-range", "ip_ranges", metavar="CIDR", multiple=True, help="From where it works; may be repeated.")
@organization_option
@json_option
@click.pass_obj
def create(
    session: Session,
    directory_name: str,
    name: str,
    expires: str | None,
    ip_ranges: tuple[str, ...],
    organization: str | None,
    as_json: bool,
) -> None:
    """Make another token, shown this once; the others stay valid."""
    body = {"name": name, "expires": expires, "ip_ranges": ip_ranges}
    made = session.api.post(f"{session.of(organization)}/directories/{segment(directory_name)}/tokens", body)
    ending = f"It is shown this once. `scim-bridge directory token revoke {made['prefix']}` ends it."
    say(as_json, made, f"{made['token']}\n\n{ending}")


@token.command()
@click.argument("directory_name", metavar="DIRECTORY")
@click.option("--token", "named", metavar="TOKEN", help="Which token, where several are live: its prefix or name.")
@expires_option
@organization_option
@json_option
@click.pass_obj
def rotate(
    session: Session,
    directory_name: str,
    named: str | None,
    expires: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Make the token that takes over: both work until the new one is used, which ends the old one by itself."""
    path = f"{session.of(organization)}/directories/{segment(directory_name)}/tokens/rotate"
    made = session.api.post(path, {"token": named, "expires": expires})
    ending = (
        f"It is shown this once. Give it to the identity provider: {made['replaces']} works until the first request "
        "with this one, and ends then by itself. "
        f"`scim-bridge directory token list {directory_name}` shows how far it is."
    )
    say(as_json, made, f"{made['token']}\n\n{ending}")


@token.command()
@click.argument("named", metavar="TOKEN")
@organization_option
@json_option
@click.pass_obj
def revoke(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """End a token at once; TOKEN is its id, prefix or name."""
    ended = session.api.delete(f"{session.of(organization)}/directory-tokens/{segment(named)}")
    say(as_json, ended, f"The token {ended['prefix']} ended at {moment(ended['revoked_at'])}.")


@token.command("list")
@click.argument("directory_name", metavar="DIRECTORY")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, directory_name: str, organization: str | None, as_json: bool) -> None:
    """List a directory's tokens, ended ones too; their secrets are not kept."""
    found = list(session.api.every(f"{session.of(organization)}/directories/{segment(directory_name)}/tokens"))
    say(as_json, found, token_table(found))


def token_table(tokens: Sequence[dict[str, Any]]) -> str:
    """Return tokens as a person reads them."""
    headings = ("token", "name", "created", "last used", "from", "works from", "expires", "revoked")
    rows = (
        (
            each["prefix"],
            each["name"],
            moment(each["created_at"]),
            moment(each["last_used_at"]),
            each["last_address"],
            joined(each["ip_ranges"]) or "anywhere",
            moment(each["expires_at"]),
            moment(each["revoked_at"]) or ("at the first use of its successor" if _has_successor(each, tokens) else ""),
        )
        for each in tokens
    )
    return table(headings, rows, "No tokens.")


def _has_successor(found: dict[str, Any], tokens: Sequence[dict[str, Any]]) -> bool:
    return any(each["replaces"] == found["id"] and each["revoked_at"] is None for each in tokens)
