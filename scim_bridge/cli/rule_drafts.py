"""`scim-bridge rule draft …` and `rule preview`: what may become the next version of the rules."""

from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.rule_previews import MOST, SHORT, agreed, preview_text, seen_option, yes_option
from scim_bridge.cli.session import Session

NAME = "draft"

name_option = click.option("--name", default=NAME, show_default=True, metavar="DRAFT", help="Which draft.")


@click.command()
@click.argument("name", metavar="[DRAFT]", default=NAME)
@organization_option
@json_option
@click.pass_obj
def preview(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Say exactly who would gain and lose what by a draft, down to what clusters bind; nothing is written."""
    found = _preview(session, name, organization)
    text = f"{preview_text(found)}\n\nscim-bridge rule apply --draft {name} --preview {found['hash'][:SHORT]}"
    say(as_json, found, text)


@click.group()
def draft() -> None:
    """Write rules that are not in force yet."""


@draft.command()
@click.argument("file", type=click.Path(path_type=Path))
@name_option
@organization_option
@json_option
@click.pass_obj
def save(session: Session, file: Path, name: str, organization: str | None, as_json: bool) -> None:
    """Make the rules of a file a draft; one of that name is replaced."""
    from scim_bridge.cli.rules import rules_of

    made = session.api.put(_path(session, organization, name), {"rules": rules_of(file)})
    say(as_json, made, _saved(made))


@draft.command("set")
@click.argument("file", type=click.Path(path_type=Path))
@name_option
@organization_option
@json_option
@click.pass_obj
def set_(session: Session, file: Path, name: str, organization: str | None, as_json: bool) -> None:
    """Put the rules of a file into a draft, each in place of the one of its name; a new draft begins as it is now."""
    from scim_bridge.cli.rules import rules_of

    made = session.api.patch(_path(session, organization, name), {"changed": rules_of(file)})
    say(as_json, made, _saved(made))


@draft.command()
@click.argument("rules", nargs=-1, required=True)
@name_option
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, rules: tuple[str, ...], name: str, organization: str | None, as_json: bool) -> None:
    """Take rules out of a draft; a new draft begins as it is now."""
    made = session.api.patch(_path(session, organization, name), {"removed": list(rules)})
    say(as_json, made, _saved(made))


@draft.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the drafts, and why they wait."""
    found = list(session.api.every(f"{session.of(organization)}/rules/drafts"))
    rows = (
        (
            each["name"],
            len(each["rules"]),
            each["author"],
            moment(each["updated_at"]),
            moment(each["apply_at"]),
            each["problem"] or each["held_because"],
        )
        for each in found
    )
    say(as_json, found, table(("draft", "rules", "by", "written", "applied at", "why"), rows, "No drafts."))


@draft.command()
@click.argument("name", metavar="[DRAFT]", default=NAME)
@organization_option
@json_option
@click.pass_obj
def discard(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Throw a draft away."""
    session.api.delete(_path(session, organization, name))
    say(as_json, {"name": name, "discarded": True}, f"The draft {name} is gone.")


@draft.command()
@click.argument("name", metavar="[DRAFT]", default=NAME)
@click.option("--at", "apply_at", required=True, metavar="TIME", help="When, like 2027-01-31T06:00:00Z.")
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def schedule(
    session: Session, name: str, apply_at: str, seen: str | None, yes: bool, organization: str | None, as_json: bool
) -> None:
    """Have a draft applied at a time, with the outcome that is previewed now."""
    question = f"Apply {name} at {apply_at}, with exactly this?"
    hash_ = seen or agreed(lambda: _preview(session, name, organization), question, yes=yes)["hash"]
    body = {"at": apply_at, "preview": hash_}
    made = session.api.put(f"{_path(session, organization, name)}/schedule", body)
    say(as_json, made, f"The draft {made['name']} is applied at {moment(made['apply_at'])}.")


@draft.command()
@click.argument("name", metavar="[DRAFT]", default=NAME)
@organization_option
@json_option
@click.pass_obj
def unschedule(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Leave a draft a draft."""
    made = session.api.delete(f"{_path(session, organization, name)}/schedule")
    say(as_json, made, f"The draft {made['name']} is applied only by hand.")


def _path(session: Session, organization: str | None, name: str) -> str:
    from scim_bridge.cli.client import segment

    return f"{session.of(organization)}/rules/drafts/{segment(name)}"


def _preview(session: Session, name: str, organization: str | None) -> dict[str, Any]:
    found: dict[str, Any] = session.api.post(f"{session.of(organization)}/rules/preview", {"draft": name, "most": MOST})
    return found


def _saved(made: dict[str, Any]) -> str:
    return (
        f"The draft {made['name']} has {len(made['rules'])} rules; `scim-bridge rule preview {made['name']}` says what "
        "they would do."
    )
