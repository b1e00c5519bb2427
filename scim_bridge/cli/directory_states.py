"""`scim-bridge directory preview|activate|pause|resume|detach|purge`: a directory as a whole."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.agreement import agreed, agreement_options
from scim_bridge.cli.output import joined, json_option, organization_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.domain.directory_states import Step
    from scim_bridge.domain.previews import Shift
    from scim_bridge.identity.directory_states import Preview

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
    found = _preview(session, name, _step(step_name), session.organization(organization))
    text = f"{_text(found)}\n\nscim-bridge directory {step_name} {name} --preview {found.hash[:12]}"
    say(as_json, found, text)


@click.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def pause(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take in nothing from a directory for now; access stays as it is."""
    from scim_bridge.identity import directory_states

    found = directory_states.pause(session.database, session.actor, session.organization(organization), name)
    sentence = f"{found.name} is paused: requests are answered with 503 and sent again later; access stays."
    say(as_json, {"name": found.name, "state": found.state}, sentence)


@click.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def resume(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take in again what a paused directory sends."""
    from scim_bridge.identity import directory_states

    found = directory_states.resume(session.database, session.actor, session.organization(organization), name)
    say(as_json, {"name": found.name, "state": found.state}, f"{found.name} is active again.")


def _deciding(step_name: str) -> click.Command:
    @click.command(step_name, help=HELP[step_name])
    @click.argument("name")
    @agreement_options
    @organization_option
    @json_option
    @click.pass_obj
    def verb(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
        from scim_bridge.identity import directory_states

        slug, step = session.organization(organization), _step(step_name)

        def look() -> tuple[str, str]:
            found = _preview(session, name, step, slug)
            return found.hash, _text(found)

        hash_ = seen or agreed(look, f"{step_name.capitalize()} {name}, with exactly this?", yes=yes)
        done = directory_states.carry_out(session.database, session.actor, slug, name, step, hash_)
        say(as_json, done, f"{_text(done, done=True)}\n\n{done.directory} {DONE[step_name]}.")

    return verb


VERBS: tuple[click.Command, ...] = (preview, pause, resume, *map(_deciding, PREVIEWED))


def _preview(session: Session, name: str, step: "Step", slug: str) -> "Preview":
    from scim_bridge.identity import directory_states

    return directory_states.preview(session.database, session.actor, slug, name, step)


def _step(name: str) -> "Step":
    from scim_bridge.domain.directory_states import Step

    return Step(name)


def _text(found: "Preview", *, done: bool = False) -> str:
    state = f"was {found.state}" if done else found.state
    lines = [f"{found.directory} ({state}) has {found.users} users and {found.groups} groups"]
    lines += [*_lines("+", found.gains), *_lines("-", found.loses)]
    if not found.gains and not found.loses:
        lines.append(f"Nobody {'gained or lost' if done else 'gains or loses'} anything.")
    if found.unclear:
        lines.append(f"Namespaces chosen by labels on {joined(found.unclear)} are not in this.")
    return "\n".join(lines)


def _lines(sign: str, shifts: "Iterable[Shift]") -> list[str]:
    return [f"{sign} {each.person}: {joined(each.what)}" for each in shifts]
