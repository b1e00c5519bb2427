"""`scim-bridge grant …`: roles given by hand."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])

OPTIONS = (
    click.option("--person", help="A member's userName, e-mail address or id."),
    click.option("--group", help="A group's name or id; DIRECTORY/NAME where two have that name."),
    click.option("--scope", required=True, help="organization, unit:a/b, project:p, service:p/s or cluster:c."),
    click.option("--api-role", help="owner, admin, developer, viewer …"),
    click.option("--kubernetes-role", help="cluster-admin, edit, view, or none for explicitly nothing."),
    click.option("--expires", metavar="90d|DATE", help="When it ends by itself; never if left out."),
)


def grant_options(verb: Verb) -> Verb:
    """Give a verb the options that name one grant."""
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def grant() -> None:
    """Grant roles to people and groups by hand."""


@grant.command()
@grant_options
@organization_option
@json_option
@click.pass_obj
def add(session: Session, /, organization: str | None, as_json: bool, **named: str | None) -> None:
    """Grant a role to a member or a group at a scope; granting it again changes nothing."""
    made = session.api.post(f"{session.of(organization)}/grants", named)
    roles = joined(role for role in (made["api_role"], made["kubernetes_role"]) if role)
    until = f" until {moment(made['expires_at'])}" if made["expires_at"] else ""
    say(as_json, made, f"The {made['holder_kind']} {made['holder']} has {roles} at {made['scope']}{until}.")


@grant.command()
@grant_options
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, /, organization: str | None, as_json: bool, **named: str | None) -> None:
    """Take a grant made by hand away, at once on every cluster; what a rule gives as well stays."""
    document = session.api.post(f"{session.of(organization)}/grants/remove", named)
    left = document["still_granted_by"]
    text = f"It is no longer granted by hand; it stays because of {joined(left)}." if left else "The grant is gone."
    say(as_json, document, text)


@grant.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the grants in force with where each comes from."""
    found = list(session.api.every(f"{session.of(organization)}/grants"))
    rows = (
        (
            each["scope"],
            f"{each['holder_kind']} {each['holder']}",
            each["api_role"],
            each["kubernetes_role"],
            joined(each["origins"]),
            moment(each["since"]),
            moment(each["expires_at"]),
        )
        for each in found
    )
    headings = ("scope", "who", "api role", "kubernetes role", "because of", "since", "until")
    say(as_json, found, table(headings, rows, "No grants."))
