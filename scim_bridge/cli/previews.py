"""How verbs ask a person about a change that alters access, and how they print what it does."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import joined
from scim_bridge.cli.session import Session
from scim_bridge.errors import Refused

Verb = TypeVar("Verb", bound=Callable[..., Any])
Document = Mapping[str, Any]

SHORT = 12


def preview_options(verb: Verb) -> Verb:
    """Give a verb its --preview and --yes."""
    verb = click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")(verb)
    return click.option("--preview", "seen", metavar="HASH", help="The preview that you have read.")(verb)


def carry_out(
    session: Session, method: str, path: str, body: object = None, *, seen: str | None, yes: bool
) -> Document:
    """
    Have a change done as it was seen, and return what it did.

    Without a hash the preview is shown, where access changes, and a person asked; raises Refused where nobody can be.
    """
    if seen is None:
        found = session.api.call(method, path, body, {"dry_run": "true"})
        seen = _agreed(found, yes=yes) if alters_access(found) else None
    done: Document = session.api.call(method, path, body, {"preview": seen})
    return done


def alters_access(found: Document) -> bool:
    """Tell whether somebody has other access afterwards, as far as is known."""
    return any(found.get(side) for side in ("gains", "loses", "renamed", "unclear", "subjects"))


def _agreed(found: Document, *, yes: bool) -> str:
    hash_ = str(found["hash"])
    if yes:
        return hash_
    ask(text_of(found), f"Nothing is done: say --preview {hash_[:SHORT]} once you have read it, or --yes.\n")
    return hash_


def ask(text: str, where_nobody_can: str) -> None:
    """Show somebody at a terminal what would happen, and go on if they agree; raises Refused otherwise."""
    if not sys.stdin.isatty():
        raise Refused(where_nobody_can.strip())
    click.echo(text, err=True)
    if not click.confirm("Do it, with exactly this?", default=False, err=True):
        raise Refused("Nothing is done.")


def text_of(found: Document) -> str:
    """Return who gains and loses what, a person a line."""
    lines = [*_lines("+", found["gains"]), *_lines("-", found["loses"]), *_lines("~", found["renamed"])]
    # A document does not change for whom groups stand.
    lines += [f"~ {each}" for each in found.get("subjects", ())]
    if found["unclear"]:
        lines.append(f"Namespaces chosen by labels on {joined(found['unclear'])} are not in this.")
    return "\n".join(lines) or "Nobody gains or loses anything."


def place(text: str | None) -> str:
    """Return what a scope's text names, without its kind."""
    return (text or "").partition(":")[2]


def _lines(sign: str, shifts: Iterable[Document]) -> list[str]:
    return [f"{sign} {each['person']}: {joined(each['what'])}" for each in shifts]
