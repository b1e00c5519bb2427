"""`scim-bridge access revocation …`: what became of the access of people who left."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from scim_bridge.cli.access import access as access
from scim_bridge.cli.output import facts, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Document = Mapping[str, Any]

VERDICTS = {
    "gone": "the cluster itself says no",
    "still": "THE CLUSTER STILL SAYS YES",
    "pending": "the cluster has not been asked yet",
    "unknown": "the cluster could not be asked",
}
days_option = click.option("--days", type=float, default=30.0, show_default=True, help="How many days back.")


@access.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def revocation(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Report what became of PERSON's access: bindings, tokens, times, and the clusters' own answers."""
    from scim_bridge.cli.client import segment

    found = session.api.get(f"{session.of(organization)}/revocations/people/{segment(person)}")
    say(as_json, found, "\n".join(_report(found)))


@access.command()
@days_option
@organization_option
@json_option
@click.pass_obj
def leavers(session: Session, days: float, organization: str | None, as_json: bool) -> None:
    """List who left, and how long it took until every cluster had confirmed it."""
    found = list(session.api.every(f"{session.of(organization)}/revocations", days=days))
    rows = (
        (
            each["person"],
            each["state"],
            each["cause"],
            each["by"],
            moment(each["requested_at"]),
            f"{each['seconds']:.1f}" if each["closed_at"] else "open",
            "late" if each["is_late"] else "",
        )
        for each in found
    )
    headings = ("person", "state", "cause", "by", "asked at", "seconds", "")
    say(as_json, found, table(headings, rows, "Nobody left."))


@access.command()
@days_option
@organization_option
@json_option
@click.pass_obj
def objective(session: Session, days: float, organization: str | None, as_json: bool) -> None:
    """Say how asked-for removals did against the objective, as a histogram."""
    found = session.api.get(f"{session.of(organization)}/revocations/objective", days=days)
    head = facts(
        [
            ("objective", f"{found['objective_seconds']:g} s"),
            ("removals", found["count"]),
            ("late", found["late"]),
            ("not confirmed", found["open"]),
            ("slowest", f"{found['slowest_seconds']:.1f} s"),
        ]
    )
    rows = [
        (_bound(each["seconds"]), each["count"], _bar(each["count"], found["count"])) for each in found["histogram"]
    ]
    say(as_json, found, f"{head}\n\n{table(('seconds', 'removals', ''), rows)}")


def _bound(seconds: int | None) -> str:
    return "more" if seconds is None else f"to {seconds}"


def _bar(count: int, total: int) -> str:
    return "#" * round(40 * count / total) if total else ""


def _report(found: Document) -> Iterator[str]:
    yield f"REVOCATION REPORT, {found['organization']}, {moment(found['made_at'])} UTC"
    yield ""
    over = "is over" if found["is_over"] else "IS NOT SHOWN TO BE OVER"
    yield f"The access of {found['person']} ({found['state']}, {found['member_id']}) {over}."
    if found["unproven"]:
        yield f"Not proven by the clusters themselves: {', '.join(found['unproven'])}."
    yield f"The objective is {found['objective_seconds']:g} s from the request to the cluster's confirmation."
    for each in found["revocations"]:
        yield ""
        yield from _revocation(each)
    yield ""
    yield from _tokens(found["tokens"])
    yield from _sessions(found["sessions"])
    yield ""
    yield "Bindings on record now: " + ("none." if not found["bound"] else "")
    for each in found["bound"]:
        yield f"  {each['cluster']}: {each['name']} {_place(each['namespace'])} as {each['subject']}"
    yield ""
    yield "What this report cannot see:"
    for each in found["cannot_see"]:
        yield f"  - {each}"


def _revocation(each: Document) -> Iterator[str]:
    extent = "everything" if each["everything"] else "a part"
    yield f"{moment(each['requested_at'])}  {each['cause']} ({extent}), asked by {each['by']}"
    if each["closed_at"]:
        yield f"{moment(each['closed_at'])}  closed as {each['outcome']}, after {each['seconds']:.1f} s"
    else:
        yield "  not confirmed everywhere yet"
    for one in each["clusters"]:
        yield from _on_cluster(one)


def _on_cluster(one: Document) -> Iterator[str]:
    when = f"confirmed {moment(one['confirmed_at'])}, {one['seconds']:.1f} s" if one["confirmed_at"] else one["state"]
    late = ", LATE" if one["is_late"] else ""
    error = f", last error: {one['last_error']}" if one["last_error"] else ""
    yield f"  {one['cluster']}: {when}{late}, {one['attempts']} failed attempts{error}"
    if one["verdict"]:
        yield f"    {VERDICTS[one['verdict']]}{_at(one['proven_at'])}"
    if one["lingers"]:
        # Nothing is left that the bridge could do: the API server believes the token until it ends.
        yield f"    until token expiry: tokens carry {', '.join(one['lingers'])} till {moment(one['lingers_until'])}"
    proof = one["proof"]
    if proof is None:
        return
    asked = proof["questions"]
    if asked:
        names = ", ".join(proof["subjects"])
        yield f"    {len(asked)} questions as {names} in {', '.join(proof['groups'])}"
    for each in asked:
        if each["allowed"]:
            ours = " (a binding of the bridge's)" if each["ours"] else ""
            yield f"    may {each['question']} {_place(each['namespace'])}: {each['by']}{ours}"


def _tokens(found: list[Document]) -> Iterator[str]:
    yield "Tokens of the REST API: " + ("none." if not found else "")
    for each in found:
        yield f"  {each['prefix']}… {each['name']}: {_ended(each)}"


def _sessions(found: list[Document]) -> Iterator[str]:
    yield "Sessions: " + ("none." if not found else "")
    for each in found:
        yield f"  by {each['method']} since {moment(each['began_at'])}: {_ended(each)}"


def _ended(each: Document) -> str:
    if each["ended_at"]:
        return f"ended {moment(each['ended_at'])}"
    return "opens other organizations of the account; here it opens nothing" if each["opens_others"] else "NOT ENDED"


def _at(text: str | None) -> str:
    return f" ({moment(text)})" if text else ""


def _place(namespace: str | None) -> str:
    return f"in {namespace}" if namespace else "in the whole cluster"
