"""`scim-bridge organization …`: the tenants."""

import click

from scim_bridge.cli.organization_domains import domain
from scim_bridge.cli.organization_policy import policy
from scim_bridge.cli.output import facts, joined, json_option, say, table, time
from scim_bridge.cli.session import Session


@click.group()
def organization() -> None:
    """Create and look at organizations, the tenants."""


@organization.command()
@click.argument("slug")
@click.option("--name", help="What people call it; the slug if left out.")
@click.option("--owner", metavar="EMAIL", help="Its first owner; this person is trusted on your word.")
@json_option
@click.pass_obj
def create(session: Session, slug: str, name: str | None, owner: str | None, as_json: bool) -> None:
    """Create an organization, and its first owner; one that exists stays as it is."""
    from scim_bridge.identity import organizations

    made = organizations.create(session.database, session.actor, slug, name=name, owner=owner)
    sentence = f"The organization {made.slug} {'is created' if made.created else 'exists'}."
    say(as_json, made, sentence + (f" Its owner is {made.owner}." if made.owner else ""))


@organization.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the organizations."""
    from scim_bridge.identity import organizations

    found = organizations.list_all(session.database)
    rows = [{"id": each.id, "slug": each.slug, "name": each.name, "created_at": each.created_at} for each in found]
    text = table(("slug", "name", "created"), ((each.slug, each.name, time(each.created_at)) for each in found))
    say(as_json, rows, text)


@organization.command()
@click.argument("slug")
@json_option
@click.pass_obj
def show(session: Session, slug: str, as_json: bool) -> None:
    """Show an organization, its owners and how much is in it."""
    from scim_bridge.identity import organizations

    found = organizations.show(session.database, slug)
    pairs = [("slug", found.slug), ("name", found.name), ("id", found.id), ("created", time(found.created_at))]
    say(as_json, found, facts([*pairs, ("owners", joined(found.owners)), *found.counts.items()]))


organization.add_command(domain)
organization.add_command(policy)
