"""`scim-bridge sync history` and `sync watch`: what passes did, and what they do while one looks."""

import time as clock
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from scim_bridge.cli.output import json_option, moment, organization_option, say
from scim_bridge.cli.session import Session
from scim_bridge.cli.sync import called
from scim_bridge.cli.sync import sync as sync

Document = Mapping[str, Any]


@sync.command()
@click.argument("cluster")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many passes.")
@click.option("--all", "everything", is_flag=True, help="Those too that had nothing to do.")
@organization_option
@json_option
@click.pass_obj
def history(
    session: Session, cluster: str, last: int, everything: bool, organization: str | None, as_json: bool
) -> None:
    """List what a cluster's passes did, the latest first, and who gained and lost what."""
    from scim_bridge.cli.client import segment

    path = f"{session.of(organization)}/clusters/{segment(cluster)}/passes"
    found = list(islice(session.api.every(path, changed=not everything), last))
    say(as_json, found, "\n".join(_lines(found)) or "No passes.")


@sync.command()
@click.option("--seconds", type=float, help="End after so many seconds; by Ctrl-C if left out.")
@click.option("--every", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between two looks.")
@organization_option
@json_option
@click.pass_obj
def watch(session: Session, seconds: float | None, every: float, organization: str | None, as_json: bool) -> None:
    """Say live what becomes of the clusters: one line for each pass and each change of health."""
    from scim_bridge.sync import report

    owner = session.organization(organization)
    ends = None if seconds is None else clock.monotonic() + seconds
    known: dict[str, tuple[Any, ...]] = {}
    while True:
        for each in report.status(session.database, owner):
            sight = (each.health, each.last_attempt_at, each.open_removals, each.held, each.last_error)
            if known.get(each.cluster) != sight:
                known[each.cluster] = sight
                document = {
                    "cluster": each.cluster,
                    "health": each.health,
                    "at": each.last_attempt_at,
                    "behind": each.is_behind,
                    "open_removals": each.open_removals,
                    "held": each.held,
                    "conditions": [one.kind for one in each.conditions],
                    "last_error": each.last_error,
                }
                say(as_json, document, _sight(document))
        if ends is not None and clock.monotonic() >= ends:
            return
        clock.sleep(every)


def _sight(found: Document) -> str:
    at = found["at"].strftime("%H:%M:%S") if found["at"] else "never"
    parts = [f"{at}  {found['cluster']}  {found['health']}"]
    parts += ["behind"] if found["behind"] else []
    parts += [f"{found['open_removals']} removals open"] if found["open_removals"] else []
    parts += [f"{found['held']} held"] if found["held"] else []
    parts += found["conditions"]
    parts += [found["last_error"]] if found["last_error"] else []
    return "  ".join(parts)


def _lines(found: list[Document]) -> Iterator[str]:
    for each in found:
        kind = "removals" if each["kind"] == "revocation" else "pass"
        state = "frozen" if each["frozen"] and each["state"] == "degraded" else each["state"]
        yield f"{moment(each['started_at'])}  {kind}  {state}{_waiting(each)}"
        for sign, side in (("+", "gains"), ("-", "loses")):
            for family in each["changes"].get(side, ()):
                place = family["namespace"] or "the whole cluster"
                for subject in family["subjects"]:
                    yield f"  {sign} {called(family, subject)}: {family['role']} in {place}"
        if each["message"]:
            yield f"  {each['message']}"


def _waiting(each: Document) -> str:
    return f", {each['held']} held" if each["held"] else ""
