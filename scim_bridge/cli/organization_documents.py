"""`scim-bridge plan|apply|drift|export`: a whole organization as one file."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.documents import read_document
from scim_bridge.cli.output import json_option, moment, organization_option, say
from scim_bridge.cli.previews import SHORT, ask, text_of
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid

DIFFERENCES = 11
SIGNS = {"add": "+", "change": "~", "remove": "-"}
FILE = click.Path(path_type=Path)

Document = Mapping[str, Any]


@click.command()
@click.argument("file", type=FILE)
@organization_option
@json_option
@click.pass_obj
def plan(session: Session, file: Path, organization: str | None, as_json: bool) -> None:
    """Say exactly what a file would change in an organization; ends with 11 when it would change something."""
    body = _body(file)
    found = session.api.post(f"{_of(session, organization, body)}/document/plan", body)
    text = _text(found)
    if found["changes"]:
        text += f"\n\nscim-bridge apply {file} --plan {found['hash'][:SHORT]}"
    say(as_json, found, text)
    if found["changes"]:
        raise SystemExit(DIFFERENCES)


@click.command()
@click.argument("file", type=FILE)
@click.option("--plan", "seen", metavar="HASH", help="The plan that you have read.")
@click.option("--yes", is_flag=True, help="Do it, whatever it changes, without asking.")
@organization_option
@json_option
@click.pass_obj
def apply(session: Session, file: Path, seen: str | None, yes: bool, organization: str | None, as_json: bool) -> None:
    """Make an organization what a file says, all of it or nothing, exactly as it was planned."""
    body = _body(file)
    path = _of(session, organization, body)
    if seen is None:
        found = session.api.post(f"{path}/document/plan", body)
        seen = str(found["hash"])
        if found["changes"] and not yes:
            ask(_text(found), f"Nothing is done: say --plan {seen[:SHORT]} once you have read it, or --yes.")
    done = session.api.post(f"{path}/document/apply", {**body, "plan": seen})
    say(as_json, done, f"{_text(done)}\n\n{done['organization']} is as {file} says.")


@click.command()
@click.argument("file", type=FILE, required=False)
@organization_option
@json_option
@click.pass_obj
def drift(session: Session, file: Path | None, organization: str | None, as_json: bool) -> None:
    """Say what is otherwise than the file that was applied last; ends with 11 when something is, or FILE is another."""
    body = None if file is None else _body(file)
    asked = {"document": None if body is None else body["document"]}
    found = session.api.post(f"{_of(session, organization, body)}/document/drift", asked)
    lines = [f"Applied {moment(found['applied_at'])} by {found['author']}.", _changes(found["changes"])]
    is_other = found["is_applied"] is False
    if file is not None:
        lines.append(f"{file} is {'not ' if is_other else ''}what was applied.")
    say(as_json, found, "\n".join(lines))
    if found["changes"] or is_other:
        raise SystemExit(DIFFERENCES)


@click.command()
@click.option("--format", "form", type=click.Choice(("yaml", "json")), default="yaml", show_default=True)
@organization_option
@click.pass_obj
def export(session: Session, form: str, organization: str | None) -> None:
    """Print an organization as the file that would bring it about; credentials are left out."""
    found = session.api.get(f"{session.of(organization)}/document")
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    import yaml

    click.echo(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), nl=False)


def _of(session: Session, organization: str | None, body: Document | None) -> str:
    """Return the path of the organization that is named: by the option, else by the document, else the only one."""
    return session.of(organization or (_slug(body["document"]) if body else None))


def _slug(document: Document) -> str | None:
    named = document.get("organization")
    found = named.get("slug") if isinstance(named, Mapping) else named
    return found if isinstance(found, str) else None


def _body(file: Path) -> dict[str, Any]:
    """Return a document, and the kubeconfigs that it refers to, read here: it is this machine's files that it means."""
    # A day is no text in TOML and YAML, and nothing else in JSON.
    document = json.loads(json.dumps(read_document(file), default=str))
    kubeconfigs = {}
    clusters = document.get("clusters")
    for row in clusters if isinstance(clusters, list) else ():
        if not isinstance(row, dict):
            continue
        if isinstance(row.get("kubeconfig"), Mapping):
            kubeconfigs[str(row.get("name"))] = _kubeconfig(row["kubeconfig"], file.parent)
        if isinstance(row.get("manifests"), str):
            row["manifests"] = str((file.parent / row["manifests"]).resolve())
    return {"document": document, "kubeconfigs": kubeconfigs}


def _kubeconfig(where: Document, folder: Path) -> str:
    from scim_bridge.identity.cluster_targets import kubeconfig_text

    if isinstance(where.get("env"), str):
        text = os.environ.get(where["env"])
        if not text:
            raise Invalid(f"The environment has no {where['env']}, where a kubeconfig should be.", field="clusters")
        return text
    return kubeconfig_text(folder / str(where.get("file", "")))


def _text(found: Document) -> str:
    return f"{_changes(found['changes'])}\n\n{text_of(found)}" if found["changes"] else "Nothing changes."


def _changes(changes: Iterable[Document]) -> str:
    return "\n".join(line for each in changes for line in _lines(each)) or "Nothing is otherwise."


def _lines(change: Document) -> list[str]:
    head = f"{SIGNS[change['operation']]} {change['section']} {change['key']}"
    if change["operation"] != "change":
        return [head]
    old, new = change["old"], change["new"]
    return [head, *(f"    {key}: {_said(old.get(key))} -> {_said(new[key])}" for key in sorted(new))]


def _said(value: object) -> str:
    return "-" if value in (None, "", []) else json.dumps(value, ensure_ascii=False)
