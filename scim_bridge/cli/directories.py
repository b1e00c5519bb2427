"""`scim-bridge directory …`: the identity providers and their tokens."""

from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.directory_conflicts import conflict
from scim_bridge.cli.directory_doctor import doctor
from scim_bridge.cli.directory_leavers import leavers
from scim_bridge.cli.directory_log import log, replay
from scim_bridge.cli.directory_states import VERBS
from scim_bridge.cli.directory_tokens import token, token_document, token_table
from scim_bridge.cli.output import facts, joined, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.directories import Directory
    from scim_bridge.identity.directory_tokens import ShownToken

KINDS = ("okta", "entra", "onelogin", "jumpcloud", "google", "authentik", "generic")


@click.group()
def directory() -> None:
    """Connect identity providers over SCIM."""


@directory.command()
@click.option("--kind", required=True, type=click.Choice(KINDS), help="The identity provider's product.")
@click.option("--name", required=True, help="What you call it; rules name it so.")
@click.option("--pending", is_flag=True, help="What it brings counts only once you have activated it.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, kind: str, name: str, pending: bool, organization: str | None, as_json: bool) -> None:
    """Connect an identity provider; prints the SCIM URL and the token, which is shown this once."""
    from scim_bridge.domain.people import DirectoryKind
    from scim_bridge.identity import directories

    slug = session.organization(organization)
    made = directories.create(session.database, session.actor, slug, name, DirectoryKind(kind), pending=pending)
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

    slug = session.organization(organization)
    found = directories.list_all(session.database, slug)
    known = directories.list_conditions(session.database, slug)
    rows = (
        (each.name, each.kind, each.state, time(each.created_at), joined(c.kind for c in known.get(each.name, ())))
        for each in found
    )
    documents = [{**_document(each), "conditions": known.get(each.name, ())} for each in found]
    say(as_json, documents, table(("name", "kind", "state", "created", "conditions"), rows, "None yet."))


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
        "tokens": [token_document(each) for each in found.tokens],
        "conditions": found.conditions,
    }
    pairs = [(key, document[key]) for key in ("name", "kind", "state", "id", "scim_base_url", "users", "groups")]
    told = "".join(f"\n{each.kind}: {each.message}" for each in found.conditions)
    say(as_json, document, f"{facts(pairs)}{told}\n\n{token_table(found.tokens)}")


directory.add_command(doctor)
directory.add_command(log)
directory.add_command(replay)
directory.add_command(token)
directory.add_command(conflict)
directory.add_command(leavers)
for verb in VERBS:
    directory.add_command(verb)


def _document(found: "Directory") -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind,
        "state": found.state,
        "created_at": found.created_at,
    }


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
