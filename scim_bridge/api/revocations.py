"""Revocations: what became of the access of people who left, with times and proof."""

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.objective import Performance
from scim_bridge.identity import revocations
from scim_bridge.identity.revocations import LeaverView, RevocationReport
from scim_bridge.web.paging import Page

TAG = "revocations"
DAYS = 30


class Since(Fields):
    """How far back."""

    days: float = Field(default=DAYS, gt=0, le=3650, description="How many days back.")


class LeaversSince(Paged):
    """How far back, page by page."""

    days: float = Field(default=DAYS, gt=0, le=3650, description="How many days back.")


@operation("GET", "/revocations", tag=TAG, permission="audit.org:read", query=LeaversSince, answers=Page[LeaverView])
def list_(call: Call) -> Page[LeaverView]:
    """List who left, and how long it took until every cluster had confirmed it."""
    found = revocations.leavers(call.runtime, call.organization, call.asked(LeaversSince).days)
    return call.page(found, lambda each: (each.requested_at.isoformat(), each.member_id), keys=2)


@operation("GET", "/revocations/objective", tag=TAG, permission="audit.org:read", query=Since, answers=Performance)
def objective(call: Call) -> Performance:
    """Say how asked-for removals did against the objective, as a histogram."""
    return revocations.measured(call.runtime, call.organization, call.asked(Since).days)


@operation("GET", "/revocations/people/<person>", tag=TAG, permission="audit.org:read", answers=RevocationReport)
def report(call: Call, person: str) -> RevocationReport:
    """Report what became of a person's access: bindings, tokens, times, and what the clusters answered."""
    return revocations.report(call.runtime, call.organization, person)
