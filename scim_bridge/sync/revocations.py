"""
The lane of asked-for removals: a leaver is out of a cluster before, and whatever, its passes do.

It needs no list: the record of what was applied says which shards hold a person. Each is read, checked to be ours, and
written without them or deleted, naming the version that was read. What access says now decides, not the request: who
was granted the same again in between keeps it. A removal is confirmed only once the cluster shows it, and only when no
pass is on its way that may have read the store before the request and still write what it read.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.approvals import change_message, changed_document
from scim_bridge.domain.bindings import BindingKey, Family
from scim_bridge.domain.desired import Condition, desired
from scim_bridge.domain.freezes import Freezes
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.errors import ClusterDenied, ClusterError, ClusterThrottled, ClusterUnreachable, StaleBinding
from scim_bridge.log import get_logger
from scim_bridge.store.applied import Applied, keys_held_by, record_taken
from scim_bridge.store.change_queue import DueCluster, make_due
from scim_bridge.store.conditions import add_condition
from scim_bridge.store.counters import count
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.freezes import freezes_on
from scim_bridge.store.leases import held_leases
from scim_bridge.store.proofs import Taken, ask_for_proofs
from scim_bridge.store.removal_queue import (
    Removal,
    close_removals,
    open_removals_on,
    postpone_removals,
    record_run,
)
from scim_bridge.store.snapshot import read_members
from scim_bridge.store.written import REMOVALS, Written, audit_written, recorded
from scim_bridge.sync.counting import of_removals, seconds_between
from scim_bridge.sync.events import tell
from scim_bridge.sync.removal_pace import LONGEST_WAIT as LONGEST_WAIT
from scim_bridge.sync.removal_pace import RemovalPolicy as RemovalPolicy
from scim_bridge.sync.removal_pace import RemovalReport as RemovalReport
from scim_bridge.sync.removal_pace import summed, wait_for
from scim_bridge.sync.turns import pass_lease

Clock = Callable[[], datetime]

ATTEMPTS_AT_A_SHARD = 5
LOOK_AGAIN = timedelta(seconds=1)
GIVE_UP_AFTER = 3
"""So many shards in a row without an answer: the cluster hangs, and asking for the others would take as long again."""
PASS_UNDER_WAY = "a pass that began before is still under way"

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that a batch reads of the store, in one read that is closed before the first network call."""

    removals: list[Removal]
    held: Mapping[MemberId, list[tuple[str, BindingKey]]]
    snapshot: Snapshot
    pass_under_way: bool
    freezes: Freezes


class _Taken(Enum):
    """What the cluster showed of a shard."""

    WRITTEN = "written"
    """It held one of them, and a write that named its version took them out: who read it before cannot write it."""
    ABSENT = "absent"
    """It held none of them."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What these members have a right to now on one cluster."""

    pairs: frozenset[tuple[Family, str]]
    complete: bool
    active: frozenset[MemberId]

    def keeps(self, member_id: MemberId, family: Family, subject: str) -> bool | None:
        """Tell whether a member keeps a place; None when nobody knows, because namespaces could not be read."""
        if (family, subject) in self.pairs:
            return True
        # Unknown is not empty; but who is not active has a right to nothing, whatever a selector selects.
        unknown = not self.complete and family.namespace is not None and member_id in self.active
        return None if unknown else False


@dataclass(slots=True)
class _Sorted:
    """What is to be done for each removal, by its id."""

    goes: dict[str, list[tuple[str, BindingKey]]] = field(default_factory=dict)
    keeps: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)

    def shards(self) -> dict[BindingKey, set[str]]:
        """Return whom each shard is to lose: however many leave, each is written once."""
        found: dict[BindingKey, set[str]] = {}
        for pairs in self.goes.values():
            for subject, key in pairs:
                found.setdefault(key, set()).add(subject)
        return found


@dataclass(slots=True)
class _Numbers:
    """What was done on the cluster."""

    updated: int = 0
    deleted: int = 0
    lost: list[tuple[Family, str]] = field(default_factory=list)
    problems: dict[BindingKey, ClusterError] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)


def carry_out_removals(
    database: Database,
    gateway: Gateway,
    place: DueCluster,
    clock: Clock,
    goes_on: Callable[[], bool],
    policy: RemovalPolicy | None = None,
) -> RemovalReport:
    """
    Carry out the removals of one cluster that may be tried now; ``goes_on`` is asked before every write.

    Never raises for what the cluster does: what fails is postponed with its reason and stops nothing else.
    """
    report = RemovalReport()
    while goes_on():
        asked = _read(database, place, clock())
        if not asked.removals:
            break
        run = _Run(database, gateway, place, clock, goes_on, policy or RemovalPolicy(), asked)
        report = summed(report, run.carry_out())
    return report


def postpone_all(
    database: Database, place: DueCluster, reason: str, clock: Clock, policy: RemovalPolicy | None = None
) -> None:
    """Try the removals of a cluster again later: its gateway could not even be opened."""
    with database.write() as connection:
        removals = open_removals_on(connection, place.id, clock())
        wait = wait_for(removals, policy or RemovalPolicy(), ())
        postpone_removals(connection, [each.id for each in removals], reason, clock() + wait)


def _read(database: Database, place: DueCluster, at: datetime) -> _Asked:
    with database.read() as connection:
        removals = open_removals_on(connection, place.id, at)
        members = sorted({each.member_id for each in removals})
        return _Asked(
            removals,
            keys_held_by(connection, place.id, members),
            read_members(connection, place.organization_id, members, at),
            pass_lease(place.id) in held_leases(connection, at),
            freezes_on(connection, place.organization_id, place.id, at),
        )


@dataclass(slots=True)
class _Run:
    """One batch: all removals of a shard in one write."""

    database: Database
    gateway: Gateway
    place: DueCluster
    clock: Clock
    goes_on: Callable[[], bool]
    policy: RemovalPolicy
    asked: _Asked
    numbers: _Numbers = field(default_factory=_Numbers)

    def carry_out(self) -> RemovalReport:
        """Take out who is to go, shard by shard, then write down what is confirmed and what is not."""
        started = self.clock()
        if len(self.asked.snapshot.members) > self.policy.alarm_from:
            log.warning("many people are to leave", cluster=self.place.id, people=len(self.asked.snapshot.members))
        todo = self._sort(self._wanted())
        shown = self._take_out(todo)
        self._publish(shown)
        report = self._write_down(todo, shown, started)
        tell(self.database, self.gateway, self.place.id, self.numbers.conditions, self.clock())
        return report

    def _publish(self, shown: Mapping[BindingKey, _Taken]) -> None:
        """Let it be carried on, or nothing of it is confirmed: a folder that nobody reads takes no access away."""
        if not shown:
            return
        try:
            self.gateway.publish(change_message(changed_document((), self.numbers.lost)))
        except ClusterError as error:
            self.numbers.problems |= dict.fromkeys(shown, error)

    def _wanted(self) -> _Wanted:
        snapshot, cluster_id = self.asked.snapshot, self.place.id
        found = desired(snapshot, cluster_id)
        active = frozenset(id_ for id_, each in snapshot.members.items() if each.state is MemberState.ACTIVE)
        if not found.complete and active:
            # Selectors alone need the network here, and only for people who may keep something by them.
            with suppress(ClusterError):
                found = desired(snapshot, cluster_id, namespaces=self.gateway.namespaces())
        pairs = frozenset((each.key.family, subject) for each in found.bindings for subject in each.subjects)
        return _Wanted(pairs, found.complete, active)

    def _sort(self, wanted: _Wanted) -> _Sorted:
        todo = _Sorted()
        for removal in self.asked.removals:
            todo.goes[removal.id] = []
            for subject, key in self.asked.held.get(removal.member_id, ()):
                if not removal.covers(key.family):
                    continue
                if self.asked.freezes.holds_leavers(key.family):
                    todo.frozen.add(removal.id)
                    continue
                keeps = wanted.keeps(removal.member_id, key.family, subject)
                if keeps is None:
                    todo.unknown.add(removal.id)
                elif keeps:
                    todo.keeps.add(removal.id)
                else:
                    todo.goes[removal.id].append((subject, key))
        return todo

    def _take_out(self, todo: _Sorted) -> dict[BindingKey, _Taken]:
        tried: dict[BindingKey, int] = {}
        for removal in self.asked.removals:
            for _, key in todo.goes[removal.id]:
                tried[key] = min(tried.get(key, removal.attempts), removal.attempts)
        shards = todo.shards()
        shown: dict[BindingKey, _Taken] = {}
        silent = 0
        # What was never tried goes first: shards that fail each time must not keep the others waiting.
        for key in sorted(shards, key=lambda each: (tried[each], each.sort_key)):
            if silent >= GIVE_UP_AFTER or not self.goes_on():
                break
            try:
                shown[key] = self._take(key, shards[key])
                silent = 0
            except ClusterError as error:
                self.numbers.problems[key] = error
                silent = silent + 1 if isinstance(error, ClusterUnreachable) else 0
                if isinstance(error, ClusterThrottled):
                    break
        return shown

    def _take(self, key: BindingKey, subjects: set[str]) -> _Taken:
        for _ in range(ATTEMPTS_AT_A_SHARD):
            observed = self.gateway.get(key)
            present = subjects.intersection(observed.binding.subjects) if observed is not None else set()
            if observed is None or not present:
                # A pass under way may be about to write them: then the record is all that says so.
                if not self.asked.pass_under_way:
                    self._record(key, subjects, observed)
                return _Taken.ABSENT
            left = tuple(each for each in observed.binding.subjects if each not in subjects)
            try:
                after = self._write(observed, left)
            except StaleBinding:
                continue
            self.numbers.lost += [(key.family, subject) for subject in sorted(present)]
            self._record(key, subjects, after, present)
            return _Taken.WRITTEN
        raise StaleBinding(f"It changed {ATTEMPTS_AT_A_SHARD} times while it was being written.")

    def _write(self, observed: ObservedBinding, left: tuple[str, ...]) -> ObservedBinding | None:
        """Write a shard with those who are left, or delete it; returns what it is then."""
        if left:
            try:
                after = self.gateway.apply(replace(observed.binding, subjects=left), observed)
            except ClusterDenied as error:
                self._deny_everybody(observed, left, error)
            else:
                self.numbers.updated += 1
                return after
        self.gateway.delete(observed)
        self.numbers.deleted += 1
        return None

    def _deny_everybody(self, observed: ObservedBinding, left: tuple[str, ...], error: ClusterDenied) -> None:
        """
        Say that a shard is deleted because the cluster lets us no longer write it: fail closed.

        A write of a binding needs the right to bind its role, a delete does not. Who is left in it loses access too,
        until somebody gives that right back and the next pass writes the shard again.
        """
        message = f"{len(left)} others lose access with it, as the cluster refuses a binding without who was removed"
        self.numbers.conditions.append(Condition("RemovedByDelete", observed.name, f"{message}: {error}"))
        log.error("a binding is deleted whole", cluster=self.place.id, binding=observed.name, others=len(left))

    def _record(
        self, key: BindingKey, subjects: set[str], after: ObservedBinding | None, taken: Collection[str] = ()
    ) -> None:
        left = None if after is None else Applied(after.binding, after.name, after.uid, after.resource_version)
        with self.database.write() as connection:
            before = recorded(connection, [key])
            record_taken(connection, key, subjects, left, self.clock())
            if taken:
                written = [Written(key, removed=taken, is_gone=after is None)]
                audit_written(connection, written, before, {}, self.clock(), REMOVALS)

    def _write_down(self, todo: _Sorted, shown: Mapping[BindingKey, _Taken], started: datetime) -> RemovalReport:
        done, void, late = [], [], []
        reasons: dict[str, list[str]] = {}
        for removal in self.asked.removals:
            keys = [key for _, key in todo.goes[removal.id]]
            reason = self._problem(removal.id, todo, keys, shown)
            if reason is not None:
                reasons.setdefault(reason, []).append(removal.id)
            elif self.asked.pass_under_way and any(shown[key] is _Taken.ABSENT for key in keys):
                late.append(removal.id)
            elif keys or removal.id not in todo.keeps:
                done.append(removal.id)
            else:
                void.append(removal.id)
        at = self.clock()
        wait = wait_for(self.asked.removals, self.policy, self.numbers.problems.values())
        with self.database.write() as connection:
            close_removals(connection, done, "done", at)
            ask_for_proofs(connection, self.place.id, self._taken(todo, done), at)
            close_removals(connection, void, "void", at)
            postpone_removals(connection, late, PASS_UNDER_WAY, at + LOOK_AGAIN, failed=False)
            for reason, ids in reasons.items():
                postpone_removals(connection, ids, reason, at + wait)
            self._record_run(connection, started, at, sorted(reasons))
            took = [seconds_between(each.requested_at, at) for each in self.asked.removals if each.id in set(done)]
            numbers = self.numbers
            amounts = of_removals(numbers.updated, numbers.deleted, numbers.problems.values(), took)
            count(connection, self.place.organization_id, self.place.id, amounts)
        for reason, ids in reasons.items():
            log.warning("removals could not be carried out", cluster=self.place.id, removals=len(ids), reason=reason)
        return RemovalReport(len(done), len(void), len(late) + sum(map(len, reasons.values())), tuple(sorted(reasons)))

    def _taken(self, todo: _Sorted, done: list[str]) -> Iterable[Taken]:
        """Yield what was confirmed, for the cluster to be asked about; it never delays a removal."""
        for removal in self.asked.removals:
            if removal.id in set(done):
                pairs = todo.goes[removal.id]
                subjects = tuple(sorted({subject for subject, _ in pairs}))
                families = tuple(sorted({key.family for _, key in pairs}, key=lambda each: each.sort_key))
                yield Taken(removal.request_id, removal.organization_id, removal.member_id, subjects, families)

    def _problem(
        self, removal_id: str, todo: _Sorted, keys: list[BindingKey], shown: Mapping[BindingKey, _Taken]
    ) -> str | None:
        """Return why a removal is not confirmed, None when it is."""
        problems = self.numbers.problems
        for key in keys:
            if key in problems:
                return str(problems[key])
        if any(key not in shown for key in keys):
            return "the run ended before its turn: " + (str(next(iter(problems.values()))) if problems else "stopped")
        if removal_id in todo.frozen:
            return f"frozen, leavers included: {self.asked.freezes.sentence}"
        return "the cluster's namespaces could not be read" if removal_id in todo.unknown else None

    def _record_run(self, connection: Connection, started: datetime, at: datetime, problems: list[str]) -> None:
        numbers = self.numbers
        for condition in numbers.conditions:
            add_condition(connection, self.place.organization_id, self.place.id, condition, at)
        if numbers.conditions:
            # Who lost access with a shard is waited for by nobody else: the next pass tries to give it back.
            make_due(connection, self.place.id, at)
        if numbers.updated or numbers.deleted or problems:
            record_run(
                connection,
                self.place,
                started,
                at,
                updated=numbers.updated,
                deleted=numbers.deleted,
                changes=changed_document((), numbers.lost),
                subjects_removed=len(numbers.lost),
                problems=problems,
            )
