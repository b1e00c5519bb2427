"""`scim-bridge directory …`: the identity providers and their tokens."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.directory_conflicts import conflict
from scim_bridge.cli.directory_doctor import doctor
from scim_bridge.cli.directory_leavers import leavers
from scim_bridge.cli.directory_log import log, replay
from scim_bridge.cli.directory_maps import map_
from scim_bridge.cli.directory_states import VERBS
from scim_bridge.cli.directory_tokens import token, token_table
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

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
    body = {"kind": kind, "name": name, "pending": pending}
    made = session.api.post(f"{session.of(organization)}/directories", body)
    say(as_json, {**made, "organization": session.organization(organization)}, _connected(made))


@directory.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the directories."""
    found = list(session.api.every(f"{session.of(organization)}/directories"))
    rows = (
        (
            each["name"],
            each["kind"],
            each["state"],
            moment(each["created_at"]),
            joined(condition["kind"] for condition in each["conditions"]),
        )
        for each in found
    )
    say(as_json, found, table(("name", "kind", "state", "created", "conditions"), rows, "None yet."))


@directory.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show a directory, what it has brought and its tokens."""
    found = session.api.get(f"{session.of(organization)}/directories/{segment(name)}")
    pairs = [(key, found[key]) for key in ("name", "kind", "state", "id", "scim_base_url", "users", "groups")]
    told = "".join(f"\n{each['kind']}: {each['message']}" for each in found["conditions"])
    say(as_json, found, f"{facts(pairs)}{told}\n\n{token_table(found['tokens'])}")


@directory.command()
@click.argument("name")
@click.argument("new_name", metavar="NEW-NAME")
@organization_option
@json_option
@click.pass_obj
def rename(session: Session, name: str, new_name: str, organization: str | None, as_json: bool) -> None:
    """Call a directory otherwise; rules that name it follow, and nobody's access changes."""
    path = f"{session.of(organization)}/directories/{segment(name)}"
    done = session.api.patch(path, {"name": new_name})
    say(as_json, done, f"The directory is called {done['name']} from now on.")


directory.add_command(doctor)
directory.add_command(log)
directory.add_command(replay)
directory.add_command(map_)
directory.add_command(token)
directory.add_command(conflict)
directory.add_command(leavers)
for verb in VERBS:
    directory.add_command(verb)


def _connected(made: dict[str, Any]) -> str:
    name = made["name"]
    if made["token"] is None:
        return f"The directory {name} exists. `scim-bridge directory token create {name}` makes another token."
    pairs = [("SCIM URL", made["scim_base_url"]), ("token", made["token"])]
    return (
        f"The directory {name} is connected. Give the identity provider:\n\n{facts(pairs)}\n\n"
        "The token is shown this once."
    )
