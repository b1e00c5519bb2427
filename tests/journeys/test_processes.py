"""The processes of the Procfile on one database: they start, wake one another, take over, and stop."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from tests.journeys.bridge import free_port
from tests.journeys.processes import (
    Process,
    add_folder,
    holder_of_pass,
    living_world,
    make_hang,
    started,
    subjects,
)
from tests.sync.clockwork import PATIENCE, eventually, outcomes
from tests.sync.worlds import World

RUNS = "The scheduler runs"


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = living_world(migrated_url)
    yield made
    made.database.dispose()


def ask(address: str, path: str) -> int:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        return int(pool.request("GET", f"{address}{path}").status)


def hear_ready(process: Process) -> dict[str, str]:
    """Return the document that `run --json` prints once it answers requests."""
    process.hear("{")
    process.hear("}")
    text = "".join(process.said)
    found: dict[str, str] = json.loads(text[text.index("{") :])
    return found


def test_run_serves_and_ends_with_nothing_wrong(migrated_url: str, tmp_path: Path) -> None:
    with started("scim-bridge", "run", "--port", "0", "--json", home=tmp_path, url=migrated_url) as process:
        address = hear_ready(process)["address"]

        answers = [ask(address, path) for path in ("/healthz", "/readyz")]
        code = process.terminate()

    assert (answers, code) == ([200, 200], 0)


def test_run_keeps_clusters_in_step(world: World, migrated_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "prod"
    add_folder(world, "manifests", folder)
    ana = world.add_member("ana")
    world.give("edit", member_id=ana)
    with started("scim-bridge", "run", "--port", "0", "--json", home=tmp_path, url=migrated_url) as process:
        hear_ready(process)
        assert eventually(lambda: subjects(folder) == {"ana"}, PATIENCE * 3)

        world.deactivate(ana)
        gone = eventually(lambda: subjects(folder) == set())
        confirmed = eventually(lambda: outcomes(world) == ["done"])
        code = process.terminate()

    assert (gone, confirmed, code) == (True, True, 0)


def test_a_worker_of_run_that_dies_is_replaced_with_its_scheduler(sqlite_url: str, tmp_path: Path) -> None:
    world = living_world(sqlite_url)
    folder = tmp_path / "prod"
    add_folder(world, "manifests", folder)
    settings = {"lease_seconds": "2"}
    with started("scim-bridge", "run", "--port", "0", home=tmp_path, url=sqlite_url, **settings) as process:
        process.hear("Serving")
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)

        world.give("edit", member_id=world.add_member("ana"))
        with world.database.write() as connection:
            world.change(connection)

        assert eventually(lambda: subjects(folder) == {"ana"}, PATIENCE * 3)
        assert process.terminate() == 0
    world.database.dispose()


def test_a_port_that_is_taken_is_one_sentence_and_nothing_is_migrated(sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started("scim-bridge", "run", "--port", str(port), home=tmp_path, url=sqlite_url) as process:
            said = process.hear("scim-bridge:")
            code = process.process.wait(PATIENCE)

    assert code == 5
    assert said == f"scim-bridge: Cannot listen on 127.0.0.1, port {port}: Address already in use.\n"
    assert process.said == [said]
    assert migrations_begun(sqlite_url) is None


def migrations_begun(url: str) -> str | None:
    database = Database(url)
    try:
        return migrations.state(database)[0]
    finally:
        database.dispose()


def test_a_key_that_is_none_is_one_sentence_and_no_worker_dies_of_it(sqlite_url: str, tmp_path: Path) -> None:
    settings = {"encryption_keys": "short"}
    with started("scim-bridge", "run", "--port", "0", home=tmp_path, url=sqlite_url, **settings) as process:
        said = process.hear("scim-bridge:")
        code = process.process.wait(PATIENCE)

    assert code == 7
    assert "An encryption key is not usable" in said
    assert process.said == [said]


def test_a_scheduler_on_a_database_that_is_not_migrated_says_what_to_run(database_url: str, tmp_path: Path) -> None:
    with started("scim-bridge", "scheduler", home=tmp_path, url=database_url) as process:
        process.hear("scim-bridge db upgrade")
        code = process.process.wait(PATIENCE)

    assert code == 7


def test_gunicorn_and_a_scheduler_share_the_work(world: World, migrated_url: str, tmp_path: Path) -> None:
    folder, port = tmp_path / "prod", free_port()
    add_folder(world, "manifests", folder)
    ana = world.add_member("ana")
    world.give("edit", member_id=ana)
    words = ("-c", "config/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", "scim_bridge.wsgi:app")
    with (
        started("gunicorn", *words, home=tmp_path, url=migrated_url) as web,
        started("scim-bridge", "scheduler", home=tmp_path, url=migrated_url) as scheduler,
    ):
        scheduler.hear(RUNS)
        served = eventually(lambda: answers(port), PATIENCE * 3)
        written = eventually(lambda: subjects(folder) == {"ana"})
        world.deactivate(ana)
        gone = eventually(lambda: subjects(folder) == set())
        codes = [web.terminate(), scheduler.terminate()]

    assert (served, written, gone, codes) == (True, True, True, [0, 0])


def answers(port: int) -> bool:
    try:
        return ask(f"http://127.0.0.1:{port}", "/readyz") == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_of_two_schedulers_one_works_on_a_cluster_and_the_other_takes_over_when_it_is_killed(
    world: World, migrated_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "prod"
    place = add_folder(world, "manifests", folder)
    world.give("edit", member_id=world.add_member("ana"))
    pipe = make_hang(world, folder)
    settings = {"lease_seconds": "2"}
    with (
        started("scim-bridge", "scheduler", home=tmp_path, url=migrated_url, **settings) as one,
        started("scim-bridge", "scheduler", home=tmp_path, url=migrated_url, **settings) as two,
    ):
        one.hear(RUNS)
        two.hear(RUNS)
        assert eventually(lambda: holder_of_pass(world, place) is not None)
        holder = holder_of_pass(world, place)
        # Longer than the lease: as long as its process lives, it is renewed while the cluster is silent.
        time.sleep(4)
        later = holder_of_pass(world, place)
        first, other = (one, two) if holder == one.process.pid else (two, one)

        first.kill()
        pipe.unlink()
        taken_over = eventually(lambda: subjects(folder) == {"ana"}, PATIENCE * 2)
        code = other.terminate()

    assert holder in (one.process.pid, two.process.pid)
    assert (later, taken_over, code) == (holder, True, 0)


def test_a_cluster_that_hangs_delays_neither_the_others_nor_the_end(
    world: World, migrated_url: str, tmp_path: Path
) -> None:
    hanging, working = tmp_path / "hanging", tmp_path / "working"
    place = add_folder(world, "hanging", hanging)
    make_hang(world, hanging)
    add_folder(world, "working", working)
    ana = world.add_member("ana")
    world.give("edit", member_id=ana)
    with started("scim-bridge", "run", "--port", "0", home=tmp_path, url=migrated_url) as process:
        process.hear("Serving")
        written = eventually(lambda: subjects(working) == {"ana"})
        assert eventually(lambda: holder_of_pass(world, place) is not None)
        world.deactivate(ana)
        gone = eventually(lambda: subjects(working) == set())
        code = process.terminate()

    assert (written, gone, code) == (True, True, 0)


def test_python_runs_it_as_a_module_too(tmp_path: Path, sqlite_url: str) -> None:
    words = (Path(sys.executable).name, "-m", "scim_bridge", "scheduler", "--json")
    migrations_of(sqlite_url)
    with started(*words, home=tmp_path, url=sqlite_url) as process:
        process.hear('"running": true')
        assert process.terminate() == 0


def migrations_of(url: str) -> None:
    living_world(url).database.dispose()
