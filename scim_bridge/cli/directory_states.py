"""`scim-bridge directory preview|activate|pause|resume|detach|purge`: a directory as a whole."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say
from scim_bridge.cli.session import Session
from scim_bridge.errors import Refused

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

seen_option = click.option("--preview", "seen", metavar="HASH", help="The preview that you have read.")
yes_option = click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")


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
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def activate(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Let what a pending directory brought count, with exactly the outcome that was previewed."""
    _carry_out(session, name, "activate", seen, organization, yes=yes, as_json=as_json)


@click.command()
@click.argument("name")
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def detach(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Cut a connection for good and keep what it brought, as if made by hand; its tokens end."""
    _carry_out(session, name, "detach", seen, organization, yes=yes, as_json=as_json)


@click.command()
@click.argument("name")
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def purge(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Take away all that a directory brought, as removals that were asked for; it must not be active."""
    _carry_out(session, name, "purge", seen, organization, yes=yes, as_json=as_json)


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


VERBS: tuple[click.Command, ...] = (preview, activate, pause, resume, detach, purge)


def _carry_out(
    session: Session, name: str, step_name: str, seen: str | None, organization: str | None, *, yes: bool, as_json: bool
) -> None:
    from scim_bridge.identity import directory_states

    slug, step = session.organization(organization), _step(step_name)
    hash_ = seen or _agreed(lambda: _preview(session, name, step, slug), step_name, yes=yes)
    done = directory_states.carry_out(session.database, session.actor, slug, name, step, hash_)
    say(as_json, done, f"{_text(done, done=True)}\n\n{done.directory} {DONE[step_name]}.")


def _agreed(look: "Callable[[], Preview]", step_name: str, *, yes: bool) -> str:
    """Return the hash of a preview that a person was shown and agreed to; raises Refused where nobody can be asked."""
    found = look()
    if yes:
        return found.hash
    if not sys.stdin.isatty():
        raise Refused(f"Nothing is done: say --preview {found.hash[:12]} once you have read it, or --yes.")
    click.echo(_text(found), err=True)
    if not click.confirm(f"{step_name.capitalize()} {found.directory}, with exactly this?", default=False, err=True):
        raise Refused("Nothing is done.")
    return found.hash


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
