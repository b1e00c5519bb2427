"""Approvals: what waits for a person, exactly, and letting it go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Conflict
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import UNAPPROVED, activate_cluster
from scim_bridge.store.database import Database
from scim_bridge.store.plans import StoredPlan, approve_plan, lock_waiting, waiting_plans
from scim_bridge.sync.places import the_cluster, the_clusters, the_organization
from scim_bridge.sync.ways_in import require_way_in

SHORTEST_HASH = 12
"""A hash may be cut to so many characters, as pages and tables show it."""


@dataclass(frozen=True, slots=True)
class WaitingPlan:
    """A plan that waits: who gains and loses what on the cluster once it is approved, and why it waits."""

    cluster: str
    hash: str
    reason: str
    gains: tuple[Mapping[str, Any], ...]
    loses: tuple[Mapping[str, Any], ...]
    removals: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved, and until when it has to be carried out."""

    cluster: str
    hash: str
    reason: str
    removals: int
    expires_at: datetime


def waiting(database: Database, organization: str, cluster: str | None = None) -> list[WaitingPlan]:
    """Return the plans that wait on one cluster, or on all of the organization; raises NotFound."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        names = {each.id: each.name for each in the_clusters(connection, owner, cluster)}
        return [
            _waiting(each, names[each.cluster_id])
            for each in waiting_plans(connection, owner.id)
            if each.cluster_id in names
        ]


def approve(
    database: Database,
    actor: Actor,
    organization: str,
    cluster: str,
    plan_hash: str,
    *,
    valid_seconds: float = 3600,
    request_id: str | None = None,
    clock: Callable[[], datetime] = now,
) -> Approval:
    """
    Let exactly what a plan lists go; the next pass plans anew and takes no more than that.

    An approval of the first plan makes the cluster active. Raises Conflict when no such plan waits: it says which
    does, so that nobody approves what they have not read.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_cluster(connection, owner, cluster)
        plan = _the_plan(lock_waiting(connection, found.id), found.name, plan_hash)
        change = new_change(owner.id, actor, "plan.approved", clock(), request_id)
        until = change.at + timedelta(seconds=valid_seconds)
        add_change(connection, change, found.name)
        approve_plan(connection, plan, actor.name, change.at, until)
        if found.state == UNAPPROVED:
            require_way_in(connection, found)
            activate_cluster(connection, change, found.id)
        detail = {"cluster": found.name, "plan": plan.hash, "reason": plan.reason.value, "removals": plan.removals}
        add_audit(connection, change, "plan.approved", "cluster", found.id, {**detail, "until": until.isoformat()})
    return Approval(found.name, plan.hash, plan.reason.value, plan.removals, until)


def _the_plan(waiting_plan: StoredPlan | None, cluster: str, plan_hash: str) -> StoredPlan:
    if waiting_plan is None:
        raise Conflict(f"No plan waits for an approval on {cluster}.")
    if len(plan_hash) < SHORTEST_HASH or not waiting_plan.hash.startswith(plan_hash):
        raise Conflict(
            f"Another plan waits on {cluster} by now, {waiting_plan.hash[:SHORTEST_HASH]} with "
            f"{waiting_plan.removals} removals: {_summary(waiting_plan)}. Read it and approve that one."
        )
    return waiting_plan


def _summary(plan: StoredPlan) -> str:
    parts = [
        f"{verb} {each['role']} in {each['namespace'] or 'the whole cluster'}: {_some(each['subjects'])}"
        for verb, side in (("gain", "gains"), ("lose", "loses"))
        for each in plan.document[side]
    ]
    return "; ".join(parts[:10]) + ("; …" if len(parts) > 10 else "") if parts else "it changes nothing"


def _some(subjects: list[str]) -> str:
    return ", ".join(subjects[:5]) + (f" and {len(subjects) - 5} more" if len(subjects) > 5 else "")


def _waiting(plan: StoredPlan, cluster: str) -> WaitingPlan:
    return WaitingPlan(
        cluster,
        plan.hash,
        plan.reason.value,
        tuple(plan.document["gains"]),
        tuple(plan.document["loses"]),
        plan.removals,
        plan.created_at,
    )
