"""Passes: how clusters are doing, what a pass would do, what waits for a person, and running one now."""

from dataclasses import dataclass

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.api.workshops import workshop_of
from scim_bridge.domain.desired import Condition
from scim_bridge.identity import clusters
from scim_bridge.sync import approvals, report, single
from scim_bridge.sync.approvals import Approval, WaitingPlan
from scim_bridge.sync.report import ClusterStatus
from scim_bridge.sync.single import PassResult, PlannedCluster
from scim_bridge.web.paging import Page

TAG = "passes"
READ = "clusters:read"
UPDATE = "clusters:update"
APPROVE = "organization:permissions:write"


class PassWanted(Fields):
    """Which clusters to run a pass of."""

    cluster: str | None = Field(default=None, max_length=63, description="All that one may update if left out.")


class Planning(Fields):
    """How a plan is made."""

    server_dry_run: bool = Field(default=False, description="Send each planned write to the cluster as a dry run.")


class Approving(Fields):
    """The plan that was read."""

    plan: str = Field(min_length=12, max_length=64, description="Its hash, or the first 12 letters of it.")


@dataclass(frozen=True, slots=True)
class PassDone:
    """What one pass did; ``waits`` tells that a person has to approve something."""

    cluster: str
    state: str
    result: PassResult
    conditions: tuple[Condition, ...]
    problem: str | None
    waits: bool


@operation(
    "GET",
    "/clusters/<cluster>/status",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    answers=ClusterStatus,
)
def status(call: Call, cluster: str) -> ClusterStatus:
    """Say how a cluster is doing and since when, what is held, and which removals are not confirmed."""
    name = _permitted(call, cluster, READ)
    return report.status(call.database, call.organization, name)[0]


@operation(
    "GET",
    "/clusters/<cluster>/plan",
    tag=TAG,
    permission=UPDATE,
    entrance=Entrance.SOMEWHERE,
    query=Planning,
    answers=PlannedCluster,
)
def plan(call: Call, cluster: str) -> PlannedCluster:
    """Say exactly what a pass would do on a cluster now; the cluster is asked, and nothing is written."""
    name = _permitted(call, cluster, UPDATE)
    on_server = call.asked(Planning).server_dry_run
    with workshop_of(call) as workshop:
        return single.plan(workshop, call.organization, name, on_server=on_server)[0]


@operation(
    "GET",
    "/clusters/<cluster>/waiting",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[WaitingPlan],
)
def waiting(call: Call, cluster: str) -> Page[WaitingPlan]:
    """List the plans of a cluster that wait for a person."""
    name = _permitted(call, cluster, READ)
    return call.page(approvals.waiting(call.database, call.organization, name), lambda each: (each.hash,))


@operation(
    "POST",
    "/clusters/<cluster>/approve",
    tag=TAG,
    permission=APPROVE,
    entrance=Entrance.SOMEWHERE,
    body=Approving,
    answers=Approval,
)
def approve(call: Call, cluster: str) -> Approval:
    """Let exactly what a plan lists go; a first plan makes the cluster active."""
    name = _permitted(call, cluster, APPROVE)
    return approvals.approve(
        call.database,
        call.actor,
        call.organization,
        name,
        call.given(Approving).plan,
        valid_seconds=call.runtime.settings.approval_seconds,
        request_id=call.request_id,
    )


@operation(
    "POST",
    "/clusters/<cluster>/first-plan",
    tag=TAG,
    permission=APPROVE,
    entrance=Entrance.SOMEWHERE,
    answers=list[WaitingPlan],
)
def first_plan(call: Call, cluster: str) -> list[WaitingPlan]:
    """Let the first plan of a cluster wait that nobody approved yet; nothing is written to the cluster."""
    name = _permitted(call, cluster, APPROVE)
    with workshop_of(call) as workshop:
        single.prepare_first_plan(workshop, call.organization, name)
    return approvals.waiting(call.database, call.organization, name)


@operation(
    "POST",
    "/passes",
    tag=TAG,
    permission=UPDATE,
    entrance=Entrance.SOMEWHERE,
    body=PassWanted,
    answers=list[PassDone],
)
def run(call: Call) -> list[PassDone]:
    """Run a pass of a cluster now, or of every cluster that one may update, one after the other."""
    named = call.given(PassWanted).cluster
    with workshop_of(call) as workshop:
        if named is not None:
            done = single.run(workshop, call.organization, _permitted(call, named, UPDATE))
        else:
            mine = clusters.list_all(call.database, call.organization, call.actor, UPDATE)
            done = single.run_some(workshop, call.organization, [each.name for each in mine])
    return [PassDone(each.cluster, each.state, each.result, each.conditions, each.problem, each.waits) for each in done]


def _permitted(call: Call, cluster: str, permission: str) -> str:
    """Return the cluster's name for whoever holds a permission at it: passes know nobody, so the door asks."""
    return clusters.permitted(call.database, call.actor, call.organization, cluster, permission)
