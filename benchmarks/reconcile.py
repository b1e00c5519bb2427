"""
What keeping clusters in step costs: 10,000 bindings with nothing to do, 1,000 changes on one cluster, leavers on 50
clusters of which one hangs, 1,000 clusters with nothing to do, and growth from 1,000 to 100,000 subjects.

The real parts (`reconcile_cluster`, the scheduler, the official client, SQLite; a fake API server in a process of its
own) beside what nobody can save, all in one run: reading the same objects from JSON with orjson, listing and writing
them with urllib3 alone, and hand-written SQL. Cost is CPU time of this process, the best of some rounds, but for the
leavers, where time is what counts.
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.reconcile_floor.api import Api, api_process
from benchmarks.reconcile_floor.raw import Raw
from benchmarks.reconcile_floor.rows import join_groups, put_company, record
from benchmarks.reconcile_parts.growth import best, measure_growth, resident
from benchmarks.reconcile_parts.idle import measure_idle
from benchmarks.reconcile_parts.leavers import measure_leavers
from scim_bridge.clusters.gateway import Gateway
from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.desired import Desired, desired
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.domain.planning import plan_changes
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.snapshot import read_organization
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import PassReport, reconcile_cluster
from tests.sync.worlds import World, make_world

SUBJECTS = 10
TARGET_SECONDS = 3.0
PARTS = ("passes", "leavers", "idle", "growth")


@dataclass(frozen=True)
class Bench:
    """The store, the cluster, and the raw client beside it."""

    world: World
    api: Api
    raw: Raw
    gateway: Gateway
    instance: str

    def run_pass(self) -> PassReport:
        """Run one whole pass."""
        world = self.world
        return reconcile_cluster(
            world.database, self.gateway, world.organization_id, world.cluster_id, PassPolicy(budget_seconds=3600),
            lambda: datetime.now(UTC),
        )  # fmt: skip

    def wanted(self) -> Desired:
        """Read the store and decide."""
        world = self.world
        with world.database.read() as connection:
            snapshot = read_organization(connection, world.organization_id, world.at)
        return desired(snapshot, world.cluster_id)


def main() -> int:
    """Measure, check what was written, print, and answer 1 when the target is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", action="append", choices=PARTS, help="these parts; all if left out")
    options.add_argument("--quick", action="store_true", help="the same in small: whether it works, not what it costs")
    options.add_argument("--bindings", type=int)
    options.add_argument("--changes", type=int)
    options.add_argument("--profile", action="store_true", help="say where the time of the quiet pass goes")
    given = options.parse_args()
    small = given.quick
    bindings, changes = (200, 20) if small else (10_000, 1_000)
    measure: dict[str, Callable[[Api, Path], bool]] = {
        "passes": lambda api, folder: measure_passes(
            api, folder, given.bindings or bindings, given.changes or changes, with_profile=given.profile
        ),
        "leavers": lambda api, folder: measure_leavers(api, folder, *((5, 2) if small else (50, 20))),
        "idle": lambda api, folder: measure_idle(api, folder, *((50, 2) if small else (1_000, 60))),
        "growth": lambda _, folder: measure_growth(folder, *((100, 1_000) if small else (1_000, 100_000))),
    }
    reached = []
    for part in given.only or PARTS:
        with api_process() as api, tempfile.TemporaryDirectory() as folder:
            reached.append(measure[part](api, Path(folder)))
    # Small shapes are for seeing that it works: their numbers are of nothing.
    return 0 if small or all(reached) else 1


def measure_passes(api: Api, folder: Path, bindings: int, changes: int, *, with_profile: bool) -> bool:
    """Measure a pass with nothing to do and one with changes, and tell whether the targets were reached."""
    bench = set_up(api, folder, bindings)
    if with_profile:
        profile(bench)
    cost = measure_quiet(bench, bindings)
    print(f"  at most {resident():.0f} MiB were held, this benchmark's own objects included")
    measure_changes(bench, changes)
    bench.gateway.close()
    bench.world.database.dispose()
    return cost <= TARGET_SECONDS


def set_up(api: Api, folder: Path, bindings: int) -> Bench:
    """Fill the store, the cluster and the record, all in step."""
    database = Database(f"sqlite:///{folder / 'bench.sqlite3'}")
    migrations.upgrade(database)
    world = make_world(database)
    put_company(world, bindings, SUBJECTS)
    with database.write() as connection:
        instance = instance_id(connection)
    target = Target(TargetKind.KUBERNETES, world.organization_id, world.cluster_id, instance, api.kubeconfig)
    bench = Bench(world, api, Raw(api), open_gateway(target), instance)
    wanted = bench.wanted()
    namespaces = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each.key.family.namespace}}
        for each in wanted.bindings
    )
    api.fill(list(namespaces))
    api.fill([to_object(instance, each) for each in wanted.bindings])
    seen = bench.gateway.list_bindings()
    record(
        database,
        world,
        [(each.binding, each.name, each.uid, each.resource_version) for each in seen],
        dict(wanted.subjects),
    )
    return bench


def measure_quiet(bench: Bench, count: int) -> float:
    """Measure a pass with nothing to do and its parts; return what it costs."""
    bench.api.writes()
    whole = best(lambda: require_quiet(bench.run_pass()))
    if written := bench.api.writes():
        raise SystemExit(f"a pass with nothing to do wrote {written} times")
    items = bench.raw.list_all()
    text = orjson.dumps(items)
    wanted, seen = bench.wanted(), bench.gateway.list_bindings()
    parts = {
        "floor: orjson.loads": best(lambda: orjson.loads(text)),
        "floor: list by urllib3": best(bench.raw.list_all),
        "list by the gateway": best(bench.gateway.list_bindings),
        "of it: check what is ours": best(
            lambda: [from_object(bench.instance, each) for each in items if is_ours(each)]
        ),
        "read the store, decide": best(bench.wanted),
        "plan": best(lambda: plan_changes(bench.world.cluster_id, wanted.bindings, seen)),
        "the whole pass": whole,
    }
    floor, listing = parts["floor: orjson.loads"], parts["floor: list by urllib3"]
    print(f"{count} bindings of {SUBJECTS} subjects, nothing to do: no write; CPU seconds")
    print(f"  {'':<28}{'seconds':>8}{'/ loads':>9}{'/ list':>9}")
    for name, seconds in parts.items():
        print(f"  {name:<28}{seconds:8.3f}{seconds / floor:8.1f}x{seconds / listing:8.1f}x")
    print(f"  target: at most {TARGET_SECONDS:.0f} s for the whole pass")
    return whole


def measure_changes(bench: Bench, count: int) -> None:
    """Let one person into so many namespaces, and write as many objects with urllib3 alone."""
    join_groups(bench.world, count)
    began, cpu = time.perf_counter(), time.process_time()
    report = bench.run_pass()
    taken, cost = time.perf_counter() - began, time.process_time() - cpu
    if (report.result.updated, report.is_ok, bench.api.writes()) != (count, True, count):
        raise SystemExit(f"{count} changes were to be written, and {report.result.updated} were")
    changed = [each for each in bench.wanted().bindings if len(each.subjects) > SUBJECTS]
    documents = [to_object(bench.instance, each) for each in changed]
    for each in documents:
        each["subjects"] = each["subjects"][:SUBJECTS]
    began, cpu = time.perf_counter(), time.process_time()
    bench.raw.apply_all(documents)
    raw_taken, raw_cost = time.perf_counter() - began, time.process_time() - cpu
    print(f"{count} changes on one cluster: changes a second, CPU milliseconds a change")
    for name, seconds, spent in (("floor: apply by urllib3", raw_taken, raw_cost), ("the whole pass", taken, cost)):
        print(f"  {name:<28}{count / seconds:8.0f}/s{spent / count * 1000:8.2f} ms")
    print(f"  share of the floor's rate {raw_taken / taken:.2f}, CPU {cost / raw_cost:.1f}x, reading included")


def require_quiet(report: PassReport) -> None:
    """Refuse to measure a pass that found something to do."""
    if not report.is_ok or not report.plan.is_empty:
        raise SystemExit(f"the pass was to find nothing to do: {report.problem or report.result}")


def is_ours(item: dict[str, dict[str, object]]) -> bool:
    """Tell whether a listed object is one of the bench's."""
    return bool(item["metadata"].get("annotations"))


def profile(bench: Bench) -> None:
    """Say where the time of one quiet pass goes."""
    profiler = cProfile.Profile()
    profiler.runcall(bench.run_pass)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    sys.exit(main())
