"""The clock rings, wakes are heard at once, and stopping takes seconds, whatever hangs."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.sync import scheduler as module
from scim_bridge.sync.scheduler import Scheduler, carried_out
from tests.sync.clockwork import PATIENCE, Targets, TroubledCluster, eventually
from tests.sync.worlds import World, make_world

EDIT = (None, "edit")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    database = Database(migrated_url)
    made = make_world(database)
    made.cluster = TroubledCluster()
    group = made.add_group("team")
    made.join(group, made.add_member("ana"))
    made.give("edit", group=group)
    yield made
    database.dispose()


@pytest.fixture
def start(world: World) -> Iterator[Callable[..., Scheduler]]:
    begun: list[Scheduler] = []

    def begin(**settings: Any) -> Scheduler:
        targets = Targets({world.cluster_id: world.cluster})
        values = {"database_url": SecretStr("sqlite:///unused")} | settings
        begun.append(Scheduler(world.database, targets, Settings(**values)))
        begun[-1].start()
        return begun[-1]

    yield begin
    troubled(world).listing.set()
    troubled(world).answering.set()
    for each in begun:
        each.stop()


def troubled(world: World) -> TroubledCluster:
    assert isinstance(world.cluster, TroubledCluster)
    return world.cluster


def has(world: World, *names: str) -> Callable[[], bool]:
    return lambda: world.cluster.access.get(EDIT, set()) == set(names)


COMMIT = """
import sys
from datetime import UTC, datetime
import sqlalchemy as sa
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.database import Database
from scim_bridge.store.removals import request_removals
from scim_bridge.store.schema import member

url, organization, member_id = sys.argv[1:]
database = Database(url)
with database.write() as connection:
    change = new_change(organization, Actor(ActorKind.CLI, "other"), "test", datetime.now(UTC))
    add_change(connection, change)
    connection.execute(sa.update(member).where(member.c.id == member_id).values(state="deactivated"))
    request_removals(connection, change, [member_id], "deactivated")
"""


def test_a_change_of_another_process_wakes_it(world: World, start: Callable[..., Scheduler]) -> None:
    start()
    leaver = world.add_member("leaver")
    world.give("edit", member_id=leaver)
    with world.database.write() as connection:
        world.change(connection)
    assert eventually(has(world, "ana", "leaver"))

    subprocess.run(
        [sys.executable, "-c", COMMIT, _url(world), world.organization_id, leaver],
        check=True,
        timeout=60,
    )
    committed = time.monotonic()
    gone = eventually(has(world, "ana"))

    # It takes about 0.3 s; a clock that found it only by its full pass would take five minutes.
    assert gone
    assert time.monotonic() - committed < PATIENCE


def _url(world: World) -> str:
    return world.database.url.render_as_string(hide_password=False)


def test_a_change_of_this_process_is_heard_without_the_poll(
    world: World, start: Callable[..., Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock is made to ring once an hour, so that only what is heard can make it tick.
    monkeypatch.setattr(Settings, "poll_seconds", 3600, raising=False)
    running = start()
    assert eventually(has(world, "ana"))
    newcomer = world.add_member("new")
    world.give("edit", member_id=newcomer)

    for _ in range(20):
        with world.database.write() as connection:
            world.change(connection)
        if eventually(has(world, "ana", "new"), 1):
            break

    assert world.cluster.access[EDIT] == {"ana", "new"}
    running.stop()


def test_the_clock_brings_back_what_somebody_deleted_on_the_cluster(
    world: World, start: Callable[..., Scheduler]
) -> None:
    start(pass_interval_seconds=0.5, pass_jitter_seconds=0)
    assert eventually(has(world, "ana"))

    world.cluster.objects.clear()

    assert eventually(has(world, "ana"))


def test_stopping_does_not_wait_for_a_cluster_that_hangs(
    world: World, start: Callable[..., Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    troubled(world).listing.clear()
    running = start()
    assert eventually(troubled(world).reached.is_set)

    before = time.monotonic()
    ended = running.stop()

    assert not ended
    assert time.monotonic() - before < PATIENCE


def test_stopping_lets_the_write_that_began_be_finished(world: World, start: Callable[..., Scheduler]) -> None:
    troubled(world).answering.clear()
    running = start()
    assert eventually(troubled(world).reached.is_set)

    gate = troubled(world).answering
    from threading import Timer

    Timer(0.3, gate.set).start()
    ended = running.stop()

    assert (ended, world.cluster.access) == (True, {EDIT: {"ana"}})


def test_after_stop_nothing_happens_any_more(world: World, start: Callable[..., Scheduler]) -> None:
    running = start()
    assert eventually(has(world, "ana"))
    assert running.stop()
    world.give("view", member_id=world.add_member("late"))

    with world.database.write() as connection:
        world.change(connection)
    running.wake()

    assert not eventually(lambda: (None, "view") in world.cluster.access, 0.6)


def test_a_database_that_comes_back_is_used_again(
    world: World, start: Callable[..., Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0.01)
    away = iter([StoreError("the database is away"), ZeroDivisionError("a bug")])
    working = world.database.read

    def read() -> Any:
        for error in away:
            raise error
        return working()

    monkeypatch.setattr(world.database, "read", read)
    start()

    assert eventually(has(world, "ana"))


def test_whatever_goes_wrong_is_said_and_ends_there() -> None:
    def store_away() -> None:
        raise StoreError("the database is away")

    def unforeseen() -> None:
        raise ZeroDivisionError

    assert [carried_out("test", work) for work in (store_away, unforeseen, lambda: None)] == [False, False, True]


def test_the_web_processes_do_not_load_the_kubernetes_library(tmp_path: Path) -> None:
    code = "import sys; import scim_bridge.wsgi; print('kubernetes' in sys.modules, 'apscheduler' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"SCIM_BRIDGE_HOME": str(tmp_path), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )

    assert result.stdout.split() == ["False", "False"]
