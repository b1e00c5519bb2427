"""`scim-bridge project …`: who owns which namespaces."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, organization_option, say, table
from scim_bridge.cli.previews import carry_out, place, preview_options, text_of
from scim_bridge.cli.session import Session


@click.group()
def project() -> None:
    """Create, change, move and delete projects, the owners of namespaces."""


@project.command()
@click.argument("name")
@click.option("--unit", metavar="PATH", help="The unit it lies in; the organization itself if left out.")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace it owns; may be repeated.")
@click.option("--selector", "selectors", multiple=True, metavar="KEY=VALUE,…", help="Namespaces it owns, by label.")
@click.option("--cluster", "clusters", multiple=True, help="A cluster it is on; those of its own unit if left out.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, /, organization: str | None, as_json: bool, **wanted: Any) -> None:
    """Create a project with its namespaces."""
    made = session.api.post(f"{session.of(organization)}/projects", wanted)
    reached = joined(made["clusters"]) or "no cluster yet"
    say(as_json, made, f"The project {made['name']} {'is created' if made['created'] else 'exists'}, on {reached}.")


@project.command()
@click.argument("name")
@click.option("--to", metavar="PATH", help="The unit it goes into; the organization itself if left out.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def move(
    session: Session,
    name: str,
    to: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Move a project to another unit, as previewed."""
    done = carry_out(session, "PATCH", _of(session, organization, name), {"unit": to or ""}, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe project {name} is in {to or 'the organization itself'}.")


@project.command()
@click.argument("name")
@click.argument("new_name")
@preview_options
@organization_option
@json_option
@click.pass_obj
def rename(
    session: Session,
    name: str,
    new_name: str,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Give a project another name; rules that name it or a service of it follow."""
    done = carry_out(session, "PATCH", _of(session, organization, name), {"name": new_name}, seen=seen, yes=yes)
    say(as_json, done, f"The project is now {place(done['becomes'])}.")


@project.command("set")
@click.argument("name")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace it owns; all that are left out go.")
@click.option("--no-namespaces", is_flag=True, help="It owns none by name.")
@click.option("--selector", "selectors", multiple=True, metavar="KEY=VALUE,…", help="Namespaces it owns, by label.")
@click.option("--no-selectors", is_flag=True, help="It owns none by label.")
@click.option("--cluster", "clusters", multiple=True, help="A cluster it is on; all that are left out go.")
@click.option("--own-clusters", is_flag=True, help="It is on the clusters of its own unit.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session,
    /,
    name: str,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Give a project other namespaces, selectors or clusters, as previewed; what is not named stays."""
    none = {"namespaces": "no_namespaces", "selectors": "no_selectors", "clusters": "own_clusters"}
    wanted = {key: given[key] for key, flag in none.items() if given[key] or given[flag]}
    done = carry_out(session, "PATCH", _of(session, organization, name), wanted, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe project {name} {'is changed' if done['changed'] else 'is so already'}.")


@project.command()
@click.argument("name")
@preview_options
@organization_option
@json_option
@click.pass_obj
def delete(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Delete a project with its services, as previewed; grants at them end."""
    done = carry_out(session, "DELETE", _of(session, organization, name), seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe project {name} is gone.")


@project.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the projects with their namespaces, clusters and services."""
    found = list(session.api.every(f"{session.of(organization)}/projects"))
    rows = (
        (
            each["name"],
            each["unit"],
            joined((*each["namespaces"], *each["selectors"])),
            joined(each["clusters"]),
            joined(each["services"]),
        )
        for each in found
    )
    say(as_json, found, table(("project", "unit", "namespaces", "clusters", "services"), rows, "No projects."))


def _of(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/projects/{segment(name)}"
