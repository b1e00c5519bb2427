"""The audit: who did what, when, from where; handed out, and held against what was written."""

from flask import Response

from scim_bridge.console.pages import page
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import audit
from scim_bridge.identity.audit import Wanted
from scim_bridge.web.paging import read_cursor, write_cursor

A_PAGE = 50
KINDS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
FIELDS = ("since", "until", "actor", "action", "object", "request")


@screen("GET", "/audit", title="Audit", permission=audit.SEEING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List audit entries, the newest first."""
    before = read_cursor(visit.asked("cursor"), 2)
    position = None if before is None else (before[0], before[1])
    found = audit.list_entries(*visit.whose, _wanted(visit), A_PAGE, position)
    return page(
        visit,
        "audit",
        entries=found.entries,
        next_cursor=None if found.before is None else write_cursor(found.before),
        chosen={name: visit.asked(name) for name in FIELDS},
    )


@screen("GET", "/audit/export", title="Audit as a file", permission=audit.SEEING, is_file=True)
def export(visit: Visit) -> Response:
    """Hand out every entry that matches, the oldest first."""
    kind = visit.asked("format") or "jsonl"
    lines = audit.export(*visit.whose, _wanted(visit), kind)
    answer = Response(lines, content_type=KINDS[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    return answer


@screen("GET", "/audit/verification", title="Is the audit what was written?", permission=audit.SEEING)
def verify(visit: Visit) -> Response:
    """Walk the whole chain and name the first entry that is not what was written."""
    verdict = audit.verify(
        visit.database, visit.runtime.keyring, visit.actor, visit.organization, visit.asked("expected")
    )
    return page(visit, "audit_verdict", verdict=verdict)


def _wanted(visit: Visit) -> Wanted:
    return Wanted(*map(visit.asked, FIELDS))
