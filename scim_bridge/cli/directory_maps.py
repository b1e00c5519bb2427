"""`scim-bridge directory map …`: what a directory's documents make of people, tried out before it counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.agreement import SHOWN, agreed, agreement_options
from scim_bridge.cli.client import segment
from scim_bridge.cli.documents import read_document
from scim_bridge.cli.mapping_texts import mapping_text, preview_text, trace_text
from scim_bridge.cli.output import json_option, organization_option, say
from scim_bridge.cli.session import Session

FILE = click.Path(path_type=Path, dir_okay=False)
NOTHING_OF_ITS_OWN: Mapping[str, object] = {}


@click.group("map")
def map_() -> None:
    """Say which attributes of an identity provider fill which fields of a person."""


@map_.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show how each field is filled, as a file that `directory map set` takes."""
    found = session.api.get(_path(session, organization, name))
    say(as_json, found, mapping_text(found))


@map_.command()
@click.argument("name")
@click.argument("mapping", type=FILE)
@organization_option
@json_option
@click.pass_obj
def preview(session: Session, name: str, mapping: Path, organization: str | None, as_json: bool) -> None:
    """Say exactly what a mapping file would change about whom, down to subjects and bindings; nothing is written."""
    found = _preview(session, organization, name, read_document(mapping))
    more = f"\n\nscim-bridge directory map set {name} {mapping} --preview {found['hash'][:SHOWN]}"
    say(as_json, found, preview_text(found) + more)


@map_.command("set")
@click.argument("name")
@click.argument("mapping", type=FILE)
@agreement_options
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session, name: str, mapping: Path, seen: str | None, yes: bool, organization: str | None, as_json: bool
) -> None:
    """Put a mapping file into force for everybody of the directory; fields that it leaves out have their default."""
    done = _apply(session, organization, name, read_document(mapping), seen, yes=yes)
    say(as_json, done, f"{preview_text(done, done=True)}\n\nVersion {done['version']} of the mapping is in force.")


@map_.command()
@click.argument("name")
@agreement_options
@organization_option
@json_option
@click.pass_obj
def reset(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Take every field back to its default, for everybody of the directory."""
    done = _apply(session, organization, name, NOTHING_OF_ITS_OWN, seen, yes=yes)
    say(as_json, done, f"{preview_text(done, done=True)}\n\nThe defaults are in force.")


@map_.command()
@click.argument("name")
@click.option("--file", "user_file", type=FILE, help="A user as the identity provider sends it (JSON).")
@click.option("--user", help="A stored user: its SCIM id or userName.")
@click.option("--mapping", type=FILE, help="A mapping that is not in force yet.")
@organization_option
@json_option
@click.pass_obj
def test(
    session: Session,
    name: str,
    user_file: Path | None,
    user: str | None,
    mapping: Path | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Show field by field what a mapping makes of one user: what was looked at, and what became of it."""
    if (user_file is None) == (user is None):
        raise click.UsageError("Name a --file, or a stored --user.")
    body = {
        "user": user,
        "document": None if user_file is None else read_document(user_file),
        "mapping": None if mapping is None else read_document(mapping),
    }
    found = session.api.post(f"{_path(session, organization, name)}/test", body)
    say(as_json, found, trace_text(found))


def _preview(session: Session, organization: str | None, name: str, document: Mapping[str, object]) -> Any:
    return session.api.post(f"{_path(session, organization, name)}/preview", dict(document))


def _apply(
    session: Session,
    organization: str | None,
    name: str,
    document: Mapping[str, object],
    seen: str | None,
    *,
    yes: bool,
) -> Any:
    def look() -> tuple[str, str]:
        found = _preview(session, organization, name, document)
        return found["hash"], preview_text(found)

    hash_ = seen or agreed(look, f"Map {name} anew, with exactly this?", yes=yes)
    return session.api.put(_path(session, organization, name), {**document, "preview": hash_})


def _path(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/directories/{segment(name)}/mapping"
