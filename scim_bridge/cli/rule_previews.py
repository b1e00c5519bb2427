"""What a change of rules would do, as the command line shows it, and how a person agrees to it."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from scim_bridge.cli.output import joined, table
from scim_bridge.errors import Conflict, Refused

MOST = 100_000
"""So many of each kind of thing a verb asks for: more than that nobody reads at a terminal."""
SHORT = 12
SHOWN = 50

Preview = Mapping[str, Any]

seen_option = click.option("--preview", "seen", metavar="HASH", help="The preview that you have read.")
yes_option = click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")


def preview_text(found: Preview, *, done: bool = False) -> str:
    """Return who gains and loses what, and which rules that comes from."""
    lines = [*rules_lines(found["rules"])] or ["The rules are so already."]
    effects = found["effects"]
    lines += [*_sides(effects)] or ([] if found["people"] else ["Nobody gains or loses anything."])
    if effects["unclear"]:
        lines.append(f"Namespaces chosen by labels on {joined(effects['unclear'])} are not in this.")
    if not done:
        lines += [f"! {reason}" for reason in found["waits"]]
    return "\n".join(lines) + unmapped_text(found["unmapped"])


def rules_lines(rules: Mapping[str, Any]) -> Iterable[str]:
    """Return one line for each rule that differs, and one for each key in which it does."""
    for sign, side in (("+", "added"), ("-", "removed")):
        for rule in rules[side]:
            yield f"{sign} rule {rule['name']}"
    for pair in rules["changed"]:
        old, new = pair["old"], pair["new"]
        yield f"~ rule {new['name']}"
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                yield f"    {key}: {_value(old.get(key))} -> {_value(new.get(key))}"


def unmapped_text(found: Iterable[Mapping[str, Any]]) -> str:
    """Return whom rules match and can give nothing to; empty for nobody."""
    rows = [(each["name"], each["directory"], each["rule"], each["reason"]) for each in found]
    if not rows:
        return ""
    return "\n\nMatched, and nothing could be granted:\n" + table(("who", "directory", "rule", "why"), rows)


def agreed(
    look: Callable[[], Preview], question: str, *, yes: bool, shown: Callable[[Preview], str] = preview_text
) -> Preview:
    """Return a preview that a person was shown and agreed to; raises Refused where nobody can be asked."""
    found = look()
    if yes:
        return found
    if not sys.stdin.isatty():
        raise Refused(f"Nothing is done: say --preview {found['hash'][:SHORT]} once you have read it, or --yes.")
    click.echo(shown(found), err=True)
    if not click.confirm(question, default=False, err=True):
        raise Refused("Nothing is done.")
    return found


def show_outdated(error: Conflict) -> None:
    """Show, on standard error, the preview that a conflict carries."""
    found = getattr(error, "preview", None)
    if isinstance(found, dict) and "rules" in found:
        click.echo(preview_text(found), err=True)


def _sides(effects: Mapping[str, Any]) -> Iterable[str]:
    for sign, side in (("+", effects["gains"]), ("-", effects["losses"])):
        people: dict[str, list[str]] = {}
        for role in side["api_roles"]:
            people.setdefault(role["person"], []).append(f"API role {role['role']} at {role['scope']}")
        for each in side["bindings"]:
            place = f"{each['namespace']} on {each['cluster']}" if each["namespace"] else f"cluster {each['cluster']}"
            people.setdefault(each["person"], []).append(f"{each['role']} in {place}")
        for grant in side["grants"]:
            roles = joined(role for role in (grant["api_role"], grant["kubernetes_role"]) if role)
            holder = f"{grant['holder_kind']} {grant['holder']}"
            yield f"{sign} grant to {holder}: {roles} at {grant['scope']} ({grant['origin']})"
        for person in sorted(people)[:SHOWN]:
            yield f"{sign} {person}: {joined(sorted(people[person]))}"
        if len(people) > SHOWN:
            yield f"{sign} … and {len(people) - SHOWN} more people; --json names all"


def _value(value: object) -> str:
    return "-" if value is None else str(value)
