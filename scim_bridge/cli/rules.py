"""`scim-bridge rule …`: who gets what because of a group or an attribute."""

from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.documents import read_document
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.rule_defaults import default
from scim_bridge.cli.rule_drafts import draft, preview
from scim_bridge.cli.rule_previews import (
    MOST,
    SHORT,
    agreed,
    preview_text,
    rules_lines,
    seen_option,
    show_outdated,
    unmapped_text,
    yes_option,
)
from scim_bridge.cli.rule_questions import lint, what_if
from scim_bridge.cli.session import Session
from scim_bridge.errors import Conflict, Invalid

CHANGES = 11
"""The exit code of a plan that would change something."""
WAITS = 10


@click.group()
def rule() -> None:
    """Map groups and attributes onto roles."""


@rule.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--draft", "draft_name", metavar="NAME", help="Apply a draft instead of a file.")
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def apply(
    session: Session,
    file: Path | None,
    draft_name: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Make the organization's mapping rules those of a TOML or YAML file, or of a draft."""
    if (file is None) == (draft_name is None):
        raise click.UsageError("Name a file, or a draft with --draft.")
    named: dict[str, Any] = {"draft": draft_name} if file is None else {"rules": rules_of(file)}
    put(session, named, seen, organization, yes=yes, as_json=as_json)


@rule.command()
@click.argument("file", type=click.Path(path_type=Path))
@organization_option
@json_option
@click.pass_context
def plan(context: click.Context, file: Path, organization: str | None, as_json: bool) -> None:
    """Say exactly what applying a file would do; nothing is written. Ends with 11 if it would change something."""
    session: Session = context.obj
    body = {"rules": rules_of(file), "most": MOST}
    found = session.api.post(f"{session.of(organization)}/rules/preview", body)
    text = preview_text(found)
    if _changes(found):
        text += f"\n\nscim-bridge rule apply {file} --preview {found['hash'][:SHORT]}"
    say(as_json, found, text)
    if _changes(found):
        context.exit(CHANGES)


@rule.command()
@click.argument("version", type=click.IntRange(min=0))
@seen_option
@yes_option
@organization_option
@json_option
@click.pass_obj
def rollback(
    session: Session, version: int, seen: str | None, yes: bool, organization: str | None, as_json: bool
) -> None:
    """Make the rules those of a version again, as a new version; with its preview shown and agreed to."""
    if seen is None:
        path = f"{session.of(organization)}/rules/preview"
        question = f"Go back to version {version}, with exactly this?"
        seen = agreed(lambda: session.api.post(path, {"version": version, "most": MOST}), question, yes=yes)["hash"]
    put(session, {"version": version}, seen, organization, as_json=as_json)


@rule.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the rules in force, and the groups they match and cannot map."""
    found = session.api.get(f"{session.of(organization)}/rules")
    rows = (
        (
            each["name"],
            each["directory"],
            condition(each),
            each["scope"],
            each.get("api_role"),
            each.get("kubernetes_role"),
            each.get("priority", 100),
        )
        for each in found["rules"]
    )
    headings = ("rule", "directory", "matches", "scope", "api role", "kubernetes role", "priority")
    text = table(headings, rows, "No rules: `scim-bridge rule apply FILE` makes some.")
    say(as_json, found, text + unmapped_text(found["unmapped"]))


@rule.command()
@organization_option
@json_option
@click.pass_obj
def versions(session: Session, organization: str | None, as_json: bool) -> None:
    """List every version of the rules, the newest first."""
    found = list(session.api.every(f"{session.of(organization)}/rules/versions"))
    rows = (
        (each["version"], each["rules"], each["author"], moment(each["applied_at"]), each["is_in_force"] or "")
        for each in found
    )
    say(as_json, found, table(("version", "rules", "by", "applied", "in force"), rows, "No rules yet."))


@rule.command()
@click.argument("old", type=click.IntRange(min=0))
@click.argument("new", type=click.IntRange(min=0), required=False)
@organization_option
@json_option
@click.pass_obj
def diff(session: Session, old: int, new: int | None, organization: str | None, as_json: bool) -> None:
    """Say which rules differ between two versions, or between one and the rules in force."""
    found = session.api.get(f"{session.of(organization)}/rules/diff", old=old, new=new)
    say(as_json, found, "\n".join(rules_lines(found)) or "They say the same.")


@rule.command()
@click.option("--version", type=click.IntRange(min=0), help="A version instead of the rules in force.")
@organization_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
@click.pass_obj
def export(session: Session, version: int | None, organization: str | None, as_json: bool) -> None:
    """Print the rules as a file that can be applied again."""
    path = f"{session.of(organization)}/rules" + ("" if version is None else f"/versions/{version}")
    document = {"version": 1, "rules": session.api.get(path)["rules"]}
    say(as_json, document, "" if as_json else _yaml(document))


for verb in (preview, draft, what_if, lint, default):
    rule.add_command(verb)


def put(
    session: Session,
    named: dict[str, Any],
    seen: str | None,
    organization: str | None,
    *,
    yes: bool = False,
    as_json: bool,
) -> None:
    """Put rules into force and say what that did; ends with 10 where they wait instead."""
    path = f"{session.of(organization)}/rules"
    if yes and seen is None:
        seen = session.api.post(f"{path}/preview", {**named, "most": 0})["hash"]
    try:
        done = session.api.post(f"{path}/apply", {**named, "preview": seen})
    except Conflict as error:
        show_outdated(error)
        raise
    left = session.api.get(path)["unmapped"] if done["applied"] else done["preview"]["unmapped"]
    done["preview"]["unmapped"] = left
    say(as_json, _document(done), _sentences(done))
    if not done["applied"]:
        click.get_current_context().exit(WAITS)


def rules_of(file: Path) -> list[Any]:
    """Return the rows of a rule file; raises Invalid for a file that is none."""
    document = read_document(file)
    unknown = sorted(str(key) for key in document if key not in ("version", "rules", "rule"))
    if unknown:
        raise Invalid(f"A rule file has no key {unknown[0]!r}; it has version and rules.", field=unknown[0])
    if document.get("version", 1) != 1:
        raise Invalid("This release reads rule files of version 1.", field="version")
    if "rule" in document and "rules" in document:
        raise Invalid("A rule file has one list: rule or rules, not both.", field="rule")
    rows = document.get("rules", document.get("rule", []))
    if not isinstance(rows, list):
        raise Invalid("rules must be a list of rules.", field="rules")
    return rows


def condition(rule: dict[str, Any]) -> str:
    """Return in words what a rule matches."""
    if "attribute" in rule:
        return f"{rule['attribute']['path']} is {' or '.join(rule['attribute']['one_of'])}"
    kind = next(key for key in rule if key.startswith("group"))
    return f"{kind} {rule[kind]}"


def _changes(found: dict[str, Any]) -> bool:
    return any(found["rules"].values())


def _document(done: dict[str, Any]) -> dict[str, Any]:
    found = done["preview"]
    effects = found["effects"]
    return {
        "version": found["version"],
        "changed": _changes(found),
        "applied": done["applied"],
        "draft": done["draft"],
        "added": [each["name"] for each in found["rules"]["added"]],
        "changed_rules": [each["new"]["name"] for each in found["rules"]["changed"]],
        "removed": [each["name"] for each in found["rules"]["removed"]],
        "grants_gained": len(effects["gains"]["grants"]),
        "grants_lost": len(effects["losses"]["grants"]),
        "unmapped": found["unmapped"],
        "people": found["people"],
        "waits": found["waits"],
        "hash": found["hash"],
    }


def _sentences(done: dict[str, Any]) -> str:
    found = done["preview"]
    rules, effects = found["rules"], found["effects"]
    if not done["applied"]:
        reasons = " ".join(found["waits"])
        return (
            f"Nothing is applied: {reasons} It waits as the draft {done['draft']}.\n"
            f"Read it with `scim-bridge rule preview {done['draft']}`, and apply it with the hash that it shows."
        )
    if not _changes(found):
        return f"The rules are so already (version {found['version']})." + unmapped_text(found["unmapped"])
    counts = f"{len(rules['added'])} added, {len(rules['changed'])} changed, {len(rules['removed'])} removed"
    gained, lost = len(effects["gains"]["grants"]), len(effects["losses"]["grants"])
    text = f"Version {found['version']} is in force: {counts}; {gained} grants made, {lost} ended."
    return text + unmapped_text(found["unmapped"])


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True)).rstrip()
