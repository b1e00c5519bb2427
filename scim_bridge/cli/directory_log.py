"""`scim-bridge directory log` and `directory replay`: what an identity provider asked for, why it failed, once more."""

import json
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

WIDEST = 72


@click.command()
@click.argument("directory_name", metavar="[NAME]", required=False)
@click.argument("entry", required=False)
@click.option("--person", help="About whom: a userName, e-mail address, externalId, SCIM id or member id.")
@click.option("--group", help="About which group: a name, externalId or id.")
@click.option("--result", metavar="ok|failed|STATUS", help="How it ended.")
@click.option("--since", metavar="TIME", help="From when on: 30m, 2h or 7d ago, or an ISO 8601 time.")
@click.option("--until", metavar="TIME", help="Until when, said in the same ways.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="So many at once.")
@click.option("--before", metavar="ENTRY", help="Go on after this entry, with older ones.")
@click.option("--unknown", is_flag=True, help="Show requests with a credential that nobody gave out.")
@organization_option
@json_option
@click.pass_obj
def log(
    session: Session,
    /,
    directory_name: str | None,
    entry: str | None,
    organization: str | None,
    as_json: bool,
    unknown: bool,
    **wanted: Any,
) -> None:
    """
    Show what an identity provider asked for, newest first; or all about one ENTRY.

    ENTRY is an entry's id, or the request id that an answer named in X-Request-Id.
    """
    if unknown:
        if directory_name is not None:
            raise click.UsageError("With --unknown there is no directory: whose request it was is not known.")
        page = _unknown(session, wanted)
        say(as_json, page, _page_text(page, ""))
        return
    if directory_name is None:
        raise click.UsageError("Name a directory, or ask for --unknown.")
    path = _path(session, organization, directory_name)
    if entry is not None:
        told = session.api.get(f"{path}/{segment(entry)}")
        flat = {**told["entry"], "body": told["body"], "changes": told["changes"]}
        say(as_json, flat, _told_text(flat))
        return
    before = wanted.pop("before")
    found = session.api.get(path, **wanted, cursor=before)
    page = {"entries": found["items"], "before": found["next_cursor"]}
    say(as_json, page, _page_text(page, directory_name))


@click.command()
@click.argument("directory_name", metavar="NAME")
@click.argument("entry")
@click.option("--real", is_flag=True, help="Do it; without this it is only shown what would come of it.")
@click.option("--over-newer", is_flag=True, help="Even if the same person or group was changed since.")
@organization_option
@json_option
@click.pass_obj
def replay(
    session: Session,
    directory_name: str,
    entry: str,
    real: bool,
    over_newer: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Repeat a failed request in its directory's name: dry, then with --real. Exit code 1: it fails again."""
    from scim_bridge.log import configure_logging

    if session.url is None:
        # What is refused on the way is part of the answer, and not of the log.
        configure_logging("error", session.settings.log_format)
    path = f"{_path(session, organization, directory_name)}/{segment(entry)}/replay"
    done = session.api.post(path, {"real": real, "over_newer": over_newer})
    refused = done["entry"]
    said = "It was answered" if real else "It would be answered"
    detail = f": {done['answer']['detail']}" if done["answer"].get("detail") else ""
    lines = [
        f"{refused['method']} {refused['target']}, refused with {refused['status']} at {moment(refused['at'])}",
        f"{said} {done['status']}{detail}",
        "",
        _changes_text(done["changes"], "Nothing is changed by it."),
    ]
    if done["later_changes"]:
        lines.append(f"\nBeware: the same object was changed {done['later_changes']} times since.")
    if not real and done["status"] < 400:
        lines.append("\nNothing has been written. --real does it.")
    say(as_json, {**done, "entry": refused["id"]}, "\n".join(lines))
    if done["status"] >= 400:
        raise SystemExit(1)


def _path(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/directories/{segment(name)}/log"


def _unknown(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return requests that belong to no organization: whoever sits at the installation's terminal sees them alone."""
    from scim_bridge.identity import provisioning_log
    from scim_bridge.identity.provisioning_log import Wanted

    page = provisioning_log.list_unknown(session.database, Wanted(**wanted))
    names = ("id", "request_id", "method", "target", "status", "scim_type", "message", "noun", "object_id", "change_id")
    entries = [
        {
            **{name: getattr(each.request, name) for name in (*names, "milliseconds", "address", "user_agent")},
            "at": each.request.at.isoformat(),
            "meaning": each.remedy.meaning if each.remedy else None,
            "fix": each.remedy.fix if each.remedy else None,
        }
        for each in page.entries
    ]
    return {"entries": entries, "before": page.before}


def _page_text(page: dict[str, Any], directory: str) -> str:
    rows = [
        (
            moment(each["at"]),
            each["status"],
            each["method"],
            _short(each["target"].removeprefix("/scim/v2")),
            _short(each["message"] or ""),
            each["id"],
        )
        for each in page["entries"]
    ]
    text = table(("at", "status", "method", "target", "message", "entry"), rows, "Nothing was asked.")
    if any(each["meaning"] for each in page["entries"]) and directory:
        text += f"\n\n`scim-bridge directory log {directory} ENTRY` says what a failure means and what to click."
    return f"{text}\n\nOlder ones: --before {page['before']}" if page["before"] else text


def _told_text(told: dict[str, Any]) -> str:
    pairs = [
        ("entry", told["id"]),
        ("at", moment(told["at"])),
        ("request id", told["request_id"]),
        ("request", f"{told['method']} {told['target']}"),
        ("answer", " ".join(str(each) for each in (told["status"], told["scim_type"]) if each)),
        ("message", told["message"]),
        ("object", " ".join(each for each in (told["noun"], told["object_id"]) if each)),
        ("change", told["change_id"]),
        ("took", "" if told["milliseconds"] is None else f"{told['milliseconds']} ms"),
        ("from", " ".join(each for each in (told["address"], told["user_agent"]) if each)),
    ]
    parts = [facts(pairs)]
    if told["meaning"] is not None:
        parts.append(f"What it means: {told['meaning']}\nWhat to do: {told['fix']}")
    if told["body"] is not None:
        parts.append(f"Body (*** stands for what must not be kept):\n{told['body']}")
    elif told["method"] in ("POST", "PUT", "PATCH"):
        parts.append("The body was not kept: it was not read, could not be read, or is larger than log_body_bytes.")
    parts.append(_changes_text(told["changes"], "It changed nothing."))
    return "\n\n".join(parts)


def _changes_text(changes: list[dict[str, Any]], empty: str) -> str:
    rows = (
        (
            each["action"],
            each["noun"],
            each["object_id"],
            each["actor"],
            None if each["detail"] is None else json.dumps(each["detail"], ensure_ascii=False, sort_keys=True),
        )
        for each in changes
    )
    return table(("action", "what", "id", "by", "detail"), rows, empty)


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
