"""Schedulers that hand out, and workers on any machine that do it: as processes, killed in the middle of a pass."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from scim_bridge.store.leases import held_leases
from tests.journeys.processes import add_folder, holder_of_pass, living_world, make_hang, started, subjects
from tests.sync.clockwork import PATIENCE, eventually
from tests.sync.worlds import World

SETTINGS = {"engine": "procrastinate", "lease_seconds": "2"}


@pytest.fixture
def world(lent_postgresql: Any) -> Iterator[World]:
    made = living_world(lent_postgresql.lend())
    yield made
    made.database.dispose()


def test_workers_do_what_a_scheduler_hands_out_and_take_over_from_one_that_is_killed(
    world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "prod"
    place = add_folder(world, "manifests", folder)
    ana = world.add_member("ana")
    world.give("edit", member_id=ana)
    pipe = make_hang(world, folder)
    url = world.database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(started("scim-bridge", "worker", home=tmp_path, url=url, **SETTINGS)) for _ in range(2)
        ]
        scheduler = stack.enter_context(started("scim-bridge", "scheduler", home=tmp_path, url=url, **SETTINGS))
        assert eventually(lambda: holder_of_pass(world, place) is not None, PATIENCE * 3)
        first = next(each for each in workers if each.process.pid == holder_of_pass(world, place))
        other = next(each for each in workers if each is not first)
        other.hear("The worker runs")

        first.kill()
        pipe.unlink()
        killed = time.monotonic()
        taken_over = eventually(lambda: subjects(folder) == {"ana"}, PATIENCE * 3)
        seconds = time.monotonic() - killed
        world.deactivate(ana)
        gone = eventually(lambda: subjects(folder) == set(), PATIENCE * 2)
        codes = [scheduler.terminate(), other.terminate()]

    assert (taken_over, gone, codes) == (True, True, [0, 0])
    # A lease, a look for what is stalled, and what a loaded machine needs.
    assert seconds < PATIENCE
    with world.database.read() as connection:
        assert held_leases(connection, world.at) <= {"mail"}
