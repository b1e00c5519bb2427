"""`scim-bridge rule default …`: what people get whom a directory provisions and no rule maps."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.rule_previews import SHORT, agreed, preview_text, seen_option, yes_option
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])


OPTIONS = (
    click.option("--directory", help="Of this directory's people alone."),
    click.option("--api-role", help="developer, viewer …, never admin or owner."),
    click.option("--kubernetes-role", help="edit, view, or none."),
    click.option("--unset", is_flag=True, help="Say nothing any more."),
)


def _options(verb: Verb) -> Verb:
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def default() -> None:
    """Give a role to provisioned people whom no rule maps; off unless you say so."""


@default.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the defaults that are set."""
    found = list(session.api.every(f"{session.of(organization)}/rules/defaults"))
    rows = ((each["directory"] or "every other", each["api_role"], each["kubernetes_role"]) for each in found)
    empty = "None is set: whom no rule maps has nothing."
    say(as_json, found, table(("directory", "api role", "kubernetes role"), rows, empty))


@default.command()
@_options
@organization_option
@json_option
@click.pass_obj
def preview(session: Session, /, organization: str | None, as_json: bool, **named: Any) -> None:
    """Say exactly who would gain and lose what by a default; nothing is written."""
    found = session.api.post(f"{session.of(organization)}/rules/defaults/preview", named)
    say(as_json, found, f"{_text(found)}\n\nIts hash is {found['hash'][:SHORT]}.")


@default.command("set")
@_options
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session, /, seen: str | None, yes: bool, organization: str | None, as_json: bool, **named: Any
) -> None:
    """Set a default, with exactly the outcome that was previewed; no role at all is explicitly nothing."""
    path = f"{session.of(organization)}/rules/defaults"
    if seen is None:
        look = partial(session.api.post, f"{path}/preview", named)
        seen = agreed(look, "Set it, with exactly this?", yes=yes, shown=_text)["hash"]
    done = session.api.put(path, {**named, "preview": seen})
    say(as_json, done, f"{_text(done)}\n\nIt is set.")


def _text(found: Mapping[str, Any]) -> str:
    nothing: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}
    people = len({each["person"] for side in ("gains", "losses") for each in found["effects"][side]["api_roles"]})
    shown = preview_text({**found, "rules": nothing, "unmapped": [], "people": people})
    return shown.removeprefix("The rules are so already.\n")
