"""Carries out a settled plan, each change on its own: one failure never stops another nor marks anything absent."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.approvals import changed_document, subjects_of
from scim_bridge.domain.bindings import BindingKey
from scim_bridge.domain.planning import (
    Action,
    Change,
    Plan,
    Removal,
    after_failures,
    by_people,
    lost_of,
    moved,
    people_losing,
)
from scim_bridge.errors import ClusterError, ClusterThrottled, ClusterUnreachable
from scim_bridge.store.announcements import Confirmed
from scim_bridge.store.applied import Applied
from scim_bridge.store.database import Database
from scim_bridge.store.passes import PassResult
from scim_bridge.sync.recording import Recorder
from scim_bridge.sync.settling import Sealed, Settled

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Outcome:
    """What was done, what failed and why, and what was not tried because the pass was stopped."""

    done: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, ClusterError]] = field(default_factory=list)
    unpublished: ClusterError | None = None
    stopped: list[Change] = field(default_factory=list)
    out_of_reach: bool = False

    @property
    def not_done(self) -> list[Change]:
        """Return what was to be carried out and was not."""
        return [*(change for change, _ in self.failed), *self.stopped]


class Writing:
    """
    Writes on several threads; the stages stay in order, so that nobody is without access that desired had all along.

    ``goes_on`` is asked before every write; once it says no, nothing more is written.
    """

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        sealed: Sealed,
        seen: Iterable[ObservedBinding],
        *,
        writers: int,
        clock: Clock,
        goes_on: Callable[[], bool],
    ) -> None:
        """Prepare; nothing is written yet."""
        self._recorder = Recorder(database, sealed.sight, clock)
        self._gateway = gateway
        self._sealed = sealed
        self._seen: dict[BindingKey, ObservedBinding] = {each.binding.key: each for each in seen}
        self._writers = writers
        self._goes_on = goes_on

    def carry_out(self, plan: Plan) -> Outcome:
        """Apply the plan in its order: creates and grows, shrinks, deletes."""
        outcome = Outcome()
        self._stage(outcome, plan.of(Action.CREATE, Action.GROW))
        # What somebody lost goes, whatever failed; who only moves to a shard that is not there yet stays.
        unwritten = [change for change, _ in outcome.failed] + outcome.stopped
        rest = after_failures(plan.of(Action.SHRINK, Action.DELETE), unwritten)
        for action in (Action.SHRINK, Action.DELETE):
            self._stage(outcome, [change for change in rest if change.action is action])
        return outcome

    def _stage(self, outcome: Outcome, changes: Sequence[Change]) -> None:
        """Carry out changes of one stage, those first that somebody asked for."""
        ordered = sorted(changes, key=lambda change: not self._takes_what_was_asked_for(change))
        stage = _Stage(self, outcome)
        if self._writers == 1 or len(ordered) < 2:
            for change in ordered:
                stage.attempt(change)
            return
        with ThreadPoolExecutor(min(self._writers, len(ordered)), "writer") as pool:
            list(pool.map(stage.attempt, ordered))

    def _takes_what_was_asked_for(self, change: Change) -> bool:
        family = change.binding.key.family
        return any(self._sealed.asked_for.covers((family, subject)) for subject in change.lost)

    def write(self, change: Change) -> bool:
        """Carry out one change and record it; False when the pass is to stop."""
        if not self._goes_on():
            return False
        key = change.binding.key
        before = self._seen.get(key)
        if change.action is Action.DELETE:
            if before is not None:
                self._gateway.delete(before)
            self._seen.pop(key, None)
            self._recorder.record(key, None)
            return True
        after = self._gateway.apply(change.binding, before)
        self._seen[key] = after
        applied = Applied(after.binding, after.name, after.uid, after.resource_version)
        self._recorder.record(key, Confirmed(applied, _added(before, after), _removed(before, after)))
        return True

    @property
    def patience(self) -> int:
        """Return after how many refusals without one success a stage is given up."""
        return max(self._writers, 2)


class _Stage:
    """One stage: counts what became of its changes, and gives up on a cluster that does not answer at all."""

    def __init__(self, writing: Writing, outcome: Outcome) -> None:
        self._writing = writing
        self._outcome = outcome
        self._lock = threading.Lock()
        self._ended = False
        self._unanswered = 0
        self._succeeded = False
        self._last: ClusterError | None = None

    def attempt(self, change: Change) -> None:
        """Try one change."""
        with self._lock:
            if self._ended:
                self._outcome.stopped.append(change)
                return
            if self._last is not None and self._unanswered >= self._writing.patience and not self._succeeded:
                # A thousand more would each wait for the same time-out, and the next pass tries them all.
                self._outcome.out_of_reach = True
                self._outcome.failed.append((change, self._last))
                return
        try:
            went_on = self._writing.write(change)
        except ClusterError as error:
            with self._lock:
                self._outcome.failed.append((change, error))
                if isinstance(error, ClusterUnreachable | ClusterThrottled):
                    self._unanswered += 1
                    self._last = error
        except BaseException:
            # The database is away: what is written now could not be recorded.
            self._ended = True
            raise
        else:
            with self._lock:
                self._ended = self._ended or not went_on
                self._succeeded = self._succeeded or went_on
                (self._outcome.done if went_on else self._outcome.stopped).append(change)


def result_of(sealed: Sealed, settled: Settled, outcome: Outcome, had: Iterable[ObservedBinding]) -> PassResult:
    """Count what a pass did: subjects once each, in however many objects."""
    gained = _gained(outcome.done, had)
    actions = [change.action for change in outcome.done]
    wishes = [error.retry_after or 0.0 for _, error in outcome.failed if isinstance(error, ClusterThrottled)]

    covers = by_people(sealed.asked_for.covers, outcome.done)

    def is_inferred(removal: Removal) -> bool:
        return removal not in settled.ceiling and not covers(removal)

    return PassResult(
        created=actions.count(Action.CREATE),
        updated=len({c.binding.key for c in outcome.done if c.action in (Action.GROW, Action.SHRINK)}),
        deleted=actions.count(Action.DELETE),
        subjects_added=len(subjects_of(gained)),
        subjects_removed=len(people_losing(outcome.done)),
        inferred_removed=len(people_losing(outcome.done, is_inferred)),
        held=len(people_losing(settled.plan.held)),
        failed=_failures(outcome),
        waits=settled.is_first_contact,
        frozen=settled.is_frozen,
        unsure=not settled.is_judged,
        unfinished=tuple(_named(change) for change in outcome.stopped),
        out_of_reach=outcome.out_of_reach,
        wish=max(wishes, default=None),
    )


def _failures(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    failed = tuple((_named(change), str(error)) for change, error in outcome.failed)
    return failed if outcome.unpublished is None else (*failed, ("publish", str(outcome.unpublished)))


def what_changed(done: Iterable[Change], had: Iterable[ObservedBinding]) -> dict[str, Any]:
    """Return who gained and lost what, as it is kept and told."""
    changes = list(done)
    return changed_document(_gained(changes, had), lost_of(changes))


def _gained(done: Iterable[Change], had: Iterable[ObservedBinding]) -> set[Removal]:
    """Return every (family, subject) that came in; who moved from one object of the family to another did not."""
    changes = list(done)
    came = {(change.binding.key.family, subject) for change in changes for subject in change.added} - moved(changes)
    families = {family for family, _ in came}
    return came - {
        (seen.binding.key.family, subject)
        for seen in had
        if seen.binding.key.family in families
        for subject in seen.binding.subjects
    }


def _removed(before: ObservedBinding | None, after: ObservedBinding) -> frozenset[str]:
    had = before.binding.subjects if before is not None else ()
    return frozenset(had) - frozenset(after.binding.subjects)


def _added(before: ObservedBinding | None, after: ObservedBinding) -> frozenset[str]:
    # Not the change's own: a shrink brings those along whose grow failed.
    return frozenset(after.binding.subjects) - frozenset(before.binding.subjects if before else ())


def _named(change: Change) -> str:
    family = change.binding.key.family
    return f"{change.action.value} {family.role.value} in {family.namespace or 'the whole cluster'}"
