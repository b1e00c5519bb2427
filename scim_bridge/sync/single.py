"""One pass, or its plan, because a person wants it now."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.approvals import plan_document
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import BridgeError, ClusterError, Invalid, StoreError, Unavailable
from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import UNAPPROVED, RegisteredCluster
from scim_bridge.store.database import Database
from scim_bridge.store.passes import PassResult as PassResult
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.places import the_clusters, the_organization
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import plan_cluster, reconcile_cluster
from scim_bridge.sync.rehearsing import Rehearsed
from scim_bridge.sync.targets import Targets
from scim_bridge.sync.turns import pass_lease, take_turn

Clock = Callable[[], datetime]


class Opener(Protocol):
    """Opens the gateway of a cluster, as `targets.Targets` does."""

    def open(self, cluster_id: ClusterId) -> Gateway:
        """Return the cluster's gateway; whoever asks must not close it."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What passes are made with."""

    database: Database
    targets: Opener
    policy: PassPolicy
    lease_seconds: float = 30
    clock: Clock = now


@contextmanager
def opened_workshop(database: Database, keyring: Keyring, settings: Settings) -> Iterator[Workshop]:
    """Open what passes of an installation are made with, for one request."""
    targets = Targets(database, keyring, settings)
    try:
        yield workshop_with(database, targets, settings)
    finally:
        targets.close()


def workshop_with(database: Database, targets: Opener, settings: Settings) -> Workshop:
    """Return what passes are made with; gateways open at their first use."""
    return Workshop(database, targets, PassPolicy.of(settings), settings.lease_seconds)


@dataclass(frozen=True, slots=True)
class PlannedCluster:
    """
    What a pass would do on one cluster now, to the last subject; nothing was written.

    ``approve`` is the hash that an approval of what waits has to name, None when nothing does; ``problem`` is why the
    plan is only a part, or none. ``answers`` are the cluster's own to a dry run of each write, None if none was asked.
    """

    cluster: str
    state: str
    hash: str | None
    approve: str | None
    document: dict[str, Any]
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None
    answers: tuple[Rehearsed, ...] | None = None


@dataclass(frozen=True, slots=True)
class CompletedPass:
    """What one pass did; ``problem`` is why the cluster could not be read, or the pass not run."""

    cluster: str
    state: str
    result: PassResult
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None

    @property
    def is_failed(self) -> bool:
        """Tell whether something could not be done."""
        return self.problem is not None or bool(self.result.failed)

    @property
    def waits(self) -> bool:
        """Tell whether a person has to approve something."""
        return self.result.waits or self.result.held > 0


def plan(
    workshop: Workshop, organization: str, cluster: str | None = None, *, on_server: bool = False
) -> list[PlannedCluster]:
    """Plan one cluster, or all of the organization, and write nothing; raises NotFound."""
    return [_planned(workshop, each, on_server=on_server) for each in _clusters(workshop, organization, cluster)]


def run(workshop: Workshop, organization: str, cluster: str | None = None) -> list[CompletedPass]:
    """
    Run a pass of one cluster, or of all in the organization one after the other.

    Raises NotFound, and Unavailable when the one cluster that was named is being worked on by somebody else; of all
    clusters, one that is busy or cannot be opened is told in its own answer and stops no other.
    """
    clusters = _clusters(workshop, organization, cluster)
    if cluster is not None:
        return [_run(workshop, each) for each in clusters]
    return [_run_or_tell(workshop, each) for each in clusters]


def run_some(workshop: Workshop, organization: str, clusters: Iterable[str]) -> list[CompletedPass]:
    """Run a pass of each of these clusters; one that is busy or cannot be opened stops no other."""
    return [_run_or_tell(workshop, each) for name in clusters for each in _clusters(workshop, organization, name)]


def prepare_first_plan(workshop: Workshop, organization: str, cluster: str) -> None:
    """Let the first plan of a cluster wait that nobody approved yet; nothing is written to any cluster."""
    found = _clusters(workshop, organization, cluster)[0]
    if found.state == UNAPPROVED:
        _run(workshop, found)


def _clusters(workshop: Workshop, organization: str, cluster: str | None) -> list[RegisteredCluster]:
    with workshop.database.read() as connection:
        return the_clusters(connection, the_organization(connection, organization), cluster)


def _planned(workshop: Workshop, found: RegisteredCluster, *, on_server: bool) -> PlannedCluster:
    try:
        gateway = workshop.targets.open(found.id)
    except (ClusterError, Invalid, StoreError) as error:
        return PlannedCluster(found.name, found.state, None, None, {}, problem=str(error))
    made = plan_cluster(
        workshop.database,
        gateway,
        found.organization_id,
        found.id,
        workshop.policy,
        workshop.clock,
        on_server=on_server,
    )
    settled = made.settled
    waits = settled.is_judged and (settled.is_first_contact or bool(settled.plan.held))
    return PlannedCluster(
        found.name,
        found.state,
        settled.plan.hash,
        settled.plan.held_hash if waits else None,
        plan_document(settled.plan),
        made.conditions,
        made.problem,
        made.answers,
    )


def _run_or_tell(workshop: Workshop, found: RegisteredCluster) -> CompletedPass:
    try:
        return _run(workshop, found)
    except BridgeError as error:
        return CompletedPass(found.name, "failed", PassResult(), problem=str(error))


def _run(workshop: Workshop, found: RegisteredCluster) -> CompletedPass:
    gateway = workshop.targets.open(found.id)
    name = pass_lease(found.id)
    with take_turn(workshop.database, name, workshop.lease_seconds, workshop.clock) as turn:
        if turn is None:
            raise Unavailable(f"A pass of {found.name} is running already; ask again in a moment.", retry_after=5)
        done = reconcile_cluster(
            workshop.database,
            gateway,
            found.organization_id,
            found.id,
            workshop.policy,
            workshop.clock,
            turn.goes_on,
        )
    if done.is_abandoned:
        return CompletedPass(found.name, "abandoned", done.result, problem="The pass lost its turn and stopped.")
    state = "failed" if done.problem else done.result.state
    return CompletedPass(found.name, state, done.result, done.conditions, done.problem)
