"""What a pass may do: the sealed read, the plan, what the brakes hold of it, and its announcement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from scim_bridge.domain.approvals import PlanState, Reason, held_document
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.brakes import brake, hold_everything_inferred
from scim_bridge.domain.desired import Desired, desired, names_on
from scim_bridge.domain.freezes import NOT_FROZEN, Freezes, frozen_plan
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.planning import (
    NO_GROUPS,
    Action,
    GroupSubjects,
    Plan,
    Removal,
    by_people,
    hold_everything,
    people_losing,
    plan_changes,
    without_additions,
)
from scim_bridge.errors import NotFound
from scim_bridge.store.announcements import Addition, Sight, announce, asked_since, lock_cluster
from scim_bridge.store.applied import applied_digests, bits_of, recorded_keys
from scim_bridge.store.cluster_registry import REMOVED, UNAPPROVED, read_target
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.freezes import freezes_on
from scim_bridge.store.group_subjects import groups_on, in_lately
from scim_bridge.store.passes import AskedFor, Start, generation_of, open_requests, start_pass
from scim_bridge.store.plans import OpenPlans, end_approvals, keep_waiting, open_plans, stop_waiting
from scim_bridge.store.removal_queue import request_ids
from scim_bridge.store.snapshot import read_organization
from scim_bridge.store.windows import HOUR, Present, count_present, lock_brakes, note_removals, persons_of, read_windows
from scim_bridge.sync.observing import Observation
from scim_bridge.sync.policies import PassPolicy


@dataclass(frozen=True, slots=True)
class Sealed:
    """All that a pass reads of the store before it looks at the cluster, from one read transaction."""

    organization_id: OrganizationId
    cluster_id: ClusterId
    revision: str
    generation: int
    state: str
    wanted: Desired
    asked_for: AskedFor
    digests: Mapping[str, tuple[str, str, str]]
    recorded: frozenset[BindingKey]
    sight: Sight
    groups: GroupSubjects = NO_GROUPS
    people: Mapping[str, MemberId] = field(default_factory=dict)
    """Everybody who is or was to be there, by their own subjects."""
    approved: frozenset[str] = frozenset()
    """The approvals that this read saw: one that came later may be of a change that it did not see."""


@dataclass(frozen=True, slots=True)
class Settled:
    """
    A plan with what is held of it, and why.

    ``is_judged`` is False when one side was not wholly known: then what waits says nothing, and no plan waits for
    approval because of it. ``losing`` are those who lose something unasked, and whom each is counted as.
    ``is_frozen`` tells that something of the plan is left out because somebody froze it.
    """

    plan: Plan
    state: str
    is_judged: bool
    ceiling: frozenset[Removal]
    before: Present | None
    losing: Mapping[str, str]
    plans: OpenPlans
    freezes: Freezes = NOT_FROZEN
    is_frozen: bool = False

    @property
    def is_first_contact(self) -> bool:
        """Tell whether nobody approved this cluster yet."""
        return self.state == UNAPPROVED

    @property
    def reason(self) -> Reason:
        """Return why what is held waits."""
        return Reason.FIRST_CONTACT if self.is_first_contact else Reason.BRAKE


def read_sealed(
    database: Database,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    policy: PassPolicy,
    at: datetime,
    namespaces: Mapping[str, Mapping[str, str]] | None = None,
) -> Sealed:
    """Read what a pass needs, in one sealed read; raises NotFound for a cluster that was removed."""
    with database.read() as connection:
        state = read_target(connection, cluster_id).state
        if state == REMOVED:
            raise NotFound(f"The cluster {cluster_id} is not registered any more.")
        generation = generation_of(connection, cluster_id)
        snapshot = read_organization(connection, organization_id, at)
        digests = applied_digests(connection, cluster_id)
        recorded_groups = groups_on(connection, cluster_id)
        lately = in_lately(connection, recorded_groups.values(), at - HOUR) if recorded_groups else {}
        called = names_on(snapshot, cluster_id, frozenset().union(*lately.values()))
        asked_for = open_requests(connection, cluster_id, at, {name: each for each, name in called.items()})
        requests = request_ids(connection, organization_id, at)
        approved = frozenset(each.id for each in open_plans(connection, cluster_id).approved)
    recorded = recorded_keys(digests)
    wanted = desired(
        snapshot,
        cluster_id,
        per_binding=policy.subjects_per_binding,
        current_bits=bits_of(recorded),
        namespaces=namespaces,
    )
    sight = Sight(organization_id, cluster_id, at, requests, wanted.subjects, wanted.groups)
    until_now = {
        subject: frozenset(called[each] for each in lately.get(group_id, ()))
        for subject, group_id in recorded_groups.items()
    }
    return Sealed(
        organization_id,
        cluster_id,
        snapshot.revision,
        generation,
        state,
        wanted,
        asked_for,
        digests,
        recorded,
        sight,
        GroupSubjects(wanted.through, until_now),
        {**{name: each for each, name in called.items()}, **wanted.subjects},
        approved,
    )


def difference(sealed: Sealed, observed: Observation) -> Plan:
    """Return what makes the cluster as desired; nothing is held of it yet."""
    wanted = sealed.wanted.bindings if observed.readable is None else observed.readable
    return plan_changes(sealed.cluster_id, wanted, observed.bindings, sealed.groups)


def settle(
    connection: Connection, sealed: Sealed, observed: Observation, plan: Plan, policy: PassPolicy, at: datetime
) -> Settled:
    """Return the plan of a pass with what is held and frozen: dry run, page and execution are this same plan."""
    settled = _held(connection, sealed, observed, plan, policy, at)
    freezes = freezes_on(connection, sealed.organization_id, sealed.cluster_id, at)
    left = frozen_plan(settled.plan, freezes, by_people(sealed.asked_for.covers, settled.plan.changes))
    going = people_losing(left.changes)
    losing = {subject: person for subject, person in settled.losing.items() if subject in going}
    is_frozen = left.changes != settled.plan.changes
    return replace(settled, plan=left, losing=losing, freezes=freezes, is_frozen=is_frozen)


def _held(
    connection: Connection, sealed: Sealed, observed: Observation, plan: Plan, policy: PassPolicy, at: datetime
) -> Settled:
    state = read_target(connection, sealed.cluster_id).state
    if state == REMOVED:
        raise NotFound(f"The cluster {sealed.cluster_id} is not registered any more.")
    plans = open_plans(connection, sealed.cluster_id)
    ceiling = plans.ceiling(at)
    if state == UNAPPROVED:
        judged = observed.is_whole and sealed.wanted.complete
        return Settled(hold_everything(plan), state, judged, ceiling, None, {}, plans)
    if not (observed.is_whole and sealed.wanted.complete):
        # Unknown is not empty; what somebody approved was read wholly when they did.
        covers = by_people(sealed.asked_for.covers, plan.changes)
        held = hold_everything_inferred(plan, lambda each: covers(each) or each in ceiling)
        return Settled(held, state, False, ceiling, None, {}, plans)
    if plan.is_empty:
        return Settled(plan, state, True, ceiling, None, {}, plans)
    return _braked(connection, sealed, plan, policy, at, state, plans)


def announce_pass(
    database: Database, sealed: Sealed, observed: Observation, policy: PassPolicy, at: datetime
) -> tuple[str, Settled]:
    """
    Write down what a pass is about to do, in one transaction, and return its id and what may be done now.

    Removals of all passes of an organization share one limit, so they are settled one after the other.
    """
    # Not inside: nobody else writes to SQLite meanwhile.
    whole = difference(sealed, observed)
    with database.write() as connection:
        lock_brakes(connection, sealed.organization_id)
        lock_cluster(connection, sealed.cluster_id)
        settled = settle(connection, sealed, observed, whole, policy, at)
        plan = settled.plan
        pass_id = start_pass(
            connection,
            Start(sealed.organization_id, sealed.cluster_id, at, sealed.revision, plan.hash, settled.before),
        )
        if settled.is_judged:
            _keep_what_waits(connection, sealed, settled, at)
        allowed = without_additions(plan, asked_since(connection, sealed.sight))
        announce(connection, sealed.sight, _additions(allowed))
        note_removals(connection, pass_id, sealed.organization_id, sealed.cluster_id, settled.losing, at)
    return pass_id, replace(settled, plan=allowed)


def _braked(
    connection: Connection,
    sealed: Sealed,
    plan: Plan,
    policy: PassPolicy,
    at: datetime,
    state: str,
    plans: OpenPlans,
) -> Settled:
    ceiling = plans.ceiling(at)
    present = count_present(connection, sealed.organization_id, sealed.cluster_id)

    covers = by_people(sealed.asked_for.covers, plan.changes)

    def is_inferred(removal: Removal) -> bool:
        return removal not in ceiling and not covers(removal)

    losing = persons_of(connection, sealed.cluster_id, sorted(people_losing(plan.changes, is_inferred)), sealed.people)
    windows = read_windows(
        connection,
        sealed.organization_id,
        sealed.cluster_id,
        at,
        present=present,
        left=len(sealed.wanted.subjects),
        losing=losing,
    )
    held = brake(
        plan,
        windows,
        policy.limits,
        is_asked_for=covers,
        ceiling=ceiling,
        waiting=plans.held(at),
    )
    going = people_losing(held.changes, is_inferred)
    return Settled(held, state, True, ceiling, present, {each: losing[each] for each in sorted(going)}, plans)


def _keep_what_waits(connection: Connection, sealed: Sealed, settled: Settled, at: datetime) -> None:
    expired = [each for each in settled.plans.approved if not each.is_in_force(at)]
    end_approvals(connection, expired, PlanState.EXPIRED)
    if settled.plan.held or settled.is_first_contact:
        keep_waiting(
            connection,
            sealed.organization_id,
            sealed.cluster_id,
            settled.plan.held_hash,
            settled.reason,
            held_document(settled.plan, settled.reason),
            at,
        )
    else:
        stop_waiting(connection, sealed.cluster_id)


def _additions(plan: Plan) -> list[Addition]:
    return [Addition(change.binding.key, change.added) for change in plan.of(Action.CREATE, Action.GROW)]
