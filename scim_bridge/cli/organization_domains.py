"""`scim-bridge organization domain …`: the domains whose addresses are the organization's."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def domain() -> None:
    """Say which domains are the organization's: people with addresses there may be adopted."""


@domain.command()
@click.argument("name", metavar="DOMAIN")
@organization_option
@json_option
@click.pass_obj
def add(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Say that a domain is the organization's; you are trusted on your word."""
    made = session.api.post(f"{session.of(organization)}/domains", {"domain": name})
    verb = "is" if made["created"] else "was already"
    say(as_json, made, f"{made['domain']['domain']} {verb} a domain of the organization.")


@domain.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the organization's domains."""
    found = list(session.api.every(f"{session.of(organization)}/domains"))
    rows = ((each["domain"], each["state"], moment(each["created_at"])) for each in found)
    say(as_json, found, table(("domain", "state", "since"), rows, "None yet."))


@domain.command()
@click.argument("name", metavar="DOMAIN")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Say that a domain is no longer the organization's; nobody loses anything by it."""
    gone = session.api.delete(f"{session.of(organization)}/domains/{segment(name)}")
    say(as_json, gone, f"{gone['domain']} is no domain of the organization any more.")


@domain.command()
@click.argument("name", metavar="DOMAIN")
@organization_option
@json_option
@click.pass_obj
def proof(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show what to publish to prove a domain."""
    found = session.api.post(f"{session.of(organization)}/domains/{segment(name)}/proof")
    text = f"{found['record']}  TXT  {found['value']}\n\nor the same text in a file: {found['file']}"
    say(as_json, found, text)


@domain.command()
@click.argument("name", metavar="DOMAIN")
@organization_option
@json_option
@click.pass_obj
def verify(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Look whether the proof of a domain is there."""
    found = session.api.post(f"{session.of(organization)}/domains/{segment(name)}/verify")
    say(as_json, found, f"{found['domain']} is verified.")
