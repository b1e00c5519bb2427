"""`scim-bridge organization …`: the tenants."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from scim_bridge.cli.organization_domains import domain
from scim_bridge.cli.organization_policy import policy
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Refused


@click.group()
def organization() -> None:
    """Create, set up, look at and delete organizations, the tenants."""


@organization.command()
@click.argument("slug")
@click.option("--name", help="What people call it; the slug if left out.")
@click.option("--owner", metavar="EMAIL", help="Its first owner; this person is trusted on your word.")
@json_option
@click.pass_obj
def create(session: Session, slug: str, name: str | None, owner: str | None, as_json: bool) -> None:
    """Create an organization, and its first owner; one that exists stays as it is. With --url you are the owner."""
    if session.url and owner is None:
        found = session.api.post("/organizations", {"slug": slug, "name": name})
        say(as_json, found, f"The organization {found['slug']} is created. Its owner is {found['owner']}.")
        return
    from scim_bridge.identity import organizations

    made = organizations.create(session.database, session.actor, slug, name=name, owner=owner)
    sentence = f"The organization {made.slug} {'is created' if made.created else 'exists'}."
    say(as_json, made, sentence + (f" Its owner is {made.owner}." if made.owner else ""))


@organization.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the organizations."""
    found = list(session.api.every("/organizations"))
    rows = [{key: each[key] for key in ("id", "slug", "name", "created_at")} for each in found]
    headings = ("slug", "name", "created", "you are", "you may open it")
    text = table(
        headings,
        (
            (each["slug"], each["name"], moment(each["created_at"]), each["state"], each["why_not"] or "yes")
            for each in found
        ),
    )
    say(as_json, found if session.url else rows, text)


@organization.command()
@click.argument("slug")
@json_option
@click.pass_obj
def show(session: Session, slug: str, as_json: bool) -> None:
    """Show an organization, its owners and how much is in it."""
    found = session.api.get(session.of(slug))
    settings = found["settings"]
    pairs = [("slug", found["slug"]), ("name", found["name"]), ("id", found["id"])]
    pairs += [("created", moment(found["created_at"])), ("owners", joined(found["owners"]))]
    pairs += [("contact", settings["contact"]), ("description", settings["description"])]
    say(as_json, found, facts([*pairs, *found["counts"].items()]))


@organization.command("set")
@click.argument("slug", required=False)
@click.option("--name", help="What people call it from now on.")
@click.option("--slug", "new_slug", help="What it is called in commands and addresses from now on.")
@click.option("--contact", help="Whom members ask; empty for nobody.")
@click.option("--description", help="What it is for; empty for nothing.")
@json_option
@click.pass_obj
def set_(
    session: Session,
    slug: str | None,
    name: str | None,
    new_slug: str | None,
    contact: str | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Give an organization another name, slug or settings; what is not named stays."""
    given = {"name": name, "slug": new_slug, "contact": contact, "description": description}
    wanted = {key: value for key, value in given.items() if value is not None}
    done = session.api.patch(session.of(slug), wanted)
    say(as_json, done, f"The organization {done['slug']} {'is changed' if done['changed'] else 'is so already'}.")


@organization.command()
@click.argument("slug")
@click.option("--repeat", "repeated", metavar="SLUG", help="Its slug once more, where nobody can be asked.")
@json_option
@click.pass_obj
def delete(session: Session, slug: str, repeated: str | None, as_json: bool) -> None:
    """Delete an organization of which no project, unit, cluster or connected directory is left."""
    if repeated is None:
        if not sys.stdin.isatty():
            raise Refused("Nothing is deleted: say --repeat with the organization's slug.")
        repeated = click.prompt("Type the organization's slug to delete it for good", err=True)
    done = session.api.delete(session.of(slug), repeated=repeated)
    say(as_json, done, f"The organization {done['slug']} is gone, with {done['members']} members.")


@organization.command()
@click.argument("slug")
@json_option
@click.pass_obj
def leave(session: Session, slug: str, as_json: bool) -> None:
    """Leave an organization, with --url as whoever the token is for; its last working owner stays."""
    done = session.api.post(f"{session.of(slug)}/members/me/leave")
    say(as_json, done, f"{done['user_name']} has left {slug}.")


@organization.command()
@organization_option
@json_option
@click.pass_obj
def tree(session: Session, organization: str | None, as_json: bool) -> None:
    """Show what lies where, how much is in it, and who has access there, given there or inherited."""
    found = session.api.get(f"{session.of(organization)}/tree")
    say(as_json, found, table(("place", "kind", "holds", "people", "access", "inherited"), map(_node, found)))


def _node(each: Mapping[str, Any]) -> tuple[object, ...]:
    kind = each["environment_type"] or each["kind"]
    holds = joined(f"{count} {name}{'s' if count > 1 else ''}" for name, count in each["contents"].items() if count)
    access = joined(f"{one['holder']}: {_roles(one)}" for one in each["access"])
    inherited = joined(f"{one['holder']}: {_roles(one)} ({one['scope']})" for one in each["inherited"])
    return (f"{'  ' * each['depth']}{each['name']}", kind, holds, each["people"], access, inherited)


def _roles(one: Mapping[str, Any]) -> str:
    return " and ".join(role for role in (one["api_role"], one["kubernetes_role"]) if role)


organization.add_command(domain)
organization.add_command(policy)
