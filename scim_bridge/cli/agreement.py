"""Verbs that do exactly what a person has read: a preview's hash, a question at the terminal, or --yes."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import joined
from scim_bridge.errors import Refused

Verb = TypeVar("Verb", bound=Callable[..., Any])
SHOWN = 12
"""Characters of a hash that are enough to name it."""


def agreement_options(verb: Verb) -> Verb:
    """Give a verb its --preview and --yes."""
    verb = click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")(verb)
    return click.option("--preview", "seen", metavar="HASH", help="The preview that you have read.")(verb)


def agreed(look: Callable[[], tuple[str, str]], question: str, *, yes: bool) -> str:
    """
    Return the hash of a preview that a person was shown and agreed to.

    ``look`` returns the hash and the text to show. Raises Refused where nobody can be asked, or somebody says no.
    """
    hash_, text = look()
    if yes:
        return hash_
    if not sys.stdin.isatty():
        raise Refused(f"Nothing is done: say --preview {hash_[:SHOWN]} once you have read it, or --yes.")
    click.echo(text, err=True)
    if not click.confirm(question, default=False, err=True):
        raise Refused("Nothing is done.")
    return hash_


def outcome_lines(found: dict[str, Any], *, done: bool = False) -> list[str]:
    """Return who gains and who loses what by a preview, or by what was done, and what it cannot know."""
    lines = [f"+ {each['person']}: {joined(each['what'])}" for each in found["gains"]]
    lines += [f"- {each['person']}: {joined(each['what'])}" for each in found["loses"]]
    if not lines:
        lines = [f"Nobody {'gained or lost' if done else 'gains or loses'} anything."]
    if found["unclear"]:
        lines.append(f"Namespaces chosen by labels on {joined(found['unclear'])} are not in this.")
    return lines
