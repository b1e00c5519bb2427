"""`scim-bridge directory token …`: the credentials that identity providers present."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.directory_tokens import DirectoryToken, ShownToken

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
    from scim_bridge.identity import directory_tokens

    wanted = directory_tokens.TokenWanted(name, expires, ip_ranges)
    slug = session.organization(organization)
    made = directory_tokens.create(session.database, session.actor, slug, directory_name, wanted)
    ending = f"It is shown this once. `scim-bridge directory token revoke {made.prefix}` ends it."
    say(as_json, _shown(made, directory_name), f"{made.text}\n\n{ending}")


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
    from scim_bridge.identity import directory_tokens

    slug = session.organization(organization)
    made = directory_tokens.rotate(session.database, session.actor, slug, directory_name, named, expires)
    ending = (
        f"It is shown this once. Give it to the identity provider: {made.replaces} works until the first request with "
        f"this one, and ends then by itself. `scim-bridge directory token list {directory_name}` shows how far it is."
    )
    say(as_json, _shown(made, directory_name), f"{made.text}\n\n{ending}")


@token.command()
@click.argument("named", metavar="TOKEN")
@organization_option
@json_option
@click.pass_obj
def revoke(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """End a token at once; TOKEN is its id, prefix or name."""
    from scim_bridge.identity import directory_tokens

    ended = directory_tokens.revoke(session.database, session.actor, session.organization(organization), named)
    say(as_json, token_document(ended), f"The token {ended.prefix} ended at {time(ended.revoked_at)}.")


@token.command("list")
@click.argument("directory_name", metavar="DIRECTORY")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, directory_name: str, organization: str | None, as_json: bool) -> None:
    """List a directory's tokens, ended ones too; their secrets are not kept."""
    from scim_bridge.identity import directory_tokens

    found = directory_tokens.list_all(session.database, session.organization(organization), directory_name)
    say(as_json, [token_document(each) for each in found], token_table(found))


def token_document(found: "DirectoryToken") -> dict[str, Any]:
    """Return what a machine reads about a token."""
    return {
        "id": found.id,
        "prefix": found.prefix,
        "name": found.name,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "revoked_at": found.revoked_at,
        "last_used_at": found.last_used_at,
        "last_address": found.last_address,
        "last_user_agent": found.last_user_agent,
        "ip_ranges": found.ip_ranges,
        "replaces": found.replaces_id,
    }


def token_table(tokens: "Iterable[DirectoryToken]") -> str:
    """Return tokens as a person reads them."""
    headings = ("token", "name", "created", "last used", "from", "works from", "expires", "revoked")
    rows = (
        (
            each.prefix,
            each.name,
            time(each.created_at),
            time(each.last_used_at),
            each.last_address,
            joined(each.ip_ranges) or "anywhere",
            time(each.expires_at),
            time(each.revoked_at) or ("at the first use of its successor" if _has_successor(each, tokens) else ""),
        )
        for each in tokens
    )
    return table(headings, rows, "No tokens.")


def _has_successor(found: "DirectoryToken", tokens: "Iterable[DirectoryToken]") -> bool:
    return any(each.replaces_id == found.id and each.revoked_at is None for each in tokens)


def _shown(made: "ShownToken", directory_name: str) -> dict[str, Any]:
    return {
        "id": made.id,
        "directory": directory_name,
        "prefix": made.prefix,
        "name": made.name,
        "expires_at": made.expires_at,
        "ip_ranges": made.ip_ranges,
        "replaces": made.replaces,
        "token": made.text,
    }
