"""`scim-bridge directory …`: the identity providers and their tokens."""

from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.directory_doctor import doctor
from scim_bridge.cli.directory_log import log, replay
from scim_bridge.cli.output import facts, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.directories import Directory, DirectoryToken, ShownToken

KINDS = ("okta", "entra", "onelogin", "jumpcloud", "google", "authentik", "generic")


@click.group()
def directory() -> None:
    """Connect identity providers over SCIM."""


@directory.command()
@click.option("--kind", required=True, type=click.Choice(KINDS), help="The identity provider's product.")
@click.option("--name", required=True, help="What you call it; rules name it so.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, kind: str, name: str, organization: str | None, as_json: bool) -> None:
    """Connect an identity provider; prints the SCIM URL and the token, which is shown this once."""
    from scim_bridge.domain.people import DirectoryKind
    from scim_bridge.identity import directories

    slug = session.organization(organization)
    made = directories.create(session.database, session.actor, slug, name, DirectoryKind(kind))
    document = {
        **_document(made.directory),
        "organization": slug,
        "scim_base_url": session.settings.scim_base_url,
        "token": made.token.text if made.token else None,
        "created": made.created,
    }
    say(as_json, document, _connected(session, made.directory, made.token))


@directory.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the directories."""
    from scim_bridge.identity import directories

    found = directories.list_all(session.database, session.organization(organization))
    rows = ((each.name, each.kind, each.state, time(each.created_at)) for each in found)
    say(as_json, [_document(each) for each in found], table(("name", "kind", "state", "created"), rows, "None yet."))


@directory.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show a directory, what it has brought and its tokens."""
    from scim_bridge.identity import directories

    found = directories.show(session.database, session.organization(organization), name)
    document = {
        **_document(found.directory),
        "scim_base_url": session.settings.scim_base_url,
        "users": found.users,
        "groups": found.groups,
        "tokens": [_token_document(each) for each in found.tokens],
    }
    pairs = [(key, document[key]) for key in ("name", "kind", "state", "id", "scim_base_url", "users", "groups")]
    say(as_json, document, f"{facts(pairs)}\n\n{_token_table(found.tokens)}")


directory.add_command(doctor)
directory.add_command(log)
directory.add_command(replay)


@directory.group()
def token() -> None:
    """Make, end and list a directory's tokens."""


@token.command("create")
@click.argument("directory_name", metavar="DIRECTORY")
@click.option("--name", default="", help="What you call the token.")
@click.option("--days", type=click.IntRange(1, 3650), help="After how many days it ends; never if left out.")
@organization_option
@json_option
@click.pass_obj
def create_token(
    session: Session, directory_name: str, name: str, days: int | None, organization: str | None, as_json: bool
) -> None:
    """Make another token, shown this once; the others stay valid."""
    from scim_bridge.identity import directories

    made = directories.create_token(
        session.database, session.actor, session.organization(organization), directory_name, name, days
    )
    document = {
        "id": made.id,
        "directory": directory_name,
        "prefix": made.prefix,
        "name": made.name,
        "expires_at": made.expires_at,
        "token": made.text,
    }
    say(
        as_json,
        document,
        f"{made.text}\n\nIt is shown this once. `scim-bridge directory token revoke {made.prefix}` ends it.",
    )


@token.command("revoke")
@click.argument("named", metavar="TOKEN")
@organization_option
@json_option
@click.pass_obj
def revoke_token(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """End a token at once; TOKEN is its id, prefix or name."""
    from scim_bridge.identity import directories

    ended = directories.revoke_token(session.database, session.actor, session.organization(organization), named)
    say(as_json, _token_document(ended), f"The token {ended.prefix} ended at {time(ended.revoked_at)}.")


@token.command("list")
@click.argument("directory_name", metavar="DIRECTORY")
@organization_option
@json_option
@click.pass_obj
def list_tokens(session: Session, directory_name: str, organization: str | None, as_json: bool) -> None:
    """List a directory's tokens, ended ones too; their secrets are not kept."""
    from scim_bridge.identity import directories

    found = directories.list_tokens(session.database, session.organization(organization), directory_name)
    say(as_json, [_token_document(each) for each in found], _token_table(found))


def _document(found: "Directory") -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind,
        "state": found.state,
        "created_at": found.created_at,
    }


def _token_document(found: "DirectoryToken") -> dict[str, Any]:
    return {
        "id": found.id,
        "prefix": found.prefix,
        "name": found.name,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "revoked_at": found.revoked_at,
        "last_used_at": found.last_used_at,
    }


def _token_table(tokens: "list[DirectoryToken] | tuple[DirectoryToken, ...]") -> str:
    rows = (
        (
            each.prefix,
            each.name,
            time(each.created_at),
            time(each.last_used_at),
            time(each.expires_at),
            time(each.revoked_at),
        )
        for each in tokens
    )
    return table(("token", "name", "created", "last used", "expires", "revoked"), rows, "No tokens.")


def _connected(session: Session, made: "Directory", shown: "ShownToken | None") -> str:
    if shown is None:
        return (
            f"The directory {made.name} exists. `scim-bridge directory token create {made.name}` makes another token."
        )
    pairs = [("SCIM URL", session.settings.scim_base_url), ("token", shown.text)]
    return (
        f"The directory {made.name} is connected. Give the identity provider:\n\n{facts(pairs)}\n\n"
        "The token is shown this once."
    )
