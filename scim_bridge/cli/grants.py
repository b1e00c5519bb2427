"""`scim-bridge grant …`: roles given by hand."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])

OPTIONS = (
    click.option("--person", help="A member's userName, e-mail address or id."),
    click.option("--group", help="A group's name or id; DIRECTORY/NAME where two have that name."),
    click.option("--scope", required=True, help="organization, unit:a/b, project:p, service:p/s or cluster:c."),
    click.option("--api-role", help="owner, admin, developer, viewer …"),
    click.option("--kubernetes-role", help="cluster-admin, edit, view, or none for explicitly nothing."),
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
    from scim_bridge.identity import grants

    made = grants.add(session.database, session.actor, session.organization(organization), _wanted(named))
    roles = joined(role for role in (made.api_role, made.kubernetes_role) if role)
    say(as_json, made, f"The {made.holder_kind} {made.holder} has {roles} at {made.scope}.")


@grant.command()
@grant_options
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, /, organization: str | None, as_json: bool, **named: str | None) -> None:
    """Take a grant made by hand away, at once on every cluster; what a rule gives as well stays."""
    from scim_bridge.identity import grants

    left = grants.remove(session.database, session.actor, session.organization(organization), _wanted(named))
    document = {"removed": True, "still_granted_by": list(left)}
    text = f"It is no longer granted by hand; it stays because of {joined(left)}." if left else "The grant is gone."
    say(as_json, document, text)


@grant.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the grants in force with where each comes from."""
    from scim_bridge.identity import grants

    found = grants.list_all(session.database, session.organization(organization))
    rows = (
        (g.scope, f"{g.holder_kind} {g.holder}", g.api_role, g.kubernetes_role, joined(g.origins), time(g.since))
        for g in found
    )
    headings = ("scope", "who", "api role", "kubernetes role", "because of", "since")
    say(as_json, found, table(headings, rows, "No grants."))


def _wanted(named: dict[str, str | None]) -> Any:
    from scim_bridge.identity.grants import GrantWanted

    scope = named["scope"] or ""
    return GrantWanted(scope, named["person"], named["group"], named["api_role"], named["kubernetes_role"])
