"""`scim-bridge keys …`: the encryption keys over time."""

import click

from scim_bridge.cli.output import json_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def keys() -> None:
    """Look after the encryption keys; they are never printed."""


@keys.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Name the keys by fingerprint, and how many stored values each has sealed. Exit code 1: one opens to no key."""
    from scim_bridge.identity import keys as use_case

    found = use_case.list_keys(session.runtime)
    rows = ((each.fingerprint or "a key that is not here", "yes" if each.seals else "", each.values) for each in found)
    say(as_json, found, table(("key", "seals", "values"), rows))
    if any(each.fingerprint is None for each in found):
        raise SystemExit(1)


@keys.command()
@json_option
@click.pass_obj
def new(session: Session, as_json: bool) -> None:
    """Put a new key in front of those in the home folder; restart every process at once, then `keys rotate`."""
    from scim_bridge.identity import keys as use_case

    made = use_case.add_new(session.settings)
    text = f"The key {made} seals from the next start on: restart every process, then `scim-bridge keys rotate`."
    say(as_json, {"key": made}, text)


@keys.command()
@click.option("--drop-old", is_flag=True, help="Take the other keys out of the home folder afterwards.")
@json_option
@click.pass_obj
def rotate(session: Session, drop_old: bool, as_json: bool) -> None:
    """Seal every stored secret anew with the first key; after that the other keys open nothing any more."""
    from scim_bridge.identity import keys as use_case

    done = use_case.rotate(session.runtime, session.actor, drop_old=drop_old)
    told = ", ".join(f"{number} {what}" for what, number in done.items() if number) or "nothing: all of it was already"
    say(as_json, done, f"Sealed with the first key: {told}.")
