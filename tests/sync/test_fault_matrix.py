"""
Every fault a cluster can have, against every kind of change: nobody who should have access loses it, whoever was asked
to leave is out once the fault is over, another cluster is not kept waiting, and the state says what happened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import Binding
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    StaleBinding,
)
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.sync.revocations import carry_out_removals
from tests.fakes.cluster import FakeCluster
from tests.sync.worlds import World, team

EDIT = (None, "edit")
UNREACHABLE = ClusterUnreachable("timed out after 30 s")
THROTTLED = ClusterThrottled("too many requests", 1)
DENIED = ClusterDenied("you may not")
REJECTED = ClusterRejected("request is too large")
Trouble = Callable[[FakeCluster], None]


class ProcessDied(BaseException):
    """What nothing catches: the process is gone in the middle of its work."""


def die_before(cluster: FakeCluster) -> None:
    def die(binding: Binding) -> None:
        raise ProcessDied

    cluster.before_apply = die


def die_after(cluster: FakeCluster) -> None:
    def die(binding: Binding) -> None:
        raise ProcessDied

    cluster.after_apply = die


def set_all(**faults: ClusterError) -> Trouble:
    def trouble(cluster: FakeCluster) -> None:
        for name, error in faults.items():
            setattr(cluster, f"break_{name}", error)

    return trouble


def lie(*, by_name: bool) -> Trouble:
    def trouble(cluster: FakeCluster) -> None:
        cluster.lies_empty, cluster.lies_by_name = True, by_name

    return trouble


def lie_by_half(cluster: FakeCluster) -> None:
    whole = cluster.list_bindings

    def half() -> list[ObservedBinding]:
        return whole()[::2]

    cluster.list_bindings = half  # type: ignore[method-assign]


FAULTS: dict[str, Trouble] = {
    "nothing answers": set_all(list=UNREACHABLE, read=UNREACHABLE, apply=UNREACHABLE, delete=UNREACHABLE),
    "the credential is refused": set_all(list=DENIED, read=DENIED, apply=DENIED, delete=DENIED),
    "it asks for patience": set_all(list=THROTTLED, read=THROTTLED, apply=THROTTLED, delete=THROTTLED),
    "the list does not answer": set_all(list=UNREACHABLE),
    "the list is refused": set_all(list=DENIED),
    "the list is throttled": set_all(list=THROTTLED),
    "the list is empty by mistake": lie(by_name=False),
    "everything is said not to be there": lie(by_name=True),
    "the list leaves half out": lie_by_half,
    "reads by name do not answer": set_all(read=UNREACHABLE),
    "writes do not answer": set_all(apply=UNREACHABLE, delete=UNREACHABLE),
    "writes are throttled": set_all(apply=THROTTLED, delete=THROTTLED),
    "bind was lost": set_all(apply=DENIED),
    "deletes are refused": set_all(delete=DENIED),
    "writes are too large": set_all(apply=REJECTED),
    "creates are rejected": set_all(create=REJECTED),
    "everything changes all the time": set_all(apply=StaleBinding("it changed"), delete=StaleBinding("it changed")),
    "nothing can be published": set_all(publish=UNREACHABLE),
    "the process dies before a write": die_before,
    "the process dies after a write": die_after,
}
UNWRITTEN_STATE = ("the process dies before a write", "the process dies after a write")


def end(cluster: FakeCluster) -> None:
    for name in ("list", "read", "apply", "create", "delete", "publish"):
        setattr(cluster, f"break_{name}", None)
    cluster.lies_empty = cluster.lies_by_name = False
    cluster.before_apply = cluster.after_apply = None
    vars(cluster).pop("list_bindings", None)


@dataclass
class Cell:
    """One world with two clusters in step, of which one gets into trouble."""

    troubled: World
    steady: World
    group: str
    people: list[str]
    others: str = ""
    deaths: int = 0

    def work(self, world: World) -> None:
        """Do what the scheduler does on one cluster: removals, then a pass."""
        self.troubled.at = self.steady.at = max(self.troubled.at, self.steady.at) + timedelta(seconds=10)
        with world.database.write() as connection:
            spread_removals(connection, world.at)
        place = DueCluster(world.cluster_id, world.organization_id)
        try:
            carry_out_removals(world.database, world.cluster, place, lambda: world.at, lambda: True)
        except ProcessDied:
            self.deaths += 1
        try:
            world.reconcile()
        except ProcessDied:
            self.deaths += 1

    def holds(self, world: World, role: tuple[str | None, str] = EDIT) -> set[str]:
        return world.cluster.access.get(role, set())


@pytest.fixture
def cell(world: World) -> Cell:
    steady = world.add_cluster("steady")
    group, people = team(world, 4)
    others, _ = team(world, 2, "view", "others")
    made = Cell(world, steady, group, people, others)
    for each in (world, steady):
        made.work(each)
    return made


def create(cell: Cell) -> set[str]:
    """Give the team a second role somewhere: an object that is not there yet."""
    cell.troubled.give_namespace("view", cell.group, "shop")
    return {f"team-{n:02}" for n in range(4)}


def grow(cell: Cell) -> set[str]:
    cell.troubled.join(cell.group, cell.troubled.add_member("newcomer"))
    return {*(f"team-{n:02}" for n in range(4)), "newcomer"}


def shrink(cell: Cell) -> set[str]:
    """Let one be asked to leave, and one be missing from a list."""
    cell.troubled.deactivate(cell.people[0])
    cell.troubled.leave(cell.group, cell.people[1])
    return {"team-02", "team-03"}


def delete(cell: Cell) -> set[str]:
    """Let everybody of the team be asked to leave: the object goes."""
    cell.troubled.deactivate(*cell.people)
    return set()


CHANGES = {"create": create, "grow": grow, "shrink": shrink, "delete": delete}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_wrong_with_a_cluster(cell: Cell, fault: str, change: str) -> None:
    troubled, steady = cell.troubled, cell.steady
    before = cell.holds(troubled)
    FAULTS[fault](troubled.cluster)

    desired = CHANGES[change](cell)
    for _ in range(2):
        cell.work(troubled)
        cell.work(steady)
    during, beside = cell.holds(troubled), cell.holds(steady)
    viewers = cell.holds(troubled, (None, "view"))
    health, conditions = troubled.health()[0], troubled.conditions()
    end(troubled.cluster)
    for _ in range(3):
        cell.work(troubled)

    # During: whoever should have it and had it has it still, whatever was not seen or could not be written.
    fails_closed = fault == "bind was lost" and change == "shrink"
    assert fails_closed or (before & desired) <= during, "somebody lost access that nobody asked to take"
    assert viewers == {"others-00", "others-01"}
    # Beside: the other cluster is as it should be at once.
    assert beside == desired
    # After: the cluster is as it should be, and nobody who was asked to leave is in.
    assert cell.holds(troubled) == desired
    assert (troubled.health()[0], troubled.conditions()) == ("ok", [])
    # It is told, unless the fault did not touch this change at all, or nobody lived to tell.
    untouched = during == desired and health == "ok"
    assert untouched or fault in UNWRITTEN_STATE or health in ("degraded", "failing"), (health, conditions)


@pytest.mark.parametrize("fault", [name for name in FAULTS if "list" in name or "not to be there" in name])
def test_while_a_list_is_not_whole_nobody_is_inferred_away(cell: Cell, fault: str) -> None:
    FAULTS[fault](cell.troubled.cluster)
    cell.troubled.leave(cell.group, cell.people[1])

    for _ in range(3):
        cell.work(cell.troubled)

    inferred = "team-01" not in cell.holds(cell.troubled)
    # Half a list may happen to hold the very object, and the rest was read by name; all others know too little.
    assert not inferred or fault == "the list leaves half out"
