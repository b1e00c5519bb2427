"""`scim-bridge directory preview|activate|pause|resume|detach|purge`: a directory as a whole."""

from typing import Any

import click

from scim_bridge.cli.agreement import SHOWN, agreed, agreement_options, outcome_lines
from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, organization_option, say
from scim_bridge.cli.session import Session

PREVIEWED = ("activate", "detach", "purge")
DONE = {
    "activate": "is active: what it brought counts from now on",
    "detach": "is detached: what it brought stays, its tokens have ended",
    "purge": "is purged: nothing that it brought is left",
}

HELP = {
    "activate": "Let what a pending directory brought count, with exactly the outcome that was previewed.",
    "detach": "Cut a connection for good and keep what it brought, as if made by hand; its tokens end.",
    "purge": "Take away all that a directory brought, as removals that were asked for; it must not be active.",
}


@click.command()
@click.argument("name")
@click.option("--step", "step_name", type=click.Choice(PREVIEWED), default="activate", show_default=True)
@organization_option
@json_option
@click.pass_obj
def preview(session: Session, name: str, step_name: str, organization: str | None, as_json: bool) -> None:
    """Say exactly who would gain and lose what by a step, down to what clusters bind; nothing is written."""
    found = _preview(session, organization, name, step_name)
    text = f"{_text(found)}\n\nscim-bridge directory {step_name} {name} --preview {found['hash'][:SHOWN]}"
    say(as_json, found, text)


@click.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def pause(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take in nothing from a directory for now; access stays as it is."""
    done = session.api.post(_path(session, organization, name, "pause"))
    sentence = f"{done['name']} is paused: requests are answered with 503 and sent again later; access stays."
    say(as_json, done, sentence)


@click.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def resume(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take in again what a paused directory sends."""
    done = session.api.post(_path(session, organization, name, "resume"))
    say(as_json, done, f"{done['name']} is active again.")


def _deciding(step_name: str) -> click.Command:
    @click.command(step_name, help=HELP[step_name])
    @click.argument("name")
    @agreement_options
    @organization_option
    @json_option
    @click.pass_obj
    def verb(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
        def look() -> tuple[str, str]:
            found = _preview(session, organization, name, step_name)
            return found["hash"], _text(found)

        hash_ = seen or agreed(look, f"{step_name.capitalize()} {name}, with exactly this?", yes=yes)
        done = session.api.post(_path(session, organization, name, step_name), {"preview": hash_})
        say(as_json, done, f"{_text(done, done=True)}\n\n{done['directory']} {DONE[step_name]}.")

    return verb


VERBS: tuple[click.Command, ...] = (preview, pause, resume, *map(_deciding, PREVIEWED))


def _preview(session: Session, organization: str | None, name: str, step_name: str) -> Any:
    return session.api.post(_path(session, organization, name, "preview"), {"step": step_name})


def _path(session: Session, organization: str | None, name: str, verb: str) -> str:
    return f"{session.of(organization)}/directories/{segment(name)}/{verb}"


def _text(found: dict[str, Any], *, done: bool = False) -> str:
    state = f"was {found['state']}" if done else found["state"]
    lines = [f"{found['directory']} ({state}) has {found['users']} users and {found['groups']} groups"]
    return "\n".join([*lines, *outcome_lines(found, done=done)])
