"""How verbs ask a person about a preview, and how they print one."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import joined
from scim_bridge.errors import Refused

if TYPE_CHECKING:
    from scim_bridge.domain.previews import Shift
    from scim_bridge.identity.tree_drafts import TreePreview

preview_option = click.option("--preview", "seen", metavar="HASH", help="The preview that you have read.")
yes_option = click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")


def agreed(look: "Callable[[], TreePreview]", *, yes: bool) -> str | None:
    """
    Return the hash of a preview that a person was shown and agreed to; None where there is nothing to agree to.

    Raises Refused where nobody can be asked.
    """
    found = look()
    if not found.changed or not found.alters_access:
        return None
    if yes:
        return found.hash
    if not sys.stdin.isatty():
        raise Refused(f"Nothing is done: say --preview {found.hash[:12]} once you have read it, or --yes.")
    click.echo(text_of(found), err=True)
    if not click.confirm("Do it, with exactly this?", default=False, err=True):
        raise Refused("Nothing is done.")
    return found.hash


def text_of(found: "TreePreview") -> str:
    """Return who gains and loses what, a person a line."""
    lines = [*_lines("+", found.gains), *_lines("-", found.loses), *_lines("~", found.renamed)]
    if found.unclear:
        lines.append(f"Namespaces chosen by labels on {joined(found.unclear)} are not in this.")
    return "\n".join(lines) or "Nobody gains or loses anything."


def _lines(sign: str, shifts: "Iterable[Shift]") -> list[str]:
    return [f"{sign} {each.person}: {joined(each.what)}" for each in shifts]
