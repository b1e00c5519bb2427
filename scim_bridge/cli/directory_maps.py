"""`scim-bridge directory map …`: what a directory's documents make of people, tried out before it counts."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.agreement import SHOWN, agreed, agreement_options
from scim_bridge.cli.documents import read_document
from scim_bridge.cli.mapping_texts import mapping_text, preview_text, trace_text
from scim_bridge.cli.output import json_option, organization_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.attribute_changes import MappingPreview
    from scim_bridge.identity.attribute_mapping import MappingShown, Tested

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
    from scim_bridge.identity import attribute_mapping
    from scim_bridge.scim.filters import attribute_path

    found = attribute_mapping.show(session.database, session.organization(organization), name, attribute_path)
    say(as_json, _shown(found), mapping_text(found))


@map_.command()
@click.argument("name")
@click.argument("mapping", type=FILE)
@organization_option
@json_option
@click.pass_obj
def preview(session: Session, name: str, mapping: Path, organization: str | None, as_json: bool) -> None:
    """Say exactly what a mapping file would change about whom, down to subjects and bindings; nothing is written."""
    found = _preview(session, session.organization(organization), name, read_document(mapping))
    more = f"\n\nscim-bridge directory map set {name} {mapping} --preview {found.hash[:SHOWN]}"
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
    slug = session.organization(organization)
    done = _apply(session, slug, name, read_document(mapping), seen, yes=yes)
    say(as_json, done, f"{preview_text(done, done=True)}\n\nVersion {done.version} of the mapping is in force.")


@map_.command()
@click.argument("name")
@agreement_options
@organization_option
@json_option
@click.pass_obj
def reset(session: Session, name: str, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Take every field back to its default, for everybody of the directory."""
    done = _apply(session, session.organization(organization), name, NOTHING_OF_ITS_OWN, seen, yes=yes)
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
    from scim_bridge.identity import attribute_mapping
    from scim_bridge.scim.attributes import USER
    from scim_bridge.scim.documents import read_document as read_scim
    from scim_bridge.scim.filters import attribute_path

    slug, draft = session.organization(organization), None if mapping is None else read_document(mapping)
    if (user_file is None) == (user is None):
        raise click.UsageError("Name a --file, or a stored --user.")
    if user is not None:
        found = attribute_mapping.try_user(session.database, slug, name, attribute_path, user, draft)
    else:
        assert user_file is not None
        document = read_scim(read_document(user_file), USER)
        found = attribute_mapping.try_document(session.database, slug, name, attribute_path, document, draft)
    say(as_json, _tested(found), trace_text(found))


def _preview(session: Session, slug: str, name: str, document: Mapping[str, object]) -> "MappingPreview":
    from scim_bridge.identity import attribute_changes
    from scim_bridge.scim.filters import attribute_path

    return attribute_changes.preview(session.database, session.actor, slug, name, attribute_path, document)


def _apply(
    session: Session, slug: str, name: str, document: Mapping[str, object], seen: str | None, *, yes: bool
) -> "MappingPreview":
    from scim_bridge.identity import attribute_changes
    from scim_bridge.scim.filters import attribute_path

    def look() -> tuple[str, str]:
        found = _preview(session, slug, name, document)
        return found.hash, preview_text(found)

    hash_ = seen or agreed(look, f"Map {name} anew, with exactly this?", yes=yes)
    return attribute_changes.apply(session.database, session.actor, slug, name, attribute_path, document, hash_)


def _shown(found: "MappingShown") -> dict[str, Any]:
    return {
        "directory": found.directory.name,
        "version": found.version,
        "fields": {rule.name: rule.definition for rule in found.mapping.fields},
        "own": sorted(found.mapping.own),
        "lacking": dict(found.lacking),
        "versions": [
            {"version": each.version, "author": each.author, "since": each.since, "until": each.until}
            for each in found.versions
        ],
    }


def _tested(found: "Tested") -> dict[str, Any]:
    fields = [
        {
            "field": each.name,
            "value": each.value,
            "origin": each.origin,
            "error": each.error,
            "tried": [
                {
                    "source": tried.source,
                    "raw": tried.raw,
                    "steps": [{"transform": transform, "result": result} for transform, result in tried.steps],
                    "passed_over": tried.passed_over,
                }
                for tried in each.tried
            ],
        }
        for each in found.fields
    ]
    return {
        "directory": found.directory,
        "version": found.version,
        "user_name": found.user_name,
        "fields": fields,
        "lacks": found.lacks,
        "stored": None if found.stored is None else dict(found.stored),
    }
