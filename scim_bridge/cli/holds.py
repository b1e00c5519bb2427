"""`scim-bridge hold …`: memberships that a directory left out of its lists and that wait for a person's word."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])

OPTIONS = (
    click.option("--group", help="A group's name or id; DIRECTORY/NAME where two have that name."),
    click.option("--all", "everything", is_flag=True, help="All that is held in the organization."),
    click.option("--who", multiple=True, help="Only somebody, by name or id; as often as you like."),
)


def _options(verb: Verb) -> Verb:
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def hold() -> None:
    """Look at removals that a directory only implied, and let them go or keep who is held."""


@hold.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the memberships that are held: gone for the directory, still in force for access."""
    found = list(session.api.every(f"{session.of(organization)}/holds"))
    rows = (
        (
            f"{each['directory']}/{each['group']}",
            f"{each['kind']} {each['name']}",
            moment(each["since"]),
            each["request_id"],
            each["why"],
        )
        for each in found
    )
    say(as_json, found, table(("group", "held", "since", "request", "why"), rows, "Nothing is held."))


@hold.command()
@_options
@organization_option
@json_option
@click.pass_obj
def approve(session: Session, /, organization: str | None, as_json: bool, **named: Any) -> None:
    """Let held memberships end, of one group or of all; clusters remove the access at once."""
    done = _decide(session, "approve", organization, named)
    text = f"{done['people']} people and {done['nested_groups']} groups are no longer in {joined(done['groups'])}."
    say(as_json, done, text if done["groups"] else "Nothing was held.")


@hold.command()
@_options
@organization_option
@json_option
@click.pass_obj
def reject(session: Session, /, organization: str | None, as_json: bool, **named: Any) -> None:
    """Keep who is held: their directory reads them in the group again, and its next list decides anew."""
    done = _decide(session, "reject", organization, named)
    text = f"{done['people']} people and {done['nested_groups']} groups stay in {joined(done['groups'])}."
    say(as_json, done, text if done["groups"] else "Nothing was held.")


def _decide(session: Session, verb: str, organization: str | None, named: dict[str, Any]) -> dict[str, Any]:
    if (named["group"] is None) != named["everything"]:
        raise click.UsageError("Say either --group GROUP or --all.")
    body = {**named, "who": list(named["who"])}
    done: dict[str, Any] = session.api.post(f"{session.of(organization)}/holds/{verb}", body)
    return done
