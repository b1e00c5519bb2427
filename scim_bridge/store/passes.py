"""Passes: what one is started from, how it went, and what a person should know about the cluster since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.conditions import Health
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.pacing import Pace
from scim_bridge.domain.people import MemberState
from scim_bridge.domain.planning import Removal
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    applied_subject,
    cluster_condition,
    cluster_sync,
    member,
    removal_request,
    sync_pass,
)
from scim_bridge.store.windows import Present

REMEMBERED = timedelta(hours=1)
"""A removal that was asked for counts as asked for so long beyond its end: a pass may have died in between."""

_WHOLE_CLUSTER = {"organization", "unit", "cluster"}
_GONE = (MemberState.DEACTIVATED.value, MemberState.REMOVED.value)
_REASONS_TOLD = 20
_KEPT = ("created", "updated", "deleted", "subjects_added", "subjects_removed", "inferred_removed", "held", "frozen")


@dataclass(frozen=True, slots=True)
class AskedFor:
    """The removals somebody asked for by name, by the subject they concern: kinds of scope, or None for everything."""

    extents: Mapping[str, tuple[frozenset[str] | None, ...]]

    def covers(self, removal: Removal) -> bool:
        """Tell whether a request concerns this (family, subject)."""
        family, subject = removal
        for kinds in self.extents.get(subject, ()):
            if kinds is None or (kinds & _WHOLE_CLUSTER if family.namespace is None else kinds - _WHOLE_CLUSTER):
                return True
        return False


@dataclass(frozen=True, slots=True)
class PassResult:
    """
    How a pass went, in numbers; ``failed`` names what could not be written and why.

    Subjects are counted once each, in however many objects. ``waits`` tells that the first plan is not approved,
    ``frozen`` that somebody keeps some of it from being done, ``unsure`` that one side was not wholly known,
    ``out_of_reach`` that the cluster stopped answering, ``wish`` how many seconds of patience it asked for.
    ``unfinished`` names what there was no time for, ``changes`` says who gained and lost what.
    """

    created: int = 0
    updated: int = 0
    deleted: int = 0
    subjects_added: int = 0
    subjects_removed: int = 0
    inferred_removed: int = 0
    held: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    waits: bool = False
    frozen: bool = False
    unsure: bool = False
    unfinished: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    out_of_reach: bool = False
    wish: float | None = None

    @property
    def state(self) -> str:
        """Return ok only when nothing failed, waits or is frozen, and all was known."""
        is_less = self.failed or self.held or self.waits or self.frozen or self.unsure or self.unfinished
        return "degraded" if is_less else "ok"

    @property
    def health(self) -> Health:
        """Return what the cluster's health is after it."""
        return Health.FAILING if self.out_of_reach or self.wish is not None else Health(self.state)

    @property
    def message(self) -> str | None:
        """Return why it is not all well, in a readable length."""
        told = "; ".join(f"{name}: {reason}" for name, reason in self.failed[:_REASONS_TOLD])
        more = len(self.failed) - _REASONS_TOLD
        return (f"{told}; and {more} more" if more > 0 else told) or None


@dataclass(frozen=True, slots=True)
class Start:
    """What a pass begins with."""

    organization_id: OrganizationId
    cluster_id: ClusterId
    at: datetime
    revision: str
    plan_hash: str | None = None
    before: Present | None = None


def generation_of(connection: sa.Connection, cluster_id: ClusterId) -> int:
    """Return the newest generation of changes that this cluster has to show; read it in the sealed read."""
    query = sa.select(cluster_sync.c.generation).where(cluster_sync.c.cluster_id == cluster_id)
    return int(connection.execute(query).scalar_one())


def open_requests(connection: sa.Connection, cluster_id: ClusterId, at: datetime) -> AskedFor:
    """
    Return the asked-for removals that concern subjects on a cluster.

    Open ones, those closed within the hour, and whatever concerns members who are not active: somebody said so.
    """
    on_cluster = applied_subject.c.cluster_id == cluster_id
    requested = (
        sa.select(applied_subject.c.subject, removal_request.c.extent)
        .join(removal_request, removal_request.c.member_id == applied_subject.c.member_id)
        .where(on_cluster, sa.or_(removal_request.c.closed_at.is_(None), removal_request.c.closed_at > at - REMEMBERED))
        .distinct()
    )
    gone = (
        sa.select(applied_subject.c.subject)
        .join(member, member.c.id == applied_subject.c.member_id)
        .where(on_cluster, member.c.state.in_(_GONE))
        .distinct()
    )
    found: dict[str, tuple[frozenset[str] | None, ...]] = {}
    for subject, extent in connection.execute(requested):
        kinds = None if extent is None else frozenset(kind for kind, _ in orjson.loads(extent))
        found[subject] = (*found.get(subject, ()), kinds)
    for subject in connection.execute(gone).scalars():
        found[subject] = (None,)
    return AskedFor(found)


def start_pass(connection: sa.Connection, start: Start) -> str:
    """Write down that a pass begins; returns its id."""
    made = new_id()
    connection.execute(
        sa.insert(sync_pass).values(
            id=made,
            organization_id=start.organization_id,
            cluster_id=start.cluster_id,
            kind="full",
            state="running",
            started_at=start.at,
            revision=start.revision or None,
            plan_hash=start.plan_hash,
            subjects_before=start.before.subjects if start.before else None,
            people_before=start.before.people if start.before else None,
        )
    )
    return made


def finish_pass(
    connection: sa.Connection,
    pass_id: str,
    cluster_id: ClusterId,
    result: PassResult,
    generation: int,
    at: datetime,
    *,
    pace: Pace,
    fraction: float,
) -> None:
    """Write down how a pass ended, and when the next is; changes count as carried out only when nothing failed."""
    _end(connection, pass_id, result.state, at, result.message, result)
    columns = cluster_sync.c
    values: dict[str, Any] = {"health": result.health.value, "next_pass_at": at + pace.until_next(fraction)}
    if result.failed:
        values |= _backed_off(connection, cluster_id, at, pace, fraction, result.wish)
    elif result.unfinished:
        # The next pass goes on at once: what is done is done, and its plan is what is left.
        values |= {"next_pass_at": at, "failures": 0, "retry_at": None}
    else:
        shown = sa.case((columns.generation <= generation, None), else_=columns.due_since)
        values |= {"done_generation": generation, "due_since": shown, "last_success_at": at}
        values |= {"failures": 0, "retry_at": None}
        values["last_revision"] = sa.select(sync_pass.c.revision).where(sync_pass.c.id == pass_id).scalar_subquery()
    values |= {"last_attempt_at": at, "last_error": result.message}
    connection.execute(sa.update(cluster_sync).where(columns.cluster_id == cluster_id).values(**values))


def fail_pass(
    connection: sa.Connection,
    pass_id: str,
    cluster_id: ClusterId,
    reason: str,
    at: datetime,
    *,
    pace: Pace,
    fraction: float,
    wish: float | None = None,
    result: PassResult | None = None,
) -> None:
    """Write down that a cluster could not be read; ``result`` is what was done all the same."""
    _end(connection, pass_id, "failed", at, reason, result or PassResult())
    values = _backed_off(connection, cluster_id, at, pace, fraction, wish)
    values |= {"health": Health.FAILING.value, "last_attempt_at": at, "last_error": reason}
    values["next_pass_at"] = at + pace.until_next(fraction)
    connection.execute(sa.update(cluster_sync).where(cluster_sync.c.cluster_id == cluster_id).values(**values))


def abandon_pass(connection: sa.Connection, pass_id: str, result: PassResult, at: datetime) -> None:
    """
    Write down that a pass was stopped: it lost its turn, or the process ends.

    Nothing of the cluster's row is touched: whoever has the turn now writes that, and the generation stays due.
    """
    _end(connection, pass_id, "abandoned", at, None, result)


def _end(
    connection: sa.Connection, pass_id: str, state: str, at: datetime, message: str | None, result: PassResult
) -> None:
    numbers: dict[str, Any] = {name: getattr(result, name) for name in _KEPT}
    if any(result.changes.values()):
        numbers["changes"] = orjson.dumps(result.changes).decode()
    connection.execute(
        sa.update(sync_pass)
        .where(sync_pass.c.id == pass_id)
        .values(state=state, finished_at=at, failed=len(result.failed), message=message, **numbers)
    )


def _backed_off(
    connection: sa.Connection, cluster_id: ClusterId, at: datetime, pace: Pace, fraction: float, wish: float | None
) -> dict[str, Any]:
    query = sa.select(cluster_sync.c.failures).where(cluster_sync.c.cluster_id == cluster_id)
    failures = int(connection.execute(query).scalar_one()) + 1
    return {"failures": failures, "retry_at": at + pace.until_retry(failures, fraction, wish)}


def set_conditions(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    conditions: Iterable[Condition],
    at: datetime,
) -> list[Condition]:
    """Make a cluster's conditions these, and return the new ones; one that lasts keeps the time since when it does."""
    table = cluster_condition
    found = {
        (row.kind, row.about): row
        for row in connection.execute(sa.select(table).where(table.c.cluster_id == cluster_id))
    }
    wanted = {(each.kind, each.about[:255]): each for each in conditions}
    for place, row in found.items():
        if place not in wanted:
            connection.execute(sa.delete(table).where(table.c.id == row.id))
        elif row.message != wanted[place].message:
            connection.execute(sa.update(table).where(table.c.id == row.id).values(message=wanted[place].message))
    rows = [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "cluster_id": cluster_id,
            "kind": kind,
            "about": about,
            "message": each.message,
            "since": at,
        }
        for (kind, about), each in wanted.items()
        if (kind, about) not in found
    ]
    if rows:
        connection.execute(sa.insert(table), rows)
    return [each for place, each in wanted.items() if place not in found]
