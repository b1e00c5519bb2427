"""`scim-bridge directory log` and `directory replay`: what an identity provider asked for, why it failed, once more."""

from typing import TYPE_CHECKING, Any

import click

from scim_bridge.cli.output import facts, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.provisioning_log import AuditRow, Explained, LogPage, Told

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
    from scim_bridge.identity import provisioning_log
    from scim_bridge.identity.provisioning_log import Wanted

    if unknown:
        if directory_name is not None:
            raise click.UsageError("With --unknown there is no directory: whose request it was is not known.")
        page = provisioning_log.list_unknown(session.database, Wanted(**wanted))
        say(as_json, _page_document(page), _page_text(page, ""))
        return
    if directory_name is None:
        raise click.UsageError("Name a directory, or ask for --unknown.")
    slug = session.organization(organization)
    if entry is not None:
        told = provisioning_log.show_entry(session.database, slug, directory_name, entry)
        say(as_json, _told_document(told), _told_text(told))
        return
    page = provisioning_log.list_entries(session.database, slug, directory_name, Wanted(**wanted))
    say(as_json, _page_document(page), _page_text(page, directory_name))


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
    from scim_bridge.app import replay as replay_entry
    from scim_bridge.log import configure_logging

    # What is refused on the way is part of the answer, and not of the log.
    configure_logging("error", session.settings.log_format)
    slug = session.organization(organization)
    done = replay_entry(session.runtime, session.actor, slug, directory_name, entry, real=real, over_newer=over_newer)
    document = {
        "entry": done.entry.id,
        "real": real,
        "request_id": done.request_id,
        "status": done.status,
        "answer": done.document,
        "changes": [_change_document(each) for each in done.changes],
        "later_changes": done.later_changes,
    }
    said = "It was answered" if real else "It would be answered"
    lines = [
        f"{done.entry.method} {done.entry.target}, refused with {done.entry.status} at {time(done.entry.at)}",
        f"{said} {done.status}{_detail(done.document)}",
        "",
        _changes_text(done.changes, "Nothing is changed by it."),
    ]
    if done.later_changes:
        lines.append(f"\nBeware: the same object was changed {done.later_changes} times since.")
    if not real and done.status < 400:
        lines.append("\nNothing has been written. --real does it.")
    say(as_json, document, "\n".join(lines))
    if done.status >= 400:
        raise SystemExit(1)


def _page_document(page: "LogPage") -> dict[str, Any]:
    return {"entries": [_document(each) for each in page.entries], "before": page.before}


def _document(explained: "Explained") -> dict[str, Any]:
    request, remedy = explained.request, explained.remedy
    return {
        "id": request.id,
        "at": request.at,
        "request_id": request.request_id,
        "method": request.method,
        "target": request.target,
        "status": request.status,
        "scim_type": request.scim_type,
        "message": request.message,
        "meaning": remedy.meaning if remedy else None,
        "fix": remedy.fix if remedy else None,
        "noun": request.noun,
        "object_id": request.object_id,
        "change_id": request.change_id,
        "milliseconds": request.milliseconds,
        "address": request.address,
        "user_agent": request.user_agent,
    }


def _told_document(told: "Told") -> dict[str, Any]:
    return {
        **_document(told.explained),
        "body": told.explained.request.body,
        "changes": [_change_document(each) for each in told.changes],
    }


def _change_document(row: "AuditRow") -> dict[str, Any]:
    import orjson

    return {
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "noun": row.noun,
        "object_id": row.object_id,
        "detail": orjson.loads(row.detail) if row.detail else None,
    }


def _page_text(page: "LogPage", directory: str) -> str:
    rows = [
        (
            time(each.request.at),
            each.request.status,
            each.request.method,
            _short(each.request.target.removeprefix("/scim/v2")),
            _short(each.request.message or ""),
            each.request.id,
        )
        for each in page.entries
    ]
    text = table(("at", "status", "method", "target", "message", "entry"), rows, "Nothing was asked.")
    if any(each.remedy for each in page.entries) and directory:
        text += f"\n\n`scim-bridge directory log {directory} ENTRY` says what a failure means and what to click."
    return f"{text}\n\nOlder ones: --before {page.before}" if page.before else text


def _told_text(told: "Told") -> str:
    request, remedy = told.explained.request, told.explained.remedy
    pairs = [
        ("entry", request.id),
        ("at", time(request.at)),
        ("request id", request.request_id),
        ("request", f"{request.method} {request.target}"),
        ("answer", " ".join(str(each) for each in (request.status, request.scim_type) if each)),
        ("message", request.message),
        ("object", " ".join(each for each in (request.noun, request.object_id) if each)),
        ("change", request.change_id),
        ("took", "" if request.milliseconds is None else f"{request.milliseconds} ms"),
        ("from", " ".join(each for each in (request.address, request.user_agent) if each)),
    ]
    parts = [facts(pairs)]
    if remedy is not None:
        parts.append(f"What it means: {remedy.meaning}\nWhat to do: {remedy.fix}")
    if request.body is not None:
        parts.append(f"Body (*** stands for what must not be kept):\n{request.body}")
    elif request.method in ("POST", "PUT", "PATCH"):
        parts.append("The body was not kept: it was not read, could not be read, or is larger than log_body_bytes.")
    parts.append(_changes_text(told.changes, "It changed nothing."))
    return "\n\n".join(parts)


def _changes_text(changes: "tuple[AuditRow, ...]", empty: str) -> str:
    rows = ((each.action, each.noun, each.object_id, each.actor, each.detail) for each in changes)
    return table(("action", "what", "id", "by", "detail"), rows, empty)


def _detail(document: dict[str, Any]) -> str:
    return f": {document['detail']}" if document.get("detail") else ""


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
