"""Attribute mappings, what they would change and how a field came about, as people read them."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scim_bridge.cli.output import joined, time

if TYPE_CHECKING:
    from scim_bridge.domain.attributes import FieldRule, FieldTrace, Tried
    from scim_bridge.identity.attribute_changes import MappingPreview, PersonShift
    from scim_bridge.identity.attribute_mapping import MappingShown, Tested

SHOWN_PEOPLE = 20


def mapping_text(found: "MappingShown") -> str:
    """Return a mapping as a file that can be changed and put into force; what is usual is marked as that."""
    newest = found.versions[0] if found.versions else None
    since = f"version {newest.version}, since {time(newest.since)} by {newest.author}" if newest else "never changed"
    lines = [f"# How the directory {found.directory.name} fills people's fields ({since}).", "version = 1"]
    for rule in found.mapping.fields:
        lines += ["", *_field_lines(rule, own=rule.name in found.mapping.own)]
    lines += [f"\n# {count} people have no {name}, which is required." for name, count in found.lacking.items()]
    return "\n".join(lines)


def preview_text(found: "MappingPreview", *, done: bool = False) -> str:
    """Return what a mapping changes, or has changed: the first people in full, then how many more there are."""
    verb = "changed" if done else "would change"
    lines = [f"{found.directory}: {len(found.changes)} of {found.users} people {verb}."]
    for change in found.changes[:SHOWN_PEOPLE]:
        lines += _change_lines(change)
    if len(found.changes) > SHOWN_PEOPLE:
        lines.append(f"… and {len(found.changes) - SHOWN_PEOPLE} more; --json has all of them.")
    lines += [f"+ {each.person}: {joined(each.what)}" for each in found.gains]
    lines += [f"- {each.person}: {joined(each.what)}" for each in found.loses]
    if not found.gains and not found.loses:
        lines.append(f"Nobody {'gained or lost' if done else 'gains or loses'} anything.")
    lines += [f"{count} people have no {name}, which is required." for name, count in sorted(found.lacking.items())]
    if found.unclear:
        lines.append(f"Namespaces chosen by labels on {joined(found.unclear)} are not in this.")
    return "\n".join(lines)


def trace_text(found: "Tested") -> str:
    """Return how each field of a user came about."""
    lines = [f"{found.user_name or 'nobody'} in {found.directory}"]
    for each in found.fields:
        lines += ["", *_trace_lines(each, found.stored)]
    return "\n".join(lines)


def _field_lines(rule: "FieldRule", *, own: bool) -> list[str]:
    lines = [f"[fields.{rule.name}]" + ("" if own else "  # the default")]
    return lines + [f"{key} = {_toml(value)}" for key, value in rule.definition.items()]


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # What JSON writes of a printable text or a truth value, TOML reads as the same.
    return json.dumps(value, ensure_ascii=False)


def _change_lines(change: "PersonShift") -> list[str]:
    lines = [f"~ {change.person}"]
    lines += [f"    {each.field}: {_quoted(each.before)} -> {_quoted(each.after)}" for each in change.fields]
    lines += [
        f"    subject on {each.cluster}: {_quoted(each.before)} -> {_quoted(each.after)}" for each in change.subjects
    ]
    return lines


def _trace_lines(traced: "FieldTrace", stored: Mapping[str, str] | None) -> list[str]:
    origin = {"default": " (default)", "userName": " (userName)"}.get(traced.origin.value, "")
    lines = [f"{traced.name} = {_quoted(traced.value)}{origin}"]
    if stored is not None and stored.get(traced.name) != traced.value:
        lines.append(f"    stored is {_quoted(stored.get(traced.name))}")
    lines += [f"    {_tried(tried)}" for tried in traced.tried]
    if traced.error is not None:
        lines.append(f"    ! {traced.error}")
    return lines


def _tried(tried: "Tried") -> str:
    if tried.raw is None:
        return f"{tried.source}: {tried.passed_over}"
    steps = "".join(f" -> {transform}: {_quoted(result)}" for transform, result in tried.steps)
    over = f" ({tried.passed_over})" if tried.passed_over else ""
    return f"{tried.source}: {_quoted(tried.raw)}{steps}{over}"


def _quoted(value: str | None) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
