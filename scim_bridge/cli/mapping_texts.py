"""Attribute mappings, what they would change and how a field came about, as people read them."""

import json
from collections.abc import Mapping
from typing import Any

from scim_bridge.cli.agreement import outcome_lines
from scim_bridge.cli.output import moment

SHOWN_PEOPLE = 20
Document = Mapping[str, Any]


def mapping_text(found: Document) -> str:
    """Return a mapping as a file that can be changed and put into force; what is usual is marked as that."""
    newest = found["versions"][0] if found["versions"] else None
    since = "never changed"
    if newest is not None:
        since = f"version {newest['version']}, since {moment(newest['since'])} by {newest['author']}"
    lines = [f"# How the directory {found['directory']} fills people's fields ({since}).", "version = 1"]
    for name, definition in found["fields"].items():
        lines += ["", f"[fields.{name}]" + ("" if name in found["own"] else "  # the default")]
        lines += [f"{key} = {_toml(value)}" for key, value in definition.items()]
    lines += [f"\n# {count} people have no {name}, which is required." for name, count in found["lacking"].items()]
    return "\n".join(lines)


def preview_text(found: dict[str, Any], *, done: bool = False) -> str:
    """Return what a mapping changes, or has changed: the first people in full, then how many more there are."""
    verb = "changed" if done else "would change"
    lines = [f"{found['directory']}: {found['changed']} of {found['users']} people {verb}."]
    for change in found["changes"][:SHOWN_PEOPLE]:
        lines += _change_lines(change)
    if found["changed"] > SHOWN_PEOPLE:
        lines.append(f"… and {found['changed'] - SHOWN_PEOPLE} more; --json has up to 1,000 of them.")
    lines += outcome_lines(found, done=done)
    lines += [f"{count} people have no {name}, which is required." for name, count in sorted(found["lacking"].items())]
    return "\n".join(lines)


def trace_text(found: Document) -> str:
    """Return how each field of a user came about."""
    lines = [f"{found['user_name'] or 'nobody'} in {found['directory']}"]
    for each in found["fields"]:
        lines += ["", *_trace_lines(each, found["stored"])]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # What JSON writes of a printable text or a truth value, TOML reads as the same.
    return json.dumps(value, ensure_ascii=False)


def _change_lines(change: Document) -> list[str]:
    lines = [f"~ {change['person']}"]
    for kind, name in (("fields", "field"), ("subjects", "cluster")):
        before = "subject on " if kind == "subjects" else ""
        lines += [
            f"    {before}{each[name]}: {_quoted(each['before'])} -> {_quoted(each['after'])}" for each in change[kind]
        ]
    return lines


def _trace_lines(traced: Document, stored: Mapping[str, str] | None) -> list[str]:
    origin = {"default": " (default)", "userName": " (userName)"}.get(traced["origin"], "")
    lines = [f"{traced['field']} = {_quoted(traced['value'])}{origin}"]
    if stored is not None and stored.get(traced["field"]) != traced["value"]:
        lines.append(f"    stored is {_quoted(stored.get(traced['field']))}")
    lines += [f"    {_tried(tried)}" for tried in traced["tried"]]
    if traced["error"] is not None:
        lines.append(f"    ! {traced['error']}")
    return lines


def _tried(tried: Document) -> str:
    if tried["raw"] is None:
        return f"{tried['source']}: {tried['passed_over']}"
    steps = "".join(f" -> {each['transform']}: {_quoted(each['result'])}" for each in tried["steps"])
    over = f" ({tried['passed_over']})" if tried["passed_over"] else ""
    return f"{tried['source']}: {_quoted(tried['raw'])}{steps}{over}"


def _quoted(value: str | None) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
