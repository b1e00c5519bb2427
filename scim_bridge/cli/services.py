"""`scim-bridge service …`: the grantable leaves of a project."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.previews import carry_out, place, preview_options, text_of
from scim_bridge.cli.session import Session

project_option = click.option("--project", "owner", required=True, help="The project it belongs to.")


@click.group()
def service() -> None:
    """Create, change and delete services, the grantable leaves of a project."""


@service.command()
@click.argument("name")
@project_option
@click.option("--namespace", required=True, help="Its one namespace.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, name: str, owner: str, namespace: str, organization: str | None, as_json: bool) -> None:
    """Create a service: exactly one namespace of a project."""
    made = session.api.post(_of(session, organization, owner), {"name": name, "namespace": namespace})
    say(as_json, made, f"The service {owner}/{made['name']} has the namespace {made['namespace']}.")


@service.command("set")
@click.argument("name")
@project_option
@click.option("--name", "new_name", help="What it is called from now on.")
@click.option("--namespace", help="Its one namespace from now on.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session,
    name: str,
    owner: str,
    new_name: str | None,
    namespace: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Give a service another name, or another namespace, as previewed."""
    wanted = {key: value for key, value in (("name", new_name), ("namespace", namespace)) if value is not None}
    path = f"{_of(session, organization, owner)}/{segment(name)}"
    done = carry_out(session, "PATCH", path, wanted, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe service is {place(done['becomes'])}.")


@service.command()
@click.argument("name")
@project_option
@preview_options
@organization_option
@json_option
@click.pass_obj
def delete(
    session: Session,
    name: str,
    owner: str,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Delete a service, as previewed; grants at it end."""
    path = f"{_of(session, organization, owner)}/{segment(name)}"
    done = carry_out(session, "DELETE", path, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe service {owner}/{name} is gone.")


@service.command("list")
@project_option
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, owner: str, organization: str | None, as_json: bool) -> None:
    """List the services of a project."""
    found = list(session.api.every(_of(session, organization, owner)))
    rows = ((each["name"], each["namespace"]) for each in found)
    say(as_json, found, table(("service", "namespace"), rows, "No services."))


def _of(session: Session, organization: str | None, owner: str) -> str:
    return f"{session.of(organization)}/projects/{segment(owner)}/services"
