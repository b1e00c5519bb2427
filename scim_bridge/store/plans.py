"""Plans that wait for somebody's approval, and what became of them. A cluster has at most one that waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from scim_bridge.domain.approvals import PlanState, Reason, removals_in
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Removal
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import plan


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One plan that waits or was approved; ``document`` says exactly who gains and loses what."""

    id: str
    organization_id: OrganizationId
    cluster_id: ClusterId
    hash: str
    state: PlanState
    reason: Reason
    document: Mapping[str, Any]
    removals: int
    created_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def lists(self) -> frozenset[Removal]:
        """Return the removals that the plan lists."""
        return removals_in(self.document)

    def is_in_force(self, at: datetime) -> bool:
        """Tell whether an approval lets its removals go now."""
        return self.state is PlanState.APPROVED and self.expires_at is not None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class OpenPlans:
    """What waits on one cluster, and what was approved and is not all done."""

    waiting: StoredPlan | None = None
    approved: tuple[StoredPlan, ...] = field(default=())

    def ceiling(self, at: datetime) -> frozenset[Removal]:
        """Return exactly the removals that somebody approved."""
        return frozenset().union(*(each.lists for each in self.approved if each.is_in_force(at)))

    def held(self, at: datetime) -> frozenset[Removal]:
        """Return the removals that were held; those of an approval that ran out are held again."""
        expired = [each.lists for each in self.approved if not each.is_in_force(at)]
        return frozenset().union(*expired, self.waiting.lists if self.waiting else ())


def open_plans(connection: sa.Connection, cluster_id: ClusterId) -> OpenPlans:
    """Return what waits for an approval on a cluster, and the approvals that are not used up."""
    states = (PlanState.WAITING.value, PlanState.APPROVED.value)
    query = sa.select(plan).where(plan.c.cluster_id == cluster_id, plan.c.state.in_(states)).order_by(plan.c.id)
    found = [_stored(row) for row in connection.execute(query)]
    waiting = [each for each in found if each.state is PlanState.WAITING]
    approved = tuple(each for each in found if each.state is PlanState.APPROVED)
    return OpenPlans(waiting[-1] if waiting else None, approved)


def waiting_plans(connection: sa.Connection, organization_id: OrganizationId) -> list[StoredPlan]:
    """Return the plans of an organization that wait, the oldest first."""
    query = sa.select(plan).where(plan.c.organization_id == organization_id, plan.c.state == PlanState.WAITING.value)
    return [_stored(row) for row in connection.execute(query.order_by(plan.c.id))]


def lock_waiting(connection: sa.Connection, cluster_id: ClusterId) -> StoredPlan | None:
    """Return the plan that waits on a cluster, so that nobody else approves or supersedes it meanwhile."""
    query = sa.select(plan).where(plan.c.cluster_id == cluster_id, plan.c.state == PlanState.WAITING.value)
    row = connection.execute(query.order_by(plan.c.id.desc()).limit(1).with_for_update()).one_or_none()
    return None if row is None else _stored(row)


def keep_waiting(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    held_hash: str,
    reason: Reason,
    document: Mapping[str, Any],
    at: datetime,
) -> None:
    """Let a plan wait; one that waited and is another is superseded, the same one keeps its time."""
    present = lock_waiting(connection, cluster_id)
    if present is not None and present.hash == held_hash and present.reason is reason:
        return
    stop_waiting(connection, cluster_id)
    connection.execute(
        sa.insert(plan).values(
            id=new_id(),
            organization_id=organization_id,
            cluster_id=cluster_id,
            hash=held_hash,
            state=PlanState.WAITING.value,
            reason=reason.value,
            document=orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode(),
            removals=len(removals_in(document)),
            created_at=at,
        )
    )


def stop_waiting(connection: sa.Connection, cluster_id: ClusterId) -> None:
    """Supersede the plan that waits on a cluster, if there is one: another takes its place, or it is gone."""
    connection.execute(
        sa.update(plan)
        .where(plan.c.cluster_id == cluster_id, plan.c.state == PlanState.WAITING.value)
        .values(state=PlanState.SUPERSEDED.value)
    )


def end_approvals(connection: sa.Connection, plans: Iterable[StoredPlan], state: PlanState) -> None:
    """Say that approvals are used up (applied) or ran out (expired)."""
    for each in plans:
        connection.execute(
            sa.update(plan)
            .where(plan.c.id == each.id, plan.c.state == PlanState.APPROVED.value)
            .values(state=state.value)
        )


def approve_plan(connection: sa.Connection, waiting: StoredPlan, by: str, at: datetime, until: datetime) -> None:
    """Let a plan that waits go, until a moment."""
    connection.execute(
        sa.update(plan)
        .where(plan.c.id == waiting.id)
        .values(state=PlanState.APPROVED.value, approved_by=by[:320], approved_at=at, expires_at=until)
    )


def insert_approved(
    connection: sa.Connection,
    change: Change,
    cluster_id: ClusterId,
    plan_hash: str,
    document: Mapping[str, Any],
    until: datetime,
) -> None:
    """Let the removals of a document go on a cluster, though no pass has come upon them yet."""
    connection.execute(
        sa.insert(plan).values(
            id=new_id(),
            organization_id=change.organization_id,
            cluster_id=cluster_id,
            hash=plan_hash,
            state=PlanState.APPROVED.value,
            reason=Reason.PREVIEW.value,
            document=orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode(),
            removals=len(removals_in(document)),
            created_at=change.at,
            approved_by=change.actor.name[:320],
            approved_at=change.at,
            expires_at=until,
        )
    )


def _stored(row: sa.Row[Any]) -> StoredPlan:
    return StoredPlan(
        row.id,
        row.organization_id,
        row.cluster_id,
        row.hash,
        PlanState(row.state),
        Reason(row.reason),
        orjson.loads(row.document),
        row.removals,
        row.created_at,
        row.approved_by,
        row.approved_at,
        row.expires_at,
    )
