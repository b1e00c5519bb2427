"""`scim-bridge sync …`: what passes would do, do and did, and what waits for somebody's approval."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.output import facts, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.sync.report import ClusterStatus
    from scim_bridge.sync.single import CompletedPass, PassResult, PlannedCluster

CLUSTER_FAILED = 8
"""As an error of a cluster's own class has it."""
APPROVAL_WAITS = 10

cluster_option = click.option("--cluster", "-c", metavar="NAME", help="Only this cluster.")


@click.group()
def sync() -> None:
    """Plan, approve, run and watch the passes that keep clusters in step."""


@sync.command()
@cluster_option
@organization_option
@json_option
@click.pass_obj
def plan(session: Session, cluster: str | None, organization: str | None, as_json: bool) -> None:
    """Say exactly who would gain and lose what, and what would wait; nothing is written."""
    from scim_bridge.sync import single

    found = single.plan(session.workshop, session.organization(organization), cluster)
    say(as_json, found, "\n\n".join(_plan_text(each) for each in found) or "There is no cluster.")
    _end(any(each.problem for each in found))


@sync.command()
@click.option("--cluster", "-c", metavar="NAME", required=True, help="The cluster.")
@click.option("--plan", "plan_hash", metavar="HASH", required=True, help="The plan, as `sync plan` or `status` has it.")
@organization_option
@json_option
@click.pass_obj
def approve(session: Session, cluster: str, plan_hash: str, organization: str | None, as_json: bool) -> None:
    """Let exactly what a plan lists go; a first plan makes the cluster active."""
    from scim_bridge.sync import approvals, single

    named = session.organization(organization)
    if not approvals.waiting(session.database, named, cluster):
        # Nobody may have run a pass yet; that of an unapproved cluster writes nothing but the plan that waits.
        single.prepare_first_plan(session.workshop, named, cluster)
    seconds = session.settings.approval_seconds
    made = approvals.approve(session.database, session.actor, named, cluster, plan_hash, valid_seconds=seconds)
    text = f"Plan {made.hash[:12]} of {made.cluster} is approved until {time(made.expires_at)}: the next pass does it."
    say(as_json, made, text)


@sync.command()
@cluster_option
@organization_option
@json_option
@click.pass_context
def run(context: click.Context, cluster: str | None, organization: str | None, as_json: bool) -> None:
    """Run a pass now and say what it did."""
    from scim_bridge.sync import single

    session: Session = context.obj
    done = single.run(session.workshop, session.organization(organization), cluster)
    say(as_json, [_document(each) for each in done], _run_text(done))
    _end(any(each.is_failed for each in done), any(each.waits for each in done))


@sync.command()
@cluster_option
@click.option("--check", is_flag=True, help="End with 8 when a cluster fails, with 10 when something waits.")
@organization_option
@json_option
@click.pass_obj
def status(session: Session, cluster: str | None, check: bool, organization: str | None, as_json: bool) -> None:
    """Say how each cluster is doing and since when, what is held, and which removals are not confirmed."""
    from scim_bridge.sync import report

    found = report.status(session.database, session.organization(organization), cluster)
    text = _status_table(found) if cluster is None else _status_facts(found[0])
    say(as_json, found, "\n\n".join(part for part in (text, _conditions(found)) if part))
    if check:
        _end(any(each.is_failing for each in found), any(each.waits for each in found))


def _end(failed: bool, waits: bool = False) -> None:
    if failed or waits:
        raise SystemExit(CLUSTER_FAILED if failed else APPROVAL_WAITS)


def _plan_text(found: "PlannedCluster") -> str:
    lines = [f"{found.cluster} ({found.state})"]
    if found.problem:
        lines.append(f"  not wholly known: {found.problem}")
    for sign, name in (("+", "gains"), ("-", "loses")):
        lines += _access(sign, found.document.get(name, ()))
    waiting = found.document.get("held", ())
    if waiting:
        lines += ["  waits, because nobody asked for it by name:", *_access("-", waiting)]
    if not found.problem and not any(found.document.values()):
        lines.append("  nothing to do")
    lines += [f"  note: {each.message}" for each in found.conditions]
    if found.hash:
        lines.append(f"  plan {found.hash}")
    if found.approve:
        lines.append(f"  approve what waits: scim-bridge sync approve --cluster {found.cluster} --plan {found.approve}")
    return "\n".join(lines)


def _access(sign: str, families: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {sign} {subject}: {each['role']} in {each['namespace'] or 'the whole cluster'}"
        for each in families
        for subject in each["subjects"]
    ]


def _document(done: "CompletedPass") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(done), "waits": done.waits}


def _run_text(done: "list[CompletedPass]") -> str:
    headings = ("cluster", "result", "created", "updated", "deleted", "gained", "lost", "held", "failed")
    rows = [
        (each.cluster, "waits for its approval" if each.result.waits else each.state, *_numbers(each.result))
        for each in done
    ]
    lines = [table(headings, rows, "There is no cluster.")]
    lines += [f"{each.cluster}: {each.problem}" for each in done if each.problem]
    lines += [f"{each.cluster}: {name}: {reason}" for each in done for name, reason in each.result.failed]
    lines += [f"{each.cluster}: {condition.message}" for each in done for condition in each.conditions]
    return "\n".join(lines)


def _numbers(result: "PassResult") -> tuple[int, ...]:
    objects = (result.created, result.updated, result.deleted)
    return (*objects, result.subjects_added, result.subjects_removed, result.held, len(result.failed))


def _status_table(found: "list[ClusterStatus]") -> str:
    headings = ("cluster", "state", "health", "behind", "last success", "held", "plan", "open removals", "since")
    rows = [
        (
            each.cluster,
            each.state,
            each.health,
            "yes" if each.is_behind else "no",
            time(each.last_success_at),
            each.held,
            (each.plan_hash or "")[:12],
            each.open_removals,
            time(each.removals_since),
        )
        for each in found
    ]
    return table(headings, rows, "There is no cluster.")


def _status_facts(each: "ClusterStatus") -> str:
    pairs: list[tuple[str, object]] = [
        ("cluster", each.cluster),
        ("state", each.state),
        ("health", each.health),
        ("behind", "yes" if each.is_behind else "no"),
        ("last success", time(each.last_success_at)),
        ("last attempt", time(each.last_attempt_at)),
        ("failures in a row", each.failures),
        ("last error", each.last_error),
        ("next try", time(each.retry_at or each.next_pass_at)),
        ("held removals", each.held),
        ("plan that waits", each.plan_hash),
        ("open removals", each.open_removals),
        ("oldest of them", time(each.removals_since)),
        ("their last error", each.removals_error),
    ]
    return facts(pairs)


def _conditions(found: "list[ClusterStatus]") -> str:
    rows = [
        (each.cluster, one.kind, one.about, time(one.since), one.message) for each in found for one in each.conditions
    ]
    return table(("cluster", "condition", "about", "since", "what it means"), rows, "")
