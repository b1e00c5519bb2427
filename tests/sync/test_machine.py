"""
Random histories: people come and go, rules and hands change things, clusters fail, schedulers are killed, time passes.

In the end every cluster is as it should be; and at no moment did an active person lose what they should have had all
along.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import Binding, Family
from scim_bridge.domain.desired import desired
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterDenied, ClusterError, ClusterThrottled, ClusterUnreachable
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.freezes import end_freeze, insert_freeze, list_freezes
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import grant, grant_origin, membership
from scim_bridge.store.snapshot import read_organization
from scim_bridge.sync import approvals
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.worlds import CLI, World, make_world

Pair = tuple[Family, str]
GROUPS, PEOPLE = 3, 6
MEMORY = "/dev/shm"
SMALL = PassPolicy(subjects_per_binding=2, writers=1)
FAULTS: dict[str, Callable[[World], None]] = {}
NUMBERS = st.integers(0, 99)


class SchedulerKilled(BaseException):
    """The process is gone: nothing catches it."""


def fault(name: str, attribute: str, error: ClusterError | bool) -> None:
    FAULTS[name] = lambda world: setattr(world.cluster, attribute, error)


fault("no list", "break_list", ClusterUnreachable("timed out"))
fault("no reads", "break_read", ClusterUnreachable("timed out"))
fault("no writes", "break_apply", ClusterThrottled("too many requests", 1))
fault("no deletes", "break_delete", ClusterUnreachable("reset"))
fault("no creates", "break_create", ClusterDenied("you may not bind"))
fault("an empty list", "lies_empty", True)
fault("not carried on", "break_publish", ClusterUnreachable("push failed"))


class Machine(RuleBasedStateMachine):
    """One organization with two clusters in a database of this example's own."""

    template: Path

    @initialize()
    def begin(self) -> None:
        # In memory where that is a folder: a history is hundreds of commits, and each waits for the disk.
        self.folder = tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None)
        copied = shutil.copy(self.template, self.folder)
        self.database = Database(f"sqlite:///{copied}")
        self.world = make_world(self.database)
        self.worlds = [self.world, self.world.add_cluster("other")]
        self.groups = [self.world.add_group(f"group-{n}") for n in range(GROUPS)]
        self.people = [self.world.add_member(f"person-{n}") for n in range(PEOPLE)]
        for number, person in enumerate(self.people):
            self.world.join(self.groups[number % GROUPS], person)
        self.world.give("edit", group=self.groups[0])
        self.world.give("view", group=self.groups[1])
        self.all_along: list[set[Pair]] = [set(), set()]
        for each in self.worlds:
            self._watch(each)
        self.wanted_changed()
        self.work(0)
        self.work(1)

    # --- the world changes ---------------------------------------------------------------------------------------

    @rule(group=NUMBERS, person=NUMBERS)
    def join(self, group: int, person: int) -> None:
        """Let an identity provider put somebody into a group."""
        place, who = self.groups[group % GROUPS], self.people[person % PEOPLE]
        with self.database.read() as connection:
            here = sa.select(membership.c.id).where(
                membership.c.group_id == place, membership.c.member_id == who, membership.c.valid_to.is_(None)
            )
            if connection.execute(here).first():
                return
        self.world.join(place, who)
        self.wanted_changed()

    @rule(group=NUMBERS, person=NUMBERS, by_name=st.booleans())
    def leave(self, group: int, person: int, by_name: bool) -> None:
        """Let an identity provider take somebody out, by name or by a list without them."""
        who = self.people[person % PEOPLE]
        self.world.leave(self.groups[group % GROUPS], who)
        if by_name:
            with self.database.write() as connection:
                request_removals(connection, self.world.change(connection), [MemberId(who)], "membership")
        self.wanted_changed()

    @rule(person=NUMBERS)
    def deactivate(self, person: int) -> None:
        self.world.deactivate(self.people[person % PEOPLE])
        self.wanted_changed()

    @rule(person=NUMBERS)
    def reactivate(self, person: int) -> None:
        self.world.activate(self.people[person % PEOPLE])
        self.wanted_changed()

    @rule(group=NUMBERS, role=st.sampled_from(["edit", "view"]), namespace=st.sampled_from([None, "shop", "lab"]))
    def edit_rules(self, group: int, role: str, namespace: str | None) -> None:
        """Let a rule give a group something more, or end what it gives."""
        place = self.groups[group % GROUPS]
        with self.database.read() as connection:
            query = sa.select(grant.c.id).where(grant.c.group_id == place, grant.c.valid_to.is_(None))
            held = list(connection.execute(query.order_by(grant.c.id)).scalars())
            given = connection.execute(query.where(grant.c.kubernetes_role == role)).first() is not None
        if len(held) > 1:
            with self.database.write() as connection:
                ended = {"valid_to": self.world.at}
                connection.execute(sa.update(grant_origin).where(grant_origin.c.grant_id == held[-1]).values(ended))
                connection.execute(sa.update(grant).where(grant.c.id == held[-1]).values(ended))
                self.world.change(connection)
        elif namespace is None:
            if not given:
                self.world.give(role, group=place)
        elif not self._has_project(namespace):
            self.world.give_namespace(role, place, namespace)
        self.wanted_changed()

    @rule(where=st.integers(0, 1), what=st.sampled_from(["let in", "throw out", "delete"]), number=NUMBERS)
    def edit_by_hand(self, where: int, what: str, number: int) -> None:
        """Let somebody with kubectl do something to a binding of ours."""
        cluster = self.worlds[where].cluster
        if not cluster.objects:
            return
        if what == "let in":
            cluster.let_in("mallory")
            return
        key = sorted(cluster.objects, key=lambda each: each.sort_key)[number % len(cluster.objects)]
        seen = cluster.objects.pop(key)
        subjects = seen.binding.subjects
        gone = subjects if what == "delete" or len(subjects) == 1 else subjects[:1]
        if len(gone) < len(subjects):
            kept = Binding(key, subjects[len(gone) :])
            version = f"{seen.resource_version}-by-hand"
            cluster.objects[key] = ObservedBinding(kept, seen.name, seen.uid, version)
        # What somebody took away by hand was not the bridge's doing.
        self.all_along[where] -= {(key.family, subject) for subject in gone}

    # --- trouble -------------------------------------------------------------------------------------------------

    @rule(where=st.integers(0, 1), name=st.sampled_from(sorted(FAULTS)))
    def fail(self, where: int, name: str) -> None:
        FAULTS[name](self.worlds[where])

    @rule(where=st.integers(0, 1))
    def recover(self, where: int) -> None:
        cluster = self.worlds[where].cluster
        for name in ("list", "read", "apply", "create", "delete", "publish"):
            setattr(cluster, f"break_{name}", None)
        cluster.lies_empty = False

    @rule(minutes=st.sampled_from([1, 10, 61, 1500]))
    def time_passes(self, minutes: int) -> None:
        self._set_time(self.world.at + timedelta(minutes=minutes))

    @rule(leavers=st.booleans())
    def freeze(self, leavers: bool) -> None:
        from scim_bridge.domain.freezes import Freeze

        owner = self.world.organization_id
        until = self.world.at + timedelta(hours=12)
        with self.database.write() as connection:
            insert_freeze(connection, Freeze("", owner, None, None, leavers, "", "ada", self.world.at, until))

    @rule()
    def thaw(self) -> None:
        with self.database.write() as connection:
            for each in list_freezes(connection, self.world.organization_id, self.world.at):
                end_freeze(connection, each.id, "ada", self.world.at)

    # --- the bridge works ----------------------------------------------------------------------------------------

    @rule(where=st.integers(0, 1), after=st.integers(0, 4), first=st.booleans())
    def killed(self, where: int, after: int, first: bool) -> None:
        """Let the scheduler die before or after one of its writes, or stop because it lost its turn."""
        cluster, left = self.worlds[where].cluster, [after]

        def die(binding: Binding) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise SchedulerKilled

        before, behind = cluster.before_apply, cluster.after_apply

        def die_behind(binding: Binding) -> None:
            if behind is not None:
                behind(binding)
            die(binding)

        if first:
            cluster.before_apply = die
        else:
            cluster.after_apply = die_behind
        try:
            self.work(where)
        except SchedulerKilled:
            pass
        finally:
            cluster.before_apply, cluster.after_apply = before, behind

    @rule(where=st.integers(0, 1))
    def work(self, where: int) -> None:
        """Do what the scheduler does: removals, then a pass."""
        world = self.worlds[where]
        self._set_time(self.world.at + timedelta(seconds=5))
        self.remove(where)
        world.reconcile(SMALL)
        self._set_time(world.at)
        present = {(key.family, s) for key, seen in world.cluster.objects.items() for s in seen.binding.subjects}
        self.all_along[where] |= present & self._desired(world)

    @rule(where=st.integers(0, 1))
    def remove(self, where: int) -> None:
        world = self.worlds[where]
        with self.database.write() as connection:
            spread_removals(connection, world.at)
        place = DueCluster(world.cluster_id, world.organization_id)
        carry_out_removals(self.database, world.cluster, place, lambda: world.at, lambda: True)

    @rule()
    def approve(self) -> None:
        for each in approvals.waiting(self.database, "acme"):
            approvals.approve(self.database, CLI, "acme", each.cluster, each.hash, clock=lambda: self.world.at)

    # --- what holds ----------------------------------------------------------------------------------------------

    @invariant()
    def nobody_lost_what_they_should_have_had_all_along(self) -> None:
        for where in range(len(getattr(self, "all_along", ()))):
            self._check(where)

    def teardown(self) -> None:
        if not hasattr(self, "worlds"):
            return
        try:
            self._settle()
        finally:
            self.database.dispose()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _settle(self) -> None:
        """Let all trouble end and the bridge work on; then every cluster is as it should be."""
        self.thaw()
        for where in (0, 1):
            self.recover(where)
        for _ in range(6):
            self._set_time(self.world.at + timedelta(minutes=2))
            self.work(0)
            self.work(1)
            self.approve()
        for world in self.worlds:
            objects = world.cluster.objects.items()
            present = {(key.family, s) for key, seen in objects for s in seen.binding.subjects}
            assert present == self._desired(world)

    def wanted_changed(self) -> None:
        """Forget what is not wanted any more: it may go."""
        for where, world in enumerate(self.worlds):
            self.all_along[where] &= self._desired(world)

    def _watch(self, world: World) -> None:
        where = self.worlds.index(world)

        def check(binding: Binding) -> None:
            self._check(where)

        world.cluster.after_apply = check
        delete = world.cluster.delete

        def delete_and_check(observed: ObservedBinding) -> None:
            delete(observed)
            self._check(where)

        world.cluster.delete = delete_and_check  # type: ignore[method-assign]

    def _check(self, where: int) -> None:
        objects = self.worlds[where].cluster.objects
        present = {(key.family, s) for key, seen in objects.items() for s in seen.binding.subjects}
        denied = self.worlds[where].cluster.break_apply is not None
        lost = self.all_along[where] - present
        assert not lost or denied, f"lost: {sorted((f.namespace or '', f.role.value, s) for f, s in lost)}"

    def _desired(self, world: World) -> set[Pair]:
        with self.database.read() as connection:
            snapshot = read_organization(connection, world.organization_id, self.world.at)
        found = desired(snapshot, world.cluster_id)
        return {(each.key.family, subject) for each in found.bindings for subject in each.subjects}

    def _has_project(self, name: str) -> bool:
        with self.database.read() as connection:
            snapshot = read_organization(connection, self.world.organization_id, self.world.at)
        return any(each.name == name for each in snapshot.tree.projects.values())

    def _set_time(self, at: object) -> None:
        for each in self.worlds:
            each.at = at  # type: ignore[assignment]


def test_random_histories_end_as_they_should_and_nobody_loses_anything_on_the_way(migrated_sqlite: Path) -> None:
    machine = type("MachineOnSqlite", (Machine,), {"template": migrated_sqlite})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
