"""
One pass of one cluster: observe, desire, plan, act.

Level-triggered and idempotent: a pass looks at the whole state and never at an event, so a lost wake-up costs time,
never access. It may be repeated at any moment; a pass that dies half-way leaves nothing that the next does not mend.
How it and the asked-for removals never miss each other is told in `store.announcements`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.approvals import PlanState, change_message
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.conditions import of_failed_write, of_unreadable
from scim_bridge.domain.desired import Condition
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Plan
from scim_bridge.errors import ClusterError, ClusterThrottled
from scim_bridge.store.applied import Applied, forget_applied, record_applied
from scim_bridge.store.cluster_registry import UNAPPROVED
from scim_bridge.store.conditions import add_condition
from scim_bridge.store.counters import count
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.passes import (
    PassResult,
    Start,
    abandon_pass,
    fail_pass,
    finish_pass,
    set_conditions,
    start_pass,
)
from scim_bridge.store.plans import end_approvals, open_plans
from scim_bridge.store.proofs import remaining_access
from scim_bridge.store.tree import selects_by_label
from scim_bridge.store.windows import take_back_removals
from scim_bridge.store.written import recorded
from scim_bridge.sync.counting import of_drift, of_pass, seconds_between
from scim_bridge.sync.drift import drift_conditions, find_drift
from scim_bridge.sync.events import tell
from scim_bridge.sync.noticed import scan_conditions
from scim_bridge.sync.objective import revocation_conditions
from scim_bridge.sync.observing import Observation, observe, read_namespaces
from scim_bridge.sync.policies import PassPolicy as PassPolicy
from scim_bridge.sync.proving import still_condition
from scim_bridge.sync.rehearsing import Rehearsed, rehearse
from scim_bridge.sync.settling import Sealed, Settled, announce_pass, difference, read_sealed, settle
from scim_bridge.sync.writing import Outcome, Writing, result_of, what_changed

Clock = Callable[[], datetime]
Namespaces = Mapping[str, Mapping[str, str]]

_AT_ONCE = 200
CREDENTIAL_WARNING = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class PassReport:
    """
    What a pass did, held and could not do.

    ``problem`` is set when the cluster could not be read, ``is_abandoned`` when it was told to stop.
    """

    plan: Plan
    result: PassResult
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None
    is_abandoned: bool = False

    @property
    def is_ok(self) -> bool:
        """Tell whether the cluster now is as it should be: nothing failed, nothing is held, all was read."""
        return self.problem is None and not self.is_abandoned and self.result.state == "ok"


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a pass would do now; ``settled`` says what would wait, ``answers`` what the cluster says when asked."""

    settled: Settled
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None
    answers: tuple[Rehearsed, ...] | None = None


def reconcile_cluster(
    database: Database,
    gateway: Gateway,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    policy: PassPolicy,
    clock: Clock,
    goes_on: Callable[[], bool] = lambda: True,
) -> PassReport:
    """
    Make one cluster as the store says it should be, and write down how that went.

    ``goes_on`` is asked before every write, from several threads (`turns.Turn.goes_on`, and whether the process
    stops): False ends the pass as abandoned. Never raises for what a cluster does: an unreadable cluster loses nothing
    and gains what it can be given. Raises NotFound for a cluster that was removed, StoreError and Unavailable.
    """
    started = clock()
    namespaces = _namespaces(database, gateway, organization_id, cluster_id)
    sealed = read_sealed(database, organization_id, cluster_id, policy, clock(), namespaces)
    observed = observe(gateway, sealed.wanted.bindings, sealed.recorded, policy.writers)
    if not goes_on():
        return PassReport(Plan(cluster_id), PassResult(), is_abandoned=True)
    drifted = find_drift(database, sealed, observed)
    _mend_record(database, sealed, observed, clock())
    pass_id, settled = announce_pass(database, sealed, observed, policy, clock())
    budget = _Budget(clock, policy.budget_seconds, goes_on)
    writing = Writing(
        database,
        gateway,
        sealed,
        observed.bindings,
        writers=policy.writers,
        clock=clock,
        goes_on=budget.goes_on,
    )
    outcome = writing.carry_out(settled.plan)
    document = what_changed(outcome.done, observed.bindings)
    if not settled.is_first_contact:
        outcome.unpublished = _publish(gateway, document)
    result = replace(result_of(sealed, settled, outcome, observed.bindings), changes=document)
    # Whoever lost the turn while the last write was under way has nothing to say about the cluster any more.
    is_cut_off = bool(outcome.stopped) and not budget.is_spent
    is_abandoned = is_cut_off or (bool(outcome.stopped or outcome.failed) and not goes_on())
    ends = gateway.credential_ends()
    ending = _Ending(sealed, observed, settled, outcome, result, policy, is_abandoned, ends, started, drifted)
    with database.write() as connection:
        conditions = ending.write(connection, pass_id, clock())
    tell(database, gateway, cluster_id, ending.new, clock())
    problem = str(observed.problem) if observed.problem else None
    return PassReport(settled.plan, result, conditions, problem, is_abandoned)


class _Budget:
    """The time that a pass may go on writing for; what is left is the next one's."""

    def __init__(self, clock: Clock, seconds: float, goes_on: Callable[[], bool]) -> None:
        self._clock = clock
        self._end = clock() + timedelta(seconds=seconds)
        self._goes_on = goes_on
        self.is_spent = False

    def goes_on(self) -> bool:
        if self._clock() >= self._end:
            self.is_spent = True
        return not self.is_spent and self._goes_on()


def _publish(gateway: Gateway, document: Mapping[str, Any]) -> ClusterError | None:
    """Let what was written be carried on; what keeps it from that is told, and tried again by the next pass."""
    try:
        gateway.publish(change_message(document))
    except ClusterError as error:
        return error
    return None


def plan_cluster(
    database: Database,
    gateway: Gateway,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    policy: PassPolicy,
    clock: Clock,
    *,
    on_server: bool = False,
) -> DryRun:
    """
    Return what a pass would do now; nothing is written, neither on the cluster nor here.

    ``on_server`` has the cluster itself check each planned write, as a dry run.
    """
    namespaces = _namespaces(database, gateway, organization_id, cluster_id)
    sealed = read_sealed(database, organization_id, cluster_id, policy, clock(), namespaces)
    observed = observe(gateway, sealed.wanted.bindings, sealed.recorded, policy.writers)
    whole = difference(sealed, observed)
    with database.read() as connection:
        settled = settle(connection, sealed, observed, whole, policy, clock())
    problem = str(observed.problem) if observed.problem else None
    frozen = (Condition("Frozen", "", settled.freezes.sentence),) if settled.freezes else ()
    answers = None
    if on_server:
        goes_on = _Budget(clock, policy.budget_seconds, lambda: True).goes_on
        answers = rehearse(gateway, settled.plan, observed.bindings, policy.writers, goes_on)
    return DryRun(settled, (*sealed.wanted.conditions, *observed.conditions, *frozen), problem, answers)


def record_unopened(
    connection: Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    problem: str,
    policy: PassPolicy,
    at: datetime,
    kind: str = "CannotBeOpened",
) -> None:
    """Write down that a pass was due and was not begun: the gateway could not be opened, or ``kind`` says why."""
    pass_id = start_pass(connection, Start(organization_id, cluster_id, at, revision=""))
    fail_pass(connection, pass_id, cluster_id, problem, at, pace=policy.pace, fraction=policy.draw())
    add_condition(connection, organization_id, cluster_id, Condition(kind, "", problem), at)


def _namespaces(
    database: Database, gateway: Gateway, organization_id: OrganizationId, cluster_id: ClusterId
) -> Namespaces | None:
    """Return a cluster's namespaces if they matter; a selector that comes a moment later finds them unknown."""
    with database.read() as connection:
        if not selects_by_label(connection, organization_id, cluster_id):
            return None
    return read_namespaces(gateway)


def _mend_record(database: Database, sealed: Sealed, observed: Observation, at: datetime) -> None:
    """
    Put the record right by what was seen, or an asked-for removal would look into the wrong shards.

    Nothing is forgotten because a list leaves it out: only what a read by name did not find either, and not when
    nothing of ours was found at all, which is what another cluster behind the same address looks like.
    """
    if sealed.state == UNAPPROVED:
        return
    different = [each for each in observed.bindings if not _is_recorded(sealed, each)]
    if different or observed.gone:
        with database.write() as connection:
            keys = [*(each.binding.key for each in different), *observed.gone]
            drift = of_drift(different, recorded(connection, keys), observed.gone)
            count(connection, sealed.organization_id, sealed.cluster_id, drift)
    for start in range(0, len(different), _AT_ONCE):
        found = [
            Applied(seen.binding, seen.name, seen.uid, seen.resource_version)
            for seen in different[start : start + _AT_ONCE]
        ]
        with database.write() as connection:
            record_applied(connection, found, sealed.wanted.subjects, at)
    if observed.gone and observed.bindings:
        with database.write() as connection:
            for key in observed.gone:
                forget_applied(connection, key)


def _is_recorded(sealed: Sealed, seen: ObservedBinding) -> bool:
    found = sealed.digests.get(seen.binding.key.canonical)
    return found == (seen.binding.digest, seen.uid, seen.resource_version)


@dataclass(frozen=True, slots=True)
class _Ending:
    """Writes down how a pass ended."""

    sealed: Sealed
    observed: Observation
    settled: Settled
    outcome: Outcome
    result: PassResult
    policy: PassPolicy
    is_abandoned: bool
    credential_ends: datetime | None
    started: datetime
    drifted: tuple[BindingKey, ...]
    new: list[Condition] = field(default_factory=list)
    """Those of its conditions that were not there before, once it is written."""

    def write(self, connection: Connection, pass_id: str, at: datetime) -> tuple[Condition, ...]:
        """Write the pass, the cluster's health, its conditions, and which approvals are used up."""
        not_lost = self.outcome.not_lost
        take_back_removals(connection, pass_id, {subject for _, subject in not_lost})
        self._count(connection, at)
        if self.is_abandoned:
            abandon_pass(connection, pass_id, self.result, at)
            return ()
        cluster_id = self.sealed.cluster_id
        fraction, pace = self.policy.draw(), self.policy.pace
        problem = self.observed.problem
        if problem is None:
            finish_pass(
                connection,
                pass_id,
                cluster_id,
                self.result,
                self.sealed.generation,
                at,
                pace=pace,
                fraction=fraction,
            )
        else:
            wish = problem.retry_after if isinstance(problem, ClusterThrottled) else None
            fail_pass(
                connection,
                pass_id,
                cluster_id,
                str(problem),
                at,
                pace=pace,
                fraction=fraction,
                wish=wish,
                result=self.result,
            )
        if self.settled.is_judged and not self.settled.is_first_contact:
            seen = [each for each in self.settled.plans.approved if each.id in self.sealed.approved]
            used = [each for each in seen if not each.lists & not_lost]
            end_approvals(connection, used, PlanState.APPLIED)
        conditions = tuple(self._conditions(connection, at))
        self.new.extend(set_conditions(connection, self.sealed.organization_id, cluster_id, conditions, at))
        return conditions

    def _count(self, connection: Connection, at: datetime) -> None:
        failed = "failed" if self.observed.problem else self.result.state
        state = "abandoned" if self.is_abandoned else failed
        amounts = of_pass(self.outcome, state, seconds_between(self.started, at))
        count(connection, self.sealed.organization_id, self.sealed.cluster_id, amounts)

    def _about_the_cluster(self, at: datetime) -> Iterable[Condition]:
        left = self.result.unfinished
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            yield Condition("TimeBudgetSpent", "", f"the next pass goes on with {'; '.join(left[:5])}{more}")
        ends = self.credential_ends
        if ends is not None and ends < at + CREDENTIAL_WARNING:
            verb = "ended" if ends <= at else "ends"
            yield Condition("CredentialEnds", "", f"the credential {verb} at {ends:%Y-%m-%d %H:%M} UTC; give another")

    def _conditions(self, connection: Connection, at: datetime) -> Iterable[Condition]:
        yield from self.sealed.wanted.conditions
        yield from self.observed.conditions
        if self.observed.problem is not None:
            yield of_unreadable(self.observed.problem)
        waiting = open_plans(connection, self.sealed.cluster_id).waiting
        if self.settled.freezes:
            yield Condition("Frozen", "", self.settled.freezes.sentence)
        if self.settled.is_first_contact:
            told = f" {waiting.hash[:12]}" if waiting else ""
            yield Condition("FirstPlanWaits", "", f"nothing is written before its first plan{told} is approved")
        elif waiting is not None:
            yield Condition(
                "RemovalsHeld",
                "",
                f"{self.result.held} people keep what they would lose: nobody asked for it by name, and together they "
                f"are more than an hour may take away; plan {waiting.hash[:12]} waits for an approval",
            )
        yield from drift_conditions(self.drifted)
        yield from (still_condition(each) for each in remaining_access(connection, self.sealed.cluster_id, at))
        yield from scan_conditions(connection, self.sealed.cluster_id)
        yield from revocation_conditions(connection, self.sealed.cluster_id, self.policy.objective_seconds, at)
        yield from self._about_the_cluster(at)
        if self.outcome.unpublished is not None:
            yield Condition("NotPublished", "", str(self.outcome.unpublished))
        for change, error in self.outcome.failed:
            found = of_failed_write(change.binding.key.family, error)
            if found is not None:
                yield found
