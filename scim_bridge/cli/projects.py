"""`scim-bridge project …` and `scim-bridge service …`: who owns which namespaces."""

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def project() -> None:
    """Create and list projects, the owners of namespaces."""


@project.command()
@click.argument("name")
@click.option("--unit", metavar="PATH", help="The unit it lies in; the organization itself if left out.")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace it owns; may be repeated.")
@click.option("--selector", "selectors", multiple=True, metavar="KEY=VALUE,…", help="Namespaces it owns, by label.")
@click.option("--cluster", "clusters", multiple=True, help="A cluster it is on; those of its own unit if left out.")
@organization_option
@json_option
@click.pass_obj
def create(
    session: Session,
    name: str,
    unit: str | None,
    namespaces: tuple[str, ...],
    selectors: tuple[str, ...],
    clusters: tuple[str, ...],
    organization: str | None,
    as_json: bool,
) -> None:
    """Create a project with its namespaces."""
    from scim_bridge.identity import tree

    wanted = tree.NewProject(name, unit, namespaces, selectors, clusters)
    made = tree.create_project(session.database, session.actor, session.organization(organization), wanted)
    reached = joined(made.clusters) or "no cluster yet"
    say(as_json, made, f"The project {made.name} {'is created' if made.created else 'exists'}, on {reached}.")


@project.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the projects with their namespaces, clusters and services."""
    from scim_bridge.identity import tree

    found = tree.list_projects(session.database, session.organization(organization))
    rows = (
        (
            each.name,
            each.unit,
            joined((*each.namespaces, *each.selectors)),
            joined(each.clusters),
            joined(each.services),
        )
        for each in found
    )
    say(as_json, found, table(("project", "unit", "namespaces", "clusters", "services"), rows, "No projects."))


@click.group()
def service() -> None:
    """Create services, the grantable leaves of a project."""


@service.command("create")
@click.argument("name")
@click.option("--project", "owner", required=True, help="The project it belongs to.")
@click.option("--namespace", required=True, help="Its one namespace.")
@organization_option
@json_option
@click.pass_obj
def create_service(
    session: Session, name: str, owner: str, namespace: str, organization: str | None, as_json: bool
) -> None:
    """Create a service: exactly one namespace of a project."""
    from scim_bridge.identity import tree

    made = tree.create_service(
        session.database, session.actor, session.organization(organization), owner, name, namespace
    )
    say(as_json, made, f"The service {owner}/{made.name} has the namespace {made.namespace}.")
