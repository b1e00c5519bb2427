"""The audit: look things up, hand it out, and say whether it is what was written."""

from flask import Response
from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.identity import audit
from scim_bridge.identity.audit import AuditEntry, Verdict, Wanted
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "audit"
TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
WHEN = "`2h` or `7d` for so long ago, or an ISO 8601 time."


class Selection(Fields):
    """Which entries are wanted."""

    since: str | None = Field(default=None, max_length=40, description=WHEN)
    until: str | None = Field(default=None, max_length=40, description=WHEN)
    actor: str | None = Field(default=None, max_length=320, description="A name, an id or a kind, such as directory.")
    action: str | None = Field(default=None, max_length=63, description="Such as group.changed, or group.*.")
    object: str | None = Field(default=None, max_length=1100, description="An id, or person:, group: or cluster: NAME.")
    request: str | None = Field(default=None, max_length=64, description="A request id.")

    @property
    def wanted(self) -> Wanted:
        """Return what the use case takes."""
        return Wanted(self.since, self.until, self.actor, self.action, self.object, self.request)


class AuditQuery(Selection, Paged):
    """A page of entries."""


class AuditExport(Selection):
    """All entries that match."""

    format: str = Field(default="jsonl", max_length=16, description="jsonl or csv.")


class AuditVerification(Fields):
    """What an earlier verification printed."""

    expected: str | None = Field(default=None, max_length=100, description="SEQUENCE:HASH.")


@operation("GET", "/audit", tag=TAG, permission=audit.SEEING, query=AuditQuery, answers=Page[AuditEntry])
def list_(call: Call) -> Page[AuditEntry]:
    """List audit entries, the newest first."""
    return _page(call)


@operation(
    "GET",
    "/clusters/<cluster>/audit",
    tag=TAG,
    permission=audit.SEEING_CLUSTER,
    entrance=Entrance.SOMEWHERE,
    query=AuditQuery,
    answers=Page[AuditEntry],
)
def list_of_cluster(call: Call, cluster: str) -> Page[AuditEntry]:
    """List what was done with a cluster and written to it, the newest first."""
    return _page(call, cluster)


@operation(
    "GET",
    "/audit/export",
    tag=TAG,
    permission=audit.SEEING,
    query=AuditExport,
    answers=str,
    contents=tuple(TYPES.values()),
)
def export(call: Call) -> Response:
    """Hand out every entry that matches, the oldest first, as JSON Lines or CSV."""
    asked = call.asked(AuditExport)
    lines = audit.export(call.database, call.actor, call.organization, asked.wanted, asked.format)
    return Response(lines, content_type=TYPES[asked.format])


@operation("GET", "/audit/verification", tag=TAG, permission=audit.SEEING, query=AuditVerification, answers=Verdict)
def verify(call: Call) -> Verdict:
    """Walk the whole chain and name the first entry that is not what was written."""
    expected = call.asked(AuditVerification).expected
    return audit.verify(call.database, call.runtime.keyring, call.actor, call.organization, expected)


def _page(call: Call, cluster: str | None = None) -> Page[AuditEntry]:
    asked = call.asked(AuditQuery)
    before = read_cursor(asked.cursor, 2)
    found = audit.list_entries(call.database, call.actor, call.organization, asked.wanted, asked.limit, before, cluster)
    return Page(found.entries, None if found.before is None else write_cursor(found.before))
