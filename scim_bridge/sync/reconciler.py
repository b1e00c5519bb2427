"""
One pass of one cluster: observe, desire, plan, act.

Level-triggered and idempotent: a pass looks at the whole state and never at an event, so a lost wake-up costs time,
never access. It may be repeated at any moment; a pass that dies half-way leaves nothing that the next does not mend.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.brakes import BrakeLimits, Window, brake, hold_everything_inferred
from scim_bridge.domain.desired import Condition, Desired, desired
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Action, Change, Plan, after_failures, plan_changes
from scim_bridge.errors import ClusterError, ClusterUnreachable
from scim_bridge.store.applied import Applied, applied_bits, forget_applied, record_applied
from scim_bridge.store.database import Database
from scim_bridge.store.passes import (
    AskedFor,
    PassResult,
    fail_pass,
    finish_pass,
    generation_of,
    hour_windows,
    open_requests,
    set_conditions,
    start_pass,
)
from scim_bridge.store.snapshot import read_organization

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class PassPolicy:
    """What a pass keeps to: how large a shard is, and how much it may take away unasked."""

    subjects_per_binding: int = 1000
    limits: BrakeLimits = field(default_factory=BrakeLimits)


@dataclass(frozen=True, slots=True)
class Sealed:
    """All that a pass reads of the store, from one read transaction that was closed before the first network call."""

    organization_id: OrganizationId
    cluster_id: ClusterId
    revision: str
    generation: int
    wanted: Desired
    asked_for: AskedFor
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class PassReport:
    """What a pass did, held and could not do; ``problem`` is set when the cluster could not be read."""

    plan: Plan
    result: PassResult
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether the cluster now is as it should be: nothing failed, nothing is held, all was read."""
        return self.problem is None and self.result.state == "ok"


def read_sealed(
    database: Database,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    policy: PassPolicy,
    at: datetime,
    namespaces: Mapping[str, Mapping[str, str]] | None = None,
) -> Sealed:
    """Read what a pass needs, in one sealed read."""
    with database.read() as connection:
        generation = generation_of(connection, cluster_id)
        snapshot = read_organization(connection, organization_id, at)
        bits = applied_bits(connection, cluster_id)
        asked_for = open_requests(connection, cluster_id)
        windows = hour_windows(connection, organization_id, cluster_id, at)
    wanted = desired(
        snapshot,
        cluster_id,
        per_binding=policy.subjects_per_binding,
        current_bits=bits,
        namespaces=namespaces,
    )
    return Sealed(organization_id, cluster_id, snapshot.revision, generation, wanted, asked_for, tuple(windows))


def plan_pass(sealed: Sealed, observed: list[ObservedBinding], policy: PassPolicy) -> Plan:
    """Return the plan of a pass with what the brakes hold: dry run, page and execution are this same plan."""
    plan = plan_changes(sealed.cluster_id, sealed.wanted.bindings, observed)
    if not sealed.wanted.complete:
        # Namespaces that selectors need could not be read: unknown is not empty.
        return hold_everything_inferred(plan, sealed.asked_for.covers)
    return brake(
        plan,
        sealed.windows,
        policy.limits,
        subjects_left=len(sealed.wanted.subjects),
        is_asked_for=sealed.asked_for.covers,
    )


def reconcile_cluster(
    database: Database,
    gateway: Gateway,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    policy: PassPolicy,
    clock: Clock,
) -> PassReport:
    """
    Make one cluster as the store says it should be, and write down how that went.

    Never raises for what a cluster does: an unreadable cluster loses nothing and gains what it can be given.
    """
    sealed = read_sealed(database, organization_id, cluster_id, policy, clock(), _namespaces(gateway))
    try:
        observed = gateway.list_bindings()
        plan = plan_pass(sealed, observed, policy)
        problem = None
    except ClusterError as error:
        observed, plan = _observe_one_by_one(gateway, sealed)
        problem = str(error)
    with database.write() as connection:
        pass_id = start_pass(connection, organization_id, cluster_id, clock(), sealed.revision, plan.hash)
    work = _Work(database, gateway, sealed, clock, {seen.binding.key: seen for seen in observed})
    result = work.carry_out(plan)
    _record(database, sealed, pass_id, result, problem, clock())
    return PassReport(plan, result, sealed.wanted.conditions, problem)


def _namespaces(gateway: Gateway) -> Mapping[str, Mapping[str, str]] | None:
    try:
        return gateway.namespaces()
    except ClusterError:
        # Unknown, not empty: selectors grant nothing new, and the list below will fail or hold.
        return None


def _observe_one_by_one(gateway: Gateway, sealed: Sealed) -> tuple[list[ObservedBinding], Plan]:
    """
    After a failed list, look at each wanted object by itself, so that additions still go on.

    What could not be read is left out of the plan, and no removal that nobody asked for is in it.
    """
    observed: list[ObservedBinding] = []
    readable = []
    for binding in sealed.wanted.bindings:
        try:
            seen = gateway.get(binding.key)
        except ClusterUnreachable:
            # It hangs or is down: asking for the other thousand would only take as long again.
            break
        except ClusterError:
            continue
        readable.append(binding)
        if seen is not None:
            observed.append(seen)
    plan = plan_changes(sealed.cluster_id, readable, observed)
    return observed, hold_everything_inferred(plan, sealed.asked_for.covers)


def _record(
    database: Database, sealed: Sealed, pass_id: str, result: PassResult, problem: str | None, at: datetime
) -> None:
    conditions = [*sealed.wanted.conditions]
    if result.held:
        message = f"{result.held} removals that nobody asked for by name wait for an approval"
        conditions.append(Condition("RemovalsHeld", "", message))
    with database.write() as connection:
        if problem is None:
            finish_pass(connection, pass_id, sealed.cluster_id, result, sealed.generation, at)
            set_conditions(connection, sealed.organization_id, sealed.cluster_id, conditions, at)
        else:
            fail_pass(connection, pass_id, sealed.cluster_id, problem, at)


@dataclass(slots=True)
class _Work:
    """Carries out one plan, each change on its own: one failure never stops another nor marks anything absent."""

    database: Database
    gateway: Gateway
    sealed: Sealed
    clock: Clock
    seen: dict[BindingKey, ObservedBinding]

    def carry_out(self, plan: Plan) -> PassResult:
        """Apply the plan in its order, creates and grows before shrinks before deletes."""
        result = PassResult(held=sum(len(change.lost) for change in plan.held))
        result, failed = self._attempt(result, plan.of(Action.CREATE, Action.GROW))
        # What somebody lost goes, whatever failed; who only moves to a shard that is not there yet stays.
        result, _ = self._attempt(result, after_failures(plan.of(Action.SHRINK, Action.DELETE), failed))
        return result

    def _attempt(self, result: PassResult, changes: Iterable[Change]) -> tuple[PassResult, list[Change]]:
        failed: list[Change] = []
        for change in changes:
            try:
                self._carry_out(change)
            except ClusterError as error:
                failed.append(change)
                result = _failed(result, change, str(error))
            else:
                result = self._counted(result, change)
        return result, failed

    def _carry_out(self, change: Change) -> None:
        key = change.binding.key
        before = self.seen.get(key)
        if change.action is Action.DELETE:
            if before is not None:
                self.gateway.delete(before)
            self.seen.pop(key, None)
            with self.database.write() as connection:
                forget_applied(connection, key)
            return
        after = self.gateway.apply(change.binding, before)
        self.seen[key] = after
        confirmed = Applied(after.binding, after.name, after.uid, after.resource_version)
        with self.database.write() as connection:
            record_applied(connection, confirmed, self.sealed.wanted.subjects, self.clock())

    def _counted(self, result: PassResult, change: Change) -> PassResult:
        family = change.binding.key.family
        inferred = sum(not self.sealed.asked_for.covers((family, subject)) for subject in change.lost)
        return replace(
            result,
            created=result.created + (change.action is Action.CREATE),
            updated=result.updated + (change.action in (Action.GROW, Action.SHRINK)),
            deleted=result.deleted + (change.action is Action.DELETE),
            subjects_added=result.subjects_added + len(change.added),
            subjects_removed=result.subjects_removed + len(change.removed),
            inferred_removed=result.inferred_removed + inferred,
        )


def _failed(result: PassResult, change: Change, reason: str) -> PassResult:
    family = change.binding.key.family
    name = f"{change.action.value} {family.role.value} in {family.namespace or 'the whole cluster'}"
    return replace(result, failed=(*result.failed, (name, reason)))
