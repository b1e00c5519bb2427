"""What people see of the clusters: how each is doing, since when, and what waits for whom."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.conditions import Health
from scim_bridge.store.cluster_registry import UNAPPROVED, RegisteredCluster
from scim_bridge.store.cluster_status import (
    LastingCondition,
    OpenRemovals,
    SyncState,
    lasting_conditions,
    open_removals_of,
    sync_states,
)
from scim_bridge.store.database import Database
from scim_bridge.store.plans import StoredPlan, waiting_plans
from scim_bridge.sync.places import the_clusters, the_organization


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """
    One cluster as it is now.

    ``is_behind`` tells that a change is stored that it does not show yet. ``held`` removals wait for an approval of
    ``plan_hash``; ``open_removals`` were asked for by name and are not confirmed, the first since ``removals_since``.
    """

    cluster: str
    state: str
    health: str
    is_behind: bool
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    next_pass_at: datetime | None
    retry_at: datetime | None
    failures: int
    last_error: str | None
    held: int
    plan_hash: str | None
    plan_reason: str | None
    open_removals: int
    removals_since: datetime | None
    removals_error: str | None
    conditions: tuple[LastingCondition, ...]

    @property
    def is_failing(self) -> bool:
        """Tell whether the cluster does not do what it should."""
        return self.health == Health.FAILING

    @property
    def waits(self) -> bool:
        """Tell whether a person has to approve something."""
        return self.plan_hash is not None or self.state == UNAPPROVED


def status(database: Database, organization: str, cluster: str | None = None) -> list[ClusterStatus]:
    """Return how one cluster is doing, or all of the organization; raises NotFound."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = the_clusters(connection, owner, cluster)
        states = sync_states(connection, owner.id)
        conditions = lasting_conditions(connection, owner.id)
        removals = open_removals_of(connection, owner.id)
        plans = {each.cluster_id: each for each in waiting_plans(connection, owner.id)}
    return [
        _status(each, states.get(each.id), conditions.get(each.id, ()), removals.get(each.id), plans.get(each.id))
        for each in found
    ]


def _status(
    found: RegisteredCluster,
    state: SyncState | None,
    conditions: tuple[LastingCondition, ...],
    removals: OpenRemovals | None,
    plan: StoredPlan | None,
) -> ClusterStatus:
    return ClusterStatus(
        found.name,
        found.state,
        state.health if state else Health.UNKNOWN.value,
        state.is_behind if state else True,
        state.last_success_at if state else None,
        state.last_attempt_at if state else None,
        state.next_pass_at if state else None,
        state.retry_at if state else None,
        state.failures if state else 0,
        state.last_error if state else None,
        plan.removals if plan else 0,
        plan.hash if plan else None,
        plan.reason.value if plan else None,
        removals.count if removals else 0,
        removals.oldest if removals else None,
        removals.last_error if removals else None,
        conditions,
    )
