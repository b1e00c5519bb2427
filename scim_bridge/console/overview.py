"""The first page of an organization: is everything fresh, does anything wait, and what happened today."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response

from scim_bridge.console import charts
from scim_bridge.console.charts import BarChart
from scim_bridge.console.pages import page
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.conditions import Health
from scim_bridge.domain.directory_alarms import DirectoryCondition
from scim_bridge.domain.objective import Bucket, Performance
from scim_bridge.identity import audit, directories, holds, organizations, revocations
from scim_bridge.identity.audit import AuditEntry, Wanted
from scim_bridge.identity.directories import Directory
from scim_bridge.sync import report
from scim_bridge.sync.report import ClusterStatus

DAYS = 30
TODAY = "24h"
MOST_EVENTS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A directory, when it last asked for something, and what a person should know about it."""

    directory: Directory
    last_request: datetime | None
    users: int
    groups: int
    conditions: tuple[DirectoryCondition, ...]


@screen("GET", "", title="Overview", in_menu=True)
def show(visit: Visit) -> Response:
    """Show what each visitor may know; nobody needs a permission to see the page."""
    measured = revocations.measured(visit.runtime, visit.organization, DAYS) if visit.may(audit.SEEING) else None
    clusters = report.status(visit.database, visit.organization) if visit.may("clusters:read") else None
    return page(
        visit,
        "overview",
        counts=organizations.show(visit.database, visit.organization).counts if visit.may("org:read") else None,
        sources=_sources(visit) if visit.may("organization:directories:read") else None,
        held=holds.list_held(visit.database, visit.organization) if visit.may("members:read") else (),
        clusters=clusters,
        troubled=[each for each in clusters or () if _is_troubled(each)],
        is_well=bool(clusters) and all(each.health == Health.OK and not each.is_behind for each in clusters or ()),
        measured=measured,
        chart=None if measured is None or not measured.count else chart_of(measured),
        events=_events(visit) if visit.may(audit.SEEING) else None,
    )


def chart_of(measured: Performance) -> BarChart:
    """Return how long removals took, as bars: what was late stands out."""
    title = f"How long removals took in the last {DAYS} days"
    return charts.bars(title, [(_label(each), each.count, _tone(each, measured)) for each in measured.histogram])


def _sources(visit: Visit) -> list[Source]:
    found = []
    for each in directories.list_all(visit.database, visit.organization):
        summary = directories.show(visit.database, visit.organization, each.name)
        last = max((token.last_used_at for token in summary.tokens if token.last_used_at), default=None)
        found.append(Source(each, last, summary.users, summary.groups, summary.conditions))
    return found


def _events(visit: Visit) -> tuple[AuditEntry, ...]:
    return audit.list_entries(*visit.whose, Wanted(since=TODAY), MOST_EVENTS).entries


def _is_troubled(status: ClusterStatus) -> bool:
    return status.is_failing or status.waits or bool(status.conditions) or bool(status.removals_error)


def _label(bucket: Bucket) -> str:
    if bucket.seconds is None:
        return "longer"
    return f"≤ {bucket.seconds} s" if bucket.seconds < 60 else f"≤ {bucket.seconds // 60} min"


def _tone(bucket: Bucket, measured: Performance) -> str:
    return "ok" if bucket.seconds is not None and bucket.seconds <= measured.objective_seconds else "danger"
