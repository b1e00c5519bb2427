"""`scim-bridge sync …`: what passes would do, do and did, and what waits for somebody's approval."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid, NotFound, Refused

Document = Mapping[str, Any]

CLUSTER_FAILED = 8
"""As an error of a cluster's own class has it."""
APPROVAL_WAITS = 10

cluster_option = click.option("--cluster", "-c", metavar="NAME", help="Only this cluster.")


@click.group()
def sync() -> None:
    """Plan, approve, run and watch the passes that keep clusters in step."""


@sync.command()
@cluster_option
@click.option("--server-dry-run", is_flag=True, help="Have the cluster itself check each planned write.")
@organization_option
@json_option
@click.pass_obj
def plan(session: Session, cluster: str | None, server_dry_run: bool, organization: str | None, as_json: bool) -> None:
    """Say exactly who would gain and lose what, and what would wait; nothing is written."""
    query = {"server_dry_run": "true"} if server_dry_run else {}
    found = _of_each(session, organization, cluster, "plan", **query)
    say(as_json, found, "\n\n".join(_plan_text(each) for each in found) or "There is no cluster.")
    _end(any(each["problem"] or _unaccepted(each) for each in found))


@sync.command()
@click.argument("name", metavar="[CLUSTER]", required=False)
@cluster_option
@click.option("--plan", "plan_hash", metavar="HASH", help="The plan that you have read, as `sync plan` has it.")
@click.option("--yes", is_flag=True, help="Approve what waits now, whatever it is, without asking.")
@organization_option
@json_option
@click.pass_obj
def approve(
    session: Session,
    name: str | None,
    cluster: str | None,
    plan_hash: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Let exactly what a plan lists go; a first plan makes the cluster active."""
    of = session.of(organization)
    waiting = _waiting(session, of, cluster or name, plan_hash)
    hash_ = plan_hash or _agreed(waiting, yes=yes)
    made = session.api.post(f"{of}/clusters/{segment(waiting['cluster'])}/approve", {"plan": hash_})
    until = moment(made["expires_at"])
    say(
        as_json,
        made,
        f"Plan {made['hash'][:12]} of {made['cluster']} is approved until {until}: the next pass does it.",
    )


def _waiting(session: Session, of: str, cluster: str | None, plan_hash: str | None) -> Document:
    """Return the one plan that is meant; raises Invalid where that is unclear, NotFound where none waits."""
    found: list[Document]
    if cluster is not None:
        found = list(session.api.every(f"{of}/clusters/{segment(cluster)}/waiting"))
        # Nobody may have run a pass yet; that of an unapproved cluster writes nothing but the plan that waits.
        found = found or session.api.post(f"{of}/clusters/{segment(cluster)}/first-plan")
    else:
        names = [each["name"] for each in session.api.every(f"{of}/clusters")]
        found = [plan for each in names for plan in session.api.every(f"{of}/clusters/{segment(each)}/waiting")]
    if cluster is None and plan_hash is not None:
        found = [each for each in found if each["hash"].startswith(plan_hash)] or found
    if not found:
        raise NotFound(f"No plan waits{f' on {cluster}' if cluster else ''}.")
    if len(found) > 1:
        raise Invalid(f"Say which cluster: plans wait on {joined(each['cluster'] for each in found)}.", field="cluster")
    return found[0]


def _agreed(plan: Document, *, yes: bool) -> str:
    """Return the hash of a plan that a person was shown and agreed to; raises Refused where nobody can be asked."""
    hash_ = str(plan["hash"])
    if yes:
        return hash_
    if not sys.stdin.isatty():
        raise Refused(f"Nothing is approved: say --plan {hash_[:12]} once you have read it, or --yes.")
    lines = [f"{plan['cluster']} (waits: {plan['reason']})", *_access("+", plan["gains"]), *_access("-", plan["loses"])]
    click.echo("\n".join(lines), err=True)
    if not click.confirm("Approve exactly this?", default=False, err=True):
        raise Refused("Nothing is approved.")
    return hash_


@sync.command()
@cluster_option
@organization_option
@json_option
@click.pass_obj
def run(session: Session, cluster: str | None, organization: str | None, as_json: bool) -> None:
    """Run a pass now and say what it did."""
    done = session.api.post(f"{session.of(organization)}/passes", {"cluster": cluster})
    say(as_json, done, _run_text(done))
    failed = any(each["problem"] is not None or each["result"]["failed"] for each in done)
    _end(failed, any(each["waits"] for each in done))


@sync.command()
@cluster_option
@click.option("--check", is_flag=True, help="End with 8 when a cluster fails, with 10 when something waits.")
@organization_option
@json_option
@click.pass_obj
def status(session: Session, cluster: str | None, check: bool, organization: str | None, as_json: bool) -> None:
    """Say how each cluster is doing and since when, what is held, and which removals are not confirmed."""
    found = _of_each(session, organization, cluster, "status")
    text = _status_table(found) if cluster is None else _status_facts(found[0])
    say(as_json, found, "\n\n".join(part for part in (text, _conditions(found)) if part))
    if check:
        waits = (each["plan_hash"] is not None or each["state"] == "unapproved" for each in found)
        _end(any(each["health"] == "failing" for each in found), any(waits))


def _of_each(
    session: Session, organization: str | None, cluster: str | None, what: str, **query: str
) -> list[Document]:
    """Return what one cluster, or each, answers."""
    of = session.of(organization)
    names = [cluster] if cluster is not None else [each["name"] for each in session.api.every(f"{of}/clusters")]
    return [session.api.get(f"{of}/clusters/{segment(each)}/{what}", **query) for each in names]


def _end(failed: bool, waits: bool = False) -> None:
    if failed or waits:
        raise SystemExit(CLUSTER_FAILED if failed else APPROVAL_WAITS)


def _plan_text(found: Document) -> str:
    lines = [f"{found['cluster']} ({found['state']})"]
    if found["problem"]:
        lines.append(f"  not wholly known: {found['problem']}")
    for sign, name in (("+", "gains"), ("-", "loses")):
        lines += _access(sign, found["document"].get(name, ()))
    waiting = found["document"].get("held", ())
    if waiting:
        lines += ["  waits, because nobody asked for it by name:", *_access("-", waiting)]
    if not found["problem"] and not any(found["document"].values()):
        lines.append("  nothing to do")
    lines += [f"  note: {each['message']}" for each in found["conditions"]]
    lines += _rehearsal_lines(found)
    if found["hash"]:
        lines.append(f"  plan {found['hash']}")
    if found["approve"]:
        lines.append(
            f"  approve what waits: scim-bridge sync approve --cluster {found['cluster']} --plan {found['approve']}"
        )
    return "\n".join(lines)


def _rehearsal_lines(found: Document) -> list[str]:
    """Say what the cluster itself answered, where it was asked."""
    if found["answers"] is None:
        return []
    told = _unaccepted(found)
    taken = len(found["answers"]) - len(told)
    lines = [f"  dry run on the cluster: it would take {taken} of {len(found['answers'])} writes"]
    for each in told:
        verb = "unknown" if each["accepted"] is None else "REFUSED"
        lines.append(f"  {verb}: {each['action']} {each['role']} in {_place(each)}: {each['problem']}")
    return lines


def _unaccepted(found: Document) -> list[Document]:
    return [each for each in found["answers"] or () if not each["accepted"]]


def _place(each: Document) -> str:
    return each["namespace"] or "the whole cluster"


def _access(sign: str, families: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {sign} {subject}: {each['role']} in {each['namespace'] or 'the whole cluster'}"
        for each in families
        for subject in each["subjects"]
    ]


def _run_text(done: list[Document]) -> str:
    headings = ("cluster", "result", "created", "updated", "deleted", "gained", "lost", "held", "failed")
    rows = [(each["cluster"], _outcome(each), *_numbers(each["result"])) for each in done]
    lines = [table(headings, rows, "There is no cluster.")]
    lines += [f"{each['cluster']}: {each['problem']}" for each in done if each["problem"]]
    lines += [f"{each['cluster']}: {name}: {reason}" for each in done for name, reason in each["result"]["failed"]]
    lines += [f"{each['cluster']}: {condition['message']}" for each in done for condition in each["conditions"]]
    return "\n".join(lines)


def _outcome(done: Document) -> str:
    if done["result"]["waits"]:
        return "waits for its approval"
    return "frozen" if done["result"]["frozen"] and done["state"] != "failed" else str(done["state"])


def _numbers(result: Document) -> tuple[int, ...]:
    objects = (result["created"], result["updated"], result["deleted"])
    return (*objects, result["subjects_added"], result["subjects_removed"], result["held"], len(result["failed"]))


def _status_table(found: list[Document]) -> str:
    headings = ("cluster", "state", "health", "behind", "last success", "held", "plan", "open removals", "since")
    rows = [
        (
            each["cluster"],
            each["state"],
            each["health"],
            "yes" if each["is_behind"] else "no",
            moment(each["last_success_at"]),
            each["held"],
            (each["plan_hash"] or "")[:12],
            each["open_removals"],
            moment(each["removals_since"]),
        )
        for each in found
    ]
    return table(headings, rows, "There is no cluster.")


def _status_facts(each: Document) -> str:
    pairs: list[tuple[str, object]] = [
        ("cluster", each["cluster"]),
        ("state", each["state"]),
        ("health", each["health"]),
        ("behind", "yes" if each["is_behind"] else "no"),
        ("last success", moment(each["last_success_at"])),
        ("last attempt", moment(each["last_attempt_at"])),
        ("failures in a row", each["failures"]),
        ("last error", each["last_error"]),
        ("next try", moment(each["retry_at"] or each["next_pass_at"])),
        ("held removals", each["held"]),
        ("plan that waits", each["plan_hash"]),
        ("open removals", each["open_removals"]),
        ("oldest of them", moment(each["removals_since"])),
        ("their last error", each["removals_error"]),
    ]
    return facts(pairs)


def _conditions(found: list[Document]) -> str:
    rows = [
        (each["cluster"], one["kind"], one["about"], moment(one["since"]), one["message"])
        for each in found
        for one in each["conditions"]
    ]
    return table(("cluster", "condition", "about", "since", "what it means"), rows, "")
