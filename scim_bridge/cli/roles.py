"""`scim-bridge role …`: what each API role allows, and the organization's own roles."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def role() -> None:
    """Look at the API roles, and make roles of your own."""


@role.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the API roles, built-in and custom."""
    found = list(session.api.every(f"{session.of(organization)}/roles"))
    rows = ((each["name"], "built in" if each["built_in"] else "custom", len(each["permissions"])) for each in found)
    say(as_json, found, table(("role", "kind", "permissions"), rows))


@role.command()
@organization_option
@json_option
@click.pass_obj
def permissions(session: Session, organization: str | None, as_json: bool) -> None:
    """List every permission with what it allows and which roles hold it."""
    found = session.api.get(f"{session.of(organization)}/permissions")
    rows = (
        (name, words, ", ".join(role for role, held in sorted(found["roles"].items()) if name in held))
        for name, words in sorted(found["descriptions"].items())
    )
    say(as_json, found, table(("permission", "allows to", "roles"), rows))


@role.command()
@click.argument("name")
@click.option("--permission", "wanted", multiple=True, required=True, help="What it allows; may be repeated.")
@organization_option
@json_option
@click.pass_obj
def put(session: Session, name: str, wanted: tuple[str, ...], organization: str | None, as_json: bool) -> None:
    """Make a custom role, or let it allow something else from now on."""
    made = session.api.put(f"{session.of(organization)}/roles/{segment(name)}", {"permissions": wanted})
    say(as_json, made, f"The role {made['name']} allows {len(made['permissions'])} things.")


@role.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def delete(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Delete a custom role that nobody is granted."""
    session.api.delete(f"{session.of(organization)}/roles/{segment(name)}")
    say(as_json, {"deleted": name}, f"The role {name} is gone.")
