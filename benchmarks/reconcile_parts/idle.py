"""A thousand registered clusters with nothing to do on one scheduler: what it costs to look, and to look at them."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from benchmarks.reconcile_floor.api import Api
from benchmarks.reconcile_floor.raw import Raw
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.settings import Settings
from scim_bridge.store import migrations
from scim_bridge.store.cluster_registry import insert_cluster
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.schema import change_row, cluster_sync
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from scim_bridge.sync.scheduler import carried_out
from tests.sync.clockwork import Targets
from tests.sync.worlds import NOON, TARGET, World, make_world

SHARE_TARGET = 0.25
"""Of one core: a thousand clusters that nobody changes may cost a quarter of it."""
GROWTH_TARGET = 3.0
POLLS = (
    "SELECT id FROM change_row WHERE dispatched_at IS NULL LIMIT 1",
    "SELECT id FROM removal_request WHERE closed_at IS NULL AND dispatched_at IS NULL LIMIT 1",
)
LOOK = "SELECT cluster_id FROM cluster_sync WHERE generation > done_generation OR next_pass_at <= ?"


def measure_idle(api: Api, folder: Path, clusters: int, seconds: int) -> bool:
    """Measure the ticks of so many seconds for few and for many clusters, and one pass with nothing to do."""
    few, many = (_ticks(folder, count, seconds) for count in (10, clusters))
    floor = _floor(folder / f"idle-{clusters}.sqlite3", seconds)
    one_pass, one_list = _pass(api, folder)
    settings = Settings(database_url=SecretStr("sqlite:///unused"))
    passes = clusters / settings.pass_interval_seconds
    share = many[0] / seconds + passes * one_pass
    print(f"{clusters} registered clusters with nothing to do; CPU milliseconds a second, statements a second")
    print(f"  {'floor: hand-written SQL':<28}{floor / seconds * 1000:8.2f} ms")
    for name, (cost, statements) in (("ticks, 10 clusters", few), (f"ticks, {clusters} clusters", many)):
        print(f"  {name:<28}{cost / seconds * 1000:8.2f} ms{statements / seconds:8.1f}{cost / floor:8.1f}x")
    print(f"  growth from 10 to {clusters}: {many[0] / few[0]:.2f}x; target at most {GROWTH_TARGET:.1f}x")
    print(f"  one pass with nothing to do{one_pass * 1000:9.2f} ms; its two lists by urllib3 {one_list * 1000:.2f} ms")
    print(f"  ticks and {passes:.1f} passes a second: {share:.1%} of a core; target at most {SHARE_TARGET:.0%}")
    return share <= SHARE_TARGET and many[0] / few[0] <= GROWTH_TARGET


def _ticks(folder: Path, clusters: int, seconds: int) -> tuple[float, int]:
    """Return the CPU seconds and the statements of a dispatcher's ticks, at the pace of the settings."""
    settings = Settings(database_url=SecretStr("sqlite:///unused"))
    world = _registered(folder / f"idle-{clusters}.sqlite3", clusters)
    dispatcher = Dispatcher(world.database, Targets({}), settings, carried_out, clock=lambda: world.at)
    dispatcher.tick()
    with counted(world.database) as statements:
        began = time.process_time()
        for _ in range(round(seconds / settings.poll_seconds)):
            world.at += timedelta(seconds=settings.poll_seconds)
            dispatcher.tick()
        cost = time.process_time() - began
    dispatcher.stop(1)
    world.database.dispose()
    return cost, len(statements)


def _registered(file: Path, clusters: int) -> World:
    database = Database(f"sqlite:///{file}")
    migrations.upgrade(database)
    world = make_world(database)
    with database.write() as connection:
        change = world.change(connection)
        for number in range(1, clusters):
            insert_cluster(connection, change, replace(TARGET, name=f"cluster-{number:04}"))
        columns = cluster_sync.c
        later = {"next_pass_at": NOON + timedelta(days=1), "health": "ok", "last_success_at": NOON}
        connection.execute(sa.update(cluster_sync).values(done_generation=columns.generation, **later))
        connection.execute(sa.update(change_row).values(dispatched_at=NOON))
    return world


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Note every statement that is sent to a database."""
    sent: list[str] = []

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(database.engine, "before_cursor_execute", note)


def _floor(file: Path, seconds: int) -> float:
    """Return the CPU seconds of what nobody can save: whether anything is new, five times a second, and a look."""
    polls = round(seconds / Settings(database_url=SecretStr("sqlite:///unused")).poll_seconds)
    with sqlite3.connect(file) as connection:
        began = time.process_time()
        for number in range(polls):
            for text in POLLS:
                connection.execute(text).fetchall()
            if number % (polls // seconds) == 0:
                connection.execute(LOOK, (NOON.isoformat(),)).fetchall()
        return time.process_time() - began


def _pass(api: Api, folder: Path) -> tuple[float, float]:
    """Return the CPU seconds of one pass of a small cluster that is in step, and of its two lists by urllib3."""
    world = _registered(folder / "pass.sqlite3", 1)
    people, group = [world.add_member(f"person-{number:02}") for number in range(20)], world.add_group("team")
    world.join(group, *people)
    world.give("edit", group=group)
    with world.database.write() as connection:
        instance = instance_id(connection)
    place = (TargetKind.KUBERNETES, world.organization_id, world.cluster_id, instance)
    gateway = open_gateway(Target(*place, api.kubeconfig))

    def run() -> None:
        made = reconcile_cluster(
            world.database, gateway, world.organization_id, world.cluster_id, PassPolicy(), lambda: datetime.now(UTC)
        )
        assert made.is_ok, made

    run()
    raw = Raw(api)
    found = _each(run, 30), _each(raw.list_all, 30)
    gateway.close()
    world.database.dispose()
    return found


def _each(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times
