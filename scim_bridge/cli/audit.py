"""`scim-bridge audit …`: what was done by whom, and the proof that nobody changed the record of it."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])
WIDEST = 60
OPTIONS = (
    click.option("--since", metavar="TIME", help="From when on: 2h or 7d ago, or an ISO 8601 time."),
    click.option("--until", metavar="TIME", help="Until when, said in the same ways."),
    click.option("--actor", help="Who did it: a name, an id, or a kind such as directory or scheduler."),
    click.option("--action", help="What was done: group.changed, or group.* for all of them."),
    click.option("--object", "object", help="To what: an id, or person:NAME, group:NAME, cluster:NAME."),
    click.option("--request", help="In which request."),
)


def selection(verb: Verb) -> Verb:
    """Give a verb the options that say which entries are wanted."""
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def audit() -> None:
    """Look things up in the audit, hand it out, and verify it."""


@audit.command("list")
@selection
@click.option("--cluster", help="What was done with this cluster and written to it.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="So many at once.")
@click.option("--cursor", help="Go on where the page before ended.")
@organization_option
@json_option
@click.pass_obj
def list_(
    session: Session, /, cluster: str | None, organization: str | None, as_json: bool, **wanted: str | int | None
) -> None:
    """List audit entries, the newest first."""
    place = "/audit" if cluster is None else f"/clusters/{segment(cluster)}/audit"
    page = session.api.get(session.of(organization) + place, **wanted)
    rows = (
        (
            moment(each["at"]),
            f"{each['actor_kind']} {each['actor_name'] or each['actor_id'] or ''}",
            each["action"],
            each["object_id"],
            each["request_id"],
            _short(each["detail"]),
        )
        for each in page["items"]
    )
    text = table(("at", "who", "action", "object", "request", "detail"), rows, "No entries.")
    if page["next_cursor"]:
        text += f"\n\nThere are older ones: --cursor {page['next_cursor']}"
    say(as_json, page, text)


@audit.command()
@selection
@click.option("--format", "format", default="jsonl", show_default=True, type=click.Choice(["jsonl", "csv"]))
@organization_option
@click.pass_obj
def export(session: Session, /, organization: str | None, **wanted: str | None) -> None:
    """Print every entry that matches, the oldest first, as JSON Lines or CSV that is safe in a spreadsheet."""
    text = session.api.get(f"{session.of(organization)}/audit/export", **wanted) or ""
    click.echo(text, nl=False)


@audit.command()
@click.option("--expected", metavar="SEQUENCE:HASH", help="What an earlier verification printed: it must still be so.")
@organization_option
@json_option
@click.pass_obj
def verify(session: Session, expected: str | None, organization: str | None, as_json: bool) -> None:
    """Walk the whole chain and name the first entry that is not what was written. Exit code 1: there is one."""
    found = session.api.get(f"{session.of(organization)}/audit/verification", expected=expected)
    problem = found["problem"]
    pairs = [
        ("entries", f"{found['checked']}, from {found['first']} to {found['last']}"),
        ("last", f"{found['last']}:{found['hash']}"),
        ("not sealed yet", found["unsealed"]),
        ("oldest of those", moment(found["oldest_unsealed"])),
        ("verdict", "The audit is what was written." if problem is None else f"BROKEN: {problem['reason']}."),
        ("entry", problem and problem["entry"]),
    ]
    say(as_json, found, facts(pair for pair in pairs if pair[1] not in (None, "")))
    if problem is not None:
        raise SystemExit(1)


def _short(detail: object) -> str:
    text = "erased" if detail is None else json.dumps(detail, ensure_ascii=False)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
