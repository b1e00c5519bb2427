"""What identity providers asked for and what came of it, and repeating what failed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import Field

from scim_bridge.api.directories import MANAGING, TAG
from scim_bridge.api.operations import Call, Fields, operation
from scim_bridge.identity import provisioning_log
from scim_bridge.identity.provisioning_log import AuditRow, Explained, Wanted
from scim_bridge.web import context
from scim_bridge.web.paging import Page

READING_LOGS = "organization:event_logs:read"


class LogAsked(Fields):
    """Which requests to show, newest first."""

    person: str | None = Field(default=None, max_length=1024, description="userName, address, externalId or id.")
    group: str | None = Field(default=None, max_length=1024, description="A name, externalId or id.")
    result: str | None = Field(default=None, max_length=6, description="ok, failed or a status.")
    since: str | None = Field(default=None, max_length=40, description="`2h` ago, or an ISO 8601 time.")
    until: str | None = Field(default=None, max_length=40)
    limit: int = Field(default=50, ge=1, le=1000, description="How many at most.")
    cursor: str | None = Field(
        default=None, max_length=36, description="The entry after which to go on, with older ones."
    )


class ReplayAsked(Fields):
    """How to repeat a request; without ``real`` nothing is written."""

    real: bool = False
    over_newer: bool = Field(default=False, description="Even if the same person or group was changed since.")


@dataclass(frozen=True, slots=True)
class LogItem:
    """One request of an identity provider; ``meaning`` and ``fix`` are there when it failed."""

    id: str
    at: datetime
    request_id: str
    method: str
    target: str
    status: int
    scim_type: str | None
    message: str | None
    meaning: str | None
    fix: str | None
    noun: str | None
    object_id: str | None
    change_id: str | None
    milliseconds: int | None
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """One thing that a request changed, as the audit has it."""

    at: datetime
    actor: str
    action: str
    noun: str
    object_id: str
    detail: Any


@dataclass(frozen=True, slots=True)
class LogDetail:
    """Everything about one request; ``body`` without passwords and tokens."""

    entry: LogItem
    body: str | None
    changes: tuple[ChangeItem, ...]


@dataclass(frozen=True, slots=True)
class ReplayDone:
    """What came of a request when it was repeated, or what would."""

    entry: LogItem
    real: bool
    request_id: str
    status: int
    answer: dict[str, Any]
    changes: tuple[ChangeItem, ...]
    later_changes: int


@operation(
    "GET", "/directories/<directory>/log", tag=TAG, permission=READING_LOGS, query=LogAsked, answers=Page[LogItem]
)
def list_log(call: Call, directory: str) -> Page[LogItem]:
    """List what an identity provider asked for, newest first, masked, with what a failure means."""
    asked = call.asked(LogAsked)
    wanted = Wanted(asked.person, asked.group, asked.result, asked.since, asked.until, asked.cursor, asked.limit)
    found = provisioning_log.list_entries(call.database, call.organization, directory, wanted)
    return Page([_item(each) for each in found.entries], found.before)


@operation("GET", "/directories/<directory>/log/<entry>", tag=TAG, permission=READING_LOGS, answers=LogDetail)
def show_log(call: Call, directory: str, entry: str) -> LogDetail:
    """Tell everything about one request; it is named by its id, or by the request id of its answer."""
    told = provisioning_log.show_entry(call.database, call.organization, directory, entry)
    return LogDetail(_item(told.explained), told.explained.request.body, tuple(map(_change, told.changes)))


@operation(
    "POST",
    "/directories/<directory>/log/<entry>/replay",
    tag=TAG,
    permission=MANAGING,
    body=ReplayAsked,
    answers=ReplayDone,
)
def replay_log(call: Call, directory: str, entry: str) -> ReplayDone:
    """Repeat a failed request in the directory's name, dry or really; 200 whatever the SCIM door answers to it."""
    asked = call.given(ReplayAsked)
    done = context.scim().replay(
        call.actor, call.organization, directory, entry, real=asked.real, over_newer=asked.over_newer
    )
    # What was repeated came under a name of its own.
    context.keep_name(call.request_id)
    return ReplayDone(
        _item(Explained(done.entry, None)),
        asked.real,
        done.request_id,
        done.status,
        done.document,
        tuple(map(_change, done.changes)),
        done.later_changes,
    )


def _item(explained: Explained) -> LogItem:
    request, remedy = explained.request, explained.remedy
    return LogItem(
        request.id,
        request.at,
        request.request_id,
        request.method,
        request.target,
        request.status,
        request.scim_type,
        request.message,
        remedy.meaning if remedy else None,
        remedy.fix if remedy else None,
        request.noun,
        request.object_id,
        request.change_id,
        request.milliseconds,
        request.address,
        request.user_agent,
    )


def _change(row: AuditRow) -> ChangeItem:
    detail = orjson.loads(row.detail) if row.detail else None
    return ChangeItem(row.at, row.actor, row.action, row.noun, row.object_id, detail)
