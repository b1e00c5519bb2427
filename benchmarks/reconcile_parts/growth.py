"""From a thousand subjects of one role to a hundred thousand: what a pass, a leaver and a joiner cost."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from benchmarks.reconcile_floor.api import api_process
from benchmarks.reconcile_floor.raw import Raw
from benchmarks.reconcile_floor.rows import put_team, record
from scim_bridge.clusters.gateway import Gateway
from scim_bridge.clusters.objects import to_object
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.desired import desired
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.store import migrations
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.snapshot import read_organization
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.worlds import World, make_world

LINEAR = 1.5
"""A pass reads everybody: its cost for each subject may grow by so much; a leaver's may not grow with the others."""
LEAVER_TARGET = 3.0


@dataclass(frozen=True)
class Cost:
    """CPU seconds; ``floor`` is a list of the same by urllib3 and orjson, ``resident`` the process in MiB."""

    subjects: int
    floor: float
    quiet: float
    joiner: float
    leaver: float
    resident: float


def measure_growth(folder: Path, least: int, most: int) -> bool:
    """Measure both sizes, print them beside the floor, and tell whether the targets were reached."""
    small, large = (_measure(folder, size) for size in (least, most))
    print("subjects of one role on one cluster, a thousand to a binding; CPU seconds")
    print(f"  {'subjects':>10}{'list (floor)':>14}{'pass':>9}{'/ floor':>9}{'joiner':>9}{'leaver':>9}{'RSS MiB':>9}")
    for each in (small, large):
        print(
            f"  {each.subjects:>10}{each.floor:14.4f}{each.quiet:9.3f}{each.quiet / each.floor:8.1f}x"
            f"{each.joiner:9.3f}{each.leaver:9.4f}{each.resident:9.0f}"
        )
    per_subject = (large.quiet / large.subjects) / (small.quiet / small.subjects)
    leaver = large.leaver / small.leaver
    print(f"  a pass, for each subject: {per_subject:.2f}x; target at most {LINEAR:.1f}x")
    print(f"  a leaver: {leaver:.2f}x; target at most {LEAVER_TARGET:.1f}x")
    return per_subject <= LINEAR and leaver <= LEAVER_TARGET


def _measure(folder: Path, size: int) -> Cost:
    database = Database(f"sqlite:///{folder / f'growth-{size}.sqlite3'}")
    migrations.upgrade(database)
    world = make_world(database)
    group, people = put_team(world, size)
    with api_process() as api:
        with database.write() as connection:
            instance = instance_id(connection)
        target = Target(TargetKind.KUBERNETES, world.organization_id, world.cluster_id, instance, api.kubeconfig)
        gateway, raw = open_gateway(target), Raw(api)
        with database.read() as connection:
            wanted = desired(read_organization(connection, world.organization_id, world.at), world.cluster_id)
        api.fill([to_object(instance, each) for each in wanted.bindings])
        seen = [(each.binding, each.name, each.uid, each.resource_version) for each in gateway.list_bindings()]
        record(database, world, seen, dict(wanted.subjects))
        _run_pass(world, gateway)
        text = orjson.dumps(raw.list_all())
        floor = best(raw.list_all)
        quiet = best(lambda: _run_pass(world, gateway))
        assert len(text) > size
        joiner = best(lambda: _join(world, group, gateway))
        leaver = best(lambda: _leave(world, people.pop(), gateway))
        gateway.close()
    database.dispose()
    return Cost(size, floor, quiet, joiner, leaver, resident())


def _run_pass(world: World, gateway: Gateway) -> None:
    made = reconcile_cluster(
        world.database, gateway, world.organization_id, world.cluster_id, PassPolicy(), lambda: datetime.now(UTC)
    )
    assert made.is_ok, made.result


def _join(world: World, group: str, gateway: Gateway) -> None:
    world.at += timedelta(seconds=1)
    world.join(group, world.add_member(f"newcomer-{world.at.timestamp()}"))
    _run_pass(world, gateway)


def _leave(world: World, member_id: str, gateway: Gateway) -> None:
    world.deactivate(member_id)
    with world.database.write() as connection:
        spread_removals(connection, datetime.now(UTC))
    place = DueCluster(world.cluster_id, world.organization_id)
    report = carry_out_removals(world.database, gateway, place, lambda: datetime.now(UTC), lambda: True)
    assert report.done == 1, report


def best(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the least CPU seconds that the work took."""
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def resident() -> float:
    """Return the most MiB that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
