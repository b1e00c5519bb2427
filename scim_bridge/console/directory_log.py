"""What an identity provider asked for, what became of it, and repeating what failed."""

import orjson
from flask import Response

from scim_bridge.console.directories import MANAGING
from scim_bridge.console.pages import page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import provisioning_log
from scim_bridge.identity.provisioning_log import Wanted
from scim_bridge.web import context

READING_LOGS = "organization:event_logs:read"
A_PAGE = 50
RESULTS = [("ok", "worked"), ("failed", "failed")]


@screen("GET", "/directories/<directory>/log", title="Provisioning log", permission=READING_LOGS)
def list_(visit: Visit, directory: str) -> Response:
    """List what an identity provider asked for, newest first, masked, with what a failure means."""
    asked = {name: visit.asked(name) for name in ("person", "group", "result", "since", "until")}
    wanted = Wanted(**asked, before=visit.asked("cursor"), limit=A_PAGE)
    found = provisioning_log.list_entries(visit.database, visit.organization, directory, wanted)
    return page(
        visit, "directory_log", found=found, directory=directory, results=RESULTS, places=_places(visit, directory)
    )


@screen("GET", "/directories/<directory>/log/<entry>", title="A request", permission=READING_LOGS)
def show(visit: Visit, directory: str, entry: str) -> Response:
    """Tell everything about one request."""
    told = provisioning_log.show_entry(visit.database, visit.organization, directory, entry)
    request = told.explained.request
    return page(
        visit,
        "directory_request",
        title=f"{request.method} {request.target}",
        told=told,
        request=request,
        directory=directory,
        body=_indented(request.body),
        places=[*_places(visit, directory), ("Provisioning log", url("directory_log.list", directory=directory))],
    )


@screen("POST", "/directories/<directory>/log/<entry>/replay", title="Repeat a request", permission=MANAGING)
def replay(visit: Visit, directory: str, entry: str) -> Response:
    """Repeat a failed request in the directory's name: dry, or really."""
    real = visit.given("real") == "1"
    made = context.scim().replay(
        visit.actor, visit.organization, directory, entry, real=real, over_newer=visit.given("over_newer") == "1"
    )
    # What was repeated came under a name of its own.
    context.keep_name(visit.request_id)
    back = url("directory_log.show", directory=directory, entry=made.entry.id)
    return page(
        visit,
        "directory_replay",
        title="What came of it" if real else "What would come of it",
        made=made,
        real=real,
        directory=directory,
        answer=orjson.dumps(made.document, option=orjson.OPT_INDENT_2).decode() if made.document else "",
        back=back,
        again=url("directory_log.replay", directory=directory, entry=made.entry.id),
        places=[*_places(visit, directory), (f"{made.entry.method} {made.entry.target}", back)],
    )


def _places(visit: Visit, directory: str) -> list[tuple[str, str]]:
    return [("Directories", url("directories.list")), (directory, url("directories.show", directory=directory))]


def _indented(body: str | None) -> str:
    try:
        return orjson.dumps(orjson.loads(body or ""), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body or ""
