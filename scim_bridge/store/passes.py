"""Passes: what one is started from, how it went, and what a person should know about the cluster since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.brakes import Window
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    applied_subject,
    cluster_condition,
    cluster_sync,
    removal_request,
    sync_pass,
)

_WHOLE_CLUSTER = {"organization", "unit", "cluster"}


@dataclass(frozen=True, slots=True)
class AskedFor:
    """The removals somebody asked for by name and that are still open, by the subject they concern."""

    extents: Mapping[str, tuple[frozenset[str] | None, ...]]

    def covers(self, removal: tuple[Family, str]) -> bool:
        """Tell whether an open request concerns this (family, subject)."""
        family, subject = removal
        for kinds in self.extents.get(subject, ()):
            if kinds is None or (family.namespace is None) == bool(kinds & _WHOLE_CLUSTER):
                return True
        return False


@dataclass(frozen=True, slots=True)
class PassResult:
    """How a pass went, in numbers; ``failed`` names what could not be written and why."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    subjects_added: int = 0
    subjects_removed: int = 0
    inferred_removed: int = 0
    held: int = 0
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def state(self) -> str:
        """Return ok only when nothing failed and nothing is held."""
        return "degraded" if self.failed or self.held else "ok"


def generation_of(connection: sa.Connection, cluster_id: ClusterId) -> int:
    """Return the newest generation of changes that this cluster has to show; read it in the sealed read."""
    query = sa.select(cluster_sync.c.generation).where(cluster_sync.c.cluster_id == cluster_id)
    return int(connection.execute(query).scalar_one())


def open_requests(connection: sa.Connection, cluster_id: ClusterId) -> AskedFor:
    """Return the open asked-for removals that concern subjects on a cluster."""
    query = (
        sa.select(applied_subject.c.subject, removal_request.c.extent)
        .join(removal_request, removal_request.c.member_id == applied_subject.c.member_id)
        .where(applied_subject.c.cluster_id == cluster_id, removal_request.c.closed_at.is_(None))
        .distinct()
    )
    found: dict[str, tuple[frozenset[str] | None, ...]] = {}
    for subject, extent in connection.execute(query):
        kinds = None if extent is None else frozenset(kind for kind, _ in orjson.loads(extent))
        found[subject] = (*found.get(subject, ()), kinds)
    return AskedFor(found)


def hour_windows(
    connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId, at: datetime
) -> list[Window]:
    """Return the past hour of the cluster and of its organization, as the brakes count it."""
    since = at - timedelta(hours=1)
    windows = []
    for on_cluster in (True, False):
        passes = sa.select(
            sa.func.coalesce(sa.func.sum(sync_pass.c.inferred_removed), 0),
            sa.func.coalesce(sa.func.sum(sync_pass.c.subjects_added - sync_pass.c.subjects_removed), 0),
        ).where(sync_pass.c.organization_id == organization_id, sync_pass.c.started_at > since)
        holders = sa.select(sa.func.count(sa.distinct(applied_subject.c.subject)))
        if on_cluster:
            passes = passes.where(sync_pass.c.cluster_id == cluster_id)
            holders = holders.where(applied_subject.c.cluster_id == cluster_id)
        else:
            own = sa.select(cluster_sync.c.cluster_id).where(cluster_sync.c.organization_id == organization_id)
            holders = holders.where(applied_subject.c.cluster_id.in_(own))
        removed, grown = connection.execute(passes).one()
        present = int(connection.execute(holders).scalar_one())
        # What joined within the hour was not there at its start; what left was.
        windows.append(Window(max(present - int(grown), 0), int(removed)))
    return windows


def start_pass(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    at: datetime,
    revision: str,
    plan_hash: str | None,
) -> str:
    """Write down that a pass begins; returns its id."""
    made = new_id()
    connection.execute(
        sa.insert(sync_pass).values(
            id=made,
            organization_id=organization_id,
            cluster_id=cluster_id,
            kind="full",
            state="running",
            started_at=at,
            revision=revision or None,
            plan_hash=plan_hash,
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
) -> None:
    """Write down how a pass ended; changes count as carried out only when nothing failed."""
    message = "; ".join(f"{name}: {reason}" for name, reason in result.failed) or None
    numbers = {
        name: getattr(result, name)
        for name in ("created", "updated", "deleted", "subjects_added", "subjects_removed", "inferred_removed", "held")
    }
    connection.execute(
        sa.update(sync_pass)
        .where(sync_pass.c.id == pass_id)
        .values(state=result.state, finished_at=at, failed=len(result.failed), message=message, **numbers)
    )
    values: dict[str, object] = {"last_attempt_at": at, "last_error": message, "health": result.state}
    if not result.failed:
        values |= {"done_generation": generation, "last_success_at": at, "failures": 0, "retry_at": None}
    else:
        values |= {"failures": cluster_sync.c.failures + 1}
    connection.execute(sa.update(cluster_sync).where(cluster_sync.c.cluster_id == cluster_id).values(**values))


def fail_pass(connection: sa.Connection, pass_id: str, cluster_id: ClusterId, reason: str, at: datetime) -> None:
    """Write down that a pass could not be carried out at all."""
    connection.execute(
        sa.update(sync_pass).where(sync_pass.c.id == pass_id).values(state="failed", finished_at=at, message=reason)
    )
    connection.execute(
        sa.update(cluster_sync)
        .where(cluster_sync.c.cluster_id == cluster_id)
        .values(
            last_attempt_at=at,
            last_error=reason,
            health="failing",
            failures=cluster_sync.c.failures + 1,
        )
    )


def set_conditions(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    conditions: Iterable[Condition],
    at: datetime,
) -> None:
    """Make a cluster's conditions these; one that lasts keeps the time since when it does."""
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
