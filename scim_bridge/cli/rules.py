"""`scim-bridge rule …`: who gets what because of a group or an attribute."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.documents import read_document
from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.domain.mapping import Rule
    from scim_bridge.identity.mapping import UnmappedGroup
    from scim_bridge.identity.rules import RulesApplied


@click.group()
def rule() -> None:
    """Map groups and attributes onto roles."""


@rule.command()
@click.argument("file", type=click.Path(path_type=Path))
@organization_option
@json_option
@click.pass_obj
def apply(session: Session, file: Path, organization: str | None, as_json: bool) -> None:
    """Make the organization's mapping rules those of a TOML or YAML file."""
    from scim_bridge.identity import rules

    document = read_document(file)
    done = rules.apply(session.database, session.actor, session.organization(organization), document)
    say(as_json, _applied(done), _sentences(done))


@rule.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the rules in force, and the groups they match and cannot map."""
    from scim_bridge.identity import rules

    found = rules.in_force(session.database, session.organization(organization))
    document = {
        "version": found.version.version if found.version else 0,
        "author": found.version.author if found.version else None,
        "applied_at": found.version.applied_at if found.version else None,
        "rules": [each.definition for each in found.rules],
        "unmapped": found.unmapped,
    }
    rows = (
        (r.name, r.directory, _condition(r), r.scope, r.api_role, r.kubernetes_role, r.priority) for r in found.rules
    )
    headings = ("rule", "directory", "matches", "scope", "api role", "kubernetes role", "priority")
    text = table(headings, rows, "No rules: `scim-bridge rule apply FILE` makes some.")
    say(as_json, document, text + _unmapped(found.unmapped))


def _applied(done: "RulesApplied") -> dict[str, Any]:
    return {
        "version": done.version,
        "changed": not done.diff.is_empty,
        "added": [each.name for each in done.diff.added],
        "changed_rules": [new.name for _, new in done.diff.changed],
        "removed": [each.name for each in done.diff.removed],
        "grants_gained": done.gained,
        "grants_lost": done.lost,
        "unmapped": done.unmapped,
    }


def _sentences(done: "RulesApplied") -> str:
    if done.diff.is_empty:
        return f"The rules are so already (version {done.version})." + _unmapped(done.unmapped)
    counts = f"{len(done.diff.added)} added, {len(done.diff.changed)} changed, {len(done.diff.removed)} removed"
    text = f"Version {done.version} is in force: {counts}; {done.gained} grants made, {done.lost} ended."
    return text + _unmapped(done.unmapped)


def _unmapped(found: "tuple[UnmappedGroup, ...]") -> str:
    if not found:
        return ""
    rows = ((each.name, each.directory, each.rule, each.reason) for each in found)
    return "\n\nMatched, and nothing could be granted:\n" + table(("who", "directory", "rule", "why"), rows)


def _condition(found: "Rule") -> str:
    if found.match.values:
        return f"{found.match.text} is {' or '.join(found.match.values)}"
    return f"{found.match.kind.value} {found.match.text}"
