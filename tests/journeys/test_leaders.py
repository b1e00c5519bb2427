"""
Two schedulers on one PostgreSQL of the test's own; the one that works is killed, or stopped and woken, in mid-pass.

The other takes over within the lease, and the one that wakes up late writes nothing: it lost its turn.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_bridge.domain.organizations import ClusterId, TargetKind
from scim_bridge.settings import Settings
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.schema import sync_pass
from scim_bridge.store.sealing import load_keyring
from tests.fakes.kube_api import FakeKubeApi
from tests.journeys.own_postgresql import own_postgresql
from tests.journeys.processes import Process, holder_of_pass, living_world, started
from tests.journeys.troubled import access
from tests.kube.world import kubeconfig, prepare
from tests.sync.clockwork import PATIENCE, eventually
from tests.sync.worlds import World

LEASE = 2.0


@dataclass
class Rivals:
    """Two schedulers, a cluster behind real HTTP, and who holds its passes."""

    world: World
    api: FakeKubeApi
    place: ClusterId
    processes: list[Process] = field(default_factory=list)

    def holder(self) -> Process | None:
        pid = holder_of_pass(self.world, self.place)
        return next((each for each in self.processes if each.process.pid == pid), None)

    def working(self) -> Process:
        """Wait until one of them is in the middle of a pass that the cluster keeps waiting."""
        assert eventually(lambda: self.holder() is not None, PATIENCE * 3)
        found = self.holder()
        assert found is not None
        return found

    def heard(self) -> list[str]:
        """Return what both said, for whoever has to find out why a test failed."""
        return [line for each in self.processes for line in (*each.said, *each.lines.queue)]

    def passes(self) -> list[str]:
        query = sa.select(sync_pass.c.state).where(sync_pass.c.kind == "full").order_by(sync_pass.c.id)
        with self.world.database.read() as connection:
            return list(connection.execute(query).scalars())


@pytest.fixture
def rivals(tmp_path: Path) -> Iterator[Rivals]:
    with ExitStack() as stack:
        url = stack.enter_context(own_postgresql())
        api = stack.enter_context(FakeKubeApi())
        prepare(api)
        world = living_world(url)
        stack.callback(world.database.dispose)
        keyring = load_keyring(Settings(home=tmp_path))
        sealed = keyring.seal(kubeconfig(api))
        target = NewTarget(
            "api", None, TargetKind.KUBERNETES, "{user_name}", api.url, sealed_credential=sealed, approved=True
        )
        with world.database.write() as connection:
            made = insert_cluster(connection, world.change(connection), target)
        rivals = Rivals(world, api, made.id)
        settings = {"lease_seconds": str(LEASE), "cluster_read_seconds": "60", "pass_interval_seconds": "2"}
        for _ in range(2):
            process = stack.enter_context(started("scim-bridge", "scheduler", home=tmp_path, url=url, **settings))
            rivals.processes.append(process)
        for process in rivals.processes:
            process.hear("The scheduler runs")
        yield rivals
        api.faults.clear()


def begin(rivals: Rivals) -> Process:
    """Let somebody have edit, and keep whoever writes that waiting in the middle of it."""
    waiting = rivals.api.faults.hang("create", "clusterrolebindings", times=1)
    ana = rivals.world.add_member("ana")
    rivals.world.give("edit", member_id=ana)
    with rivals.world.database.write() as connection:
        rivals.world.change(connection)
    assert eventually(lambda: waiting.times == 0, PATIENCE * 3)
    return rivals.working()


def test_when_the_leader_is_killed_in_mid_pass_the_other_takes_over_within_the_lease(rivals: Rivals) -> None:
    leader = begin(rivals)
    began = time.monotonic()

    leader.kill()
    taken_over = eventually(lambda: access(rivals.api) == {"edit": {"ana"}}, PATIENCE * 3)
    seconds = time.monotonic() - began

    assert taken_over
    # The lease, a look each second, and what a loaded machine needs.
    assert seconds < LEASE + PATIENCE


def test_a_leader_that_is_stopped_in_mid_pass_and_woken_writes_nothing_that_is_past(rivals: Rivals) -> None:
    leader = begin(rivals)
    os.kill(leader.process.pid, signal.SIGSTOP)
    try:
        taken_over = eventually(lambda: access(rivals.api) == {"edit": {"ana"}}, PATIENCE * 5)
        other = next(each for each in rivals.processes if each is not leader)
        # What the stopped one is about to do is wrong by now: ana has left, and ben came.
        rivals.world.at = datetime.now(UTC)
        with rivals.world.database.read() as connection:
            [ana] = connection.execute(sa.text("select id from member where user_name = 'ana'")).scalars()
        rivals.world.deactivate(ana)
        rivals.world.give("view", member_id=rivals.world.add_member("ben"))
        with rivals.world.database.write() as connection:
            rivals.world.change(connection)
        changed = eventually(lambda: access(rivals.api) == {"view": {"ben"}}, PATIENCE * 5)
    finally:
        os.kill(leader.process.pid, signal.SIGCONT)
    rivals.api.faults.clear()
    seen = []
    for _ in range(30):
        seen.append(access(rivals.api))
        time.sleep(0.1)

    assert (taken_over, changed) == (True, True), (seen[-1], rivals.passes(), rivals.heard())
    assert [each for each in seen if each != {"view": {"ben"}}] == []
    assert other.process.poll() is None
    assert {leader.terminate(), other.terminate()} == {0}
