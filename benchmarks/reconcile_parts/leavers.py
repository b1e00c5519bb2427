"""One leaver after the other on fifty clusters, one of which hangs: how long until the others are without them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa
from pydantic import SecretStr

from benchmarks.reconcile_floor.api import Api
from benchmarks.reconcile_floor.raw import Raw
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.organizations import ClusterId, TargetKind
from scim_bridge.log import configure_logging
from scim_bridge.settings import Settings
from scim_bridge.store import migrations
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import insert_cluster
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.schema import cluster_sync, removal_request, removal_request_cluster
from scim_bridge.sync.scheduler import Scheduler
from tests.sync.clockwork import Targets
from tests.sync.worlds import TARGET, World, make_world

TARGET_SECONDS = 10.0
PATIENCE_SECONDS = 120.0


def measure_leavers(api: Api, folder: Path, clusters: int, leavers: int) -> bool:
    """Measure both and the floor, print them, and tell whether the target was reached."""
    configure_logging("critical")
    database = Database(f"sqlite:///{folder / 'leavers.sqlite3'}")
    migrations.upgrade(database)
    world = make_world(database)
    world.at = now()
    with _at_work(world, api, clusters) as (hanging, people):
        _wait(lambda: _well(world) == clusters, "the first passes")
        floor = _measured(lambda: _by_hand(api, world, clusters - 1, leavers))
        well = _measured(lambda: _leave(world, people, leavers, hanging))
        api.hang()
        hung = _measured(lambda: _leave(world, people, leavers, hanging))
        api.release()
    database.dispose()
    _show(clusters, leavers, floor, well, hung)
    return _p95(hung.seconds) <= TARGET_SECONDS


@dataclass(frozen=True)
class _Measured:
    """Seconds of each leaver on each cluster, and the CPU seconds of this process for all of it, passes included."""

    seconds: list[float]
    cpu: float


def _measured(work: Callable[[], list[float]]) -> _Measured:
    began = time.process_time()
    return _Measured(work(), time.process_time() - began)


@contextmanager
def _at_work(world: World, api: Api, clusters: int) -> Iterator[tuple[ClusterId, list[str]]]:
    """Register the clusters, the last of them on a server that can hang, and let a scheduler keep them in step."""
    places = [world.cluster_id]
    with world.database.write() as connection:
        for number in range(1, clusters):
            target = replace(TARGET, name=f"cluster-{number:02}")
            places.append(insert_cluster(connection, world.change(connection), target).id)
        instance = instance_id(connection)
    group, people = world.add_group("team"), [world.add_member(f"person-{number:03}") for number in range(100)]
    world.join(group, *people)
    world.give("edit", group=group)
    gateways = {
        each: open_gateway(
            Target(
                TargetKind.KUBERNETES,
                world.organization_id,
                each,
                instance,
                api.other if each == places[-1] else api.kubeconfig,
            )
        )
        for each in places
    }
    settings = Settings(database_url=SecretStr("sqlite:///unused"))
    scheduler = Scheduler(world.database, Targets(gateways), settings)
    scheduler.start()
    try:
        yield places[-1], people
    finally:
        api.release()
        scheduler.stop()
        for gateway in gateways.values():
            gateway.close()


def _leave(world: World, people: list[str], count: int, hanging: ClusterId) -> list[float]:
    """Let so many leave, one after the other; return the seconds of each on each cluster but the last one."""
    taken: list[float] = []
    for _ in range(count):
        world.at = now()
        world.deactivate(people.pop())
        _wait(lambda: not _open(world, hanging), "a leaver")
        taken += _times(world, hanging)
    return taken


def _open(world: World, hanging: ClusterId) -> int:
    parts = removal_request_cluster.c
    unspread = sa.select(sa.func.count()).where(removal_request.c.dispatched_at.is_(None))
    waiting = sa.select(sa.func.count()).where(parts.state == "open", parts.cluster_id != hanging)
    with world.database.read() as connection:
        return sum(int(connection.execute(query).scalar_one()) for query in (unspread, waiting))


def _times(world: World, hanging: ClusterId) -> list[float]:
    parts = removal_request_cluster.c
    newest = sa.select(sa.func.max(removal_request.c.id)).scalar_subquery()
    query = (
        sa.select(removal_request.c.requested_at, parts.done_at)
        .join(removal_request, removal_request.c.id == parts.removal_request_id)
        .where(parts.removal_request_id == newest, parts.cluster_id != hanging)
    )
    with world.database.read() as connection:
        return [(done - asked).total_seconds() for asked, done in connection.execute(query)]


def _well(world: World) -> int:
    query = sa.select(sa.func.count()).select_from(cluster_sync).where(cluster_sync.c.health == "ok")
    with world.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _by_hand(api: Api, world: World, clusters: int, leavers: int) -> list[float]:
    """Return the seconds from the begin of each round to each write, with as many threads as the lane has."""
    raw, workers = Raw(api), Settings(database_url=SecretStr("sqlite:///unused")).revocation_workers
    items = [each for each in raw.list_all() if each["metadata"].get("annotations")][:clusters]
    taken: list[float] = []

    def take_out(item: dict[str, object], began: float) -> None:
        raw.rewrite(item)
        taken.append(time.perf_counter() - began)

    for _ in range(leavers):
        began = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda item: take_out(item, began), items))  # noqa: B023 - it is used up before it changes
    return taken


def _wait(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {PATIENCE_SECONDS:.0f} s for {what}")
        time.sleep(0.005)


def _p95(found: list[float]) -> float:
    return quantiles(found, n=20)[-1]


def _show(clusters: int, leavers: int, floor: _Measured, well: _Measured, hung: _Measured) -> None:
    print(f"{leavers} leavers, one after the other, on {clusters} clusters; milliseconds on each of {clusters - 1}")
    print(f"  {'':<28}{'median':>8}{'p95':>8}{'most':>8}{'/ floor':>9}{'CPU s a leaver':>16}")
    for name, found in (("floor: read, write by urllib3", floor), ("all are well", well), ("one hangs", hung)):
        times = found.seconds
        numbers = [each * 1000 for each in (median(times), _p95(times), max(times))]
        share = f"{_p95(times) / _p95(floor.seconds):8.1f}x{found.cpu / leavers:16.2f}"
        print(f"  {name:<28}{numbers[0]:8.0f}{numbers[1]:8.0f}{numbers[2]:8.0f}{share}")
    ratio, cpu = _p95(hung.seconds) / _p95(well.seconds), hung.cpu / well.cpu
    print(f"  one hangs / all are well: p95 {ratio:.2f}, CPU {cpu:.2f}; target: p95 at most {TARGET_SECONDS:.0f} s")
