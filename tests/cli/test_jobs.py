"""`scim-bridge job …`: the scheduler's jobs at the terminal."""

from pathlib import Path

import sqlalchemy as sa

from scim_bridge.domain.jobs import SORTS
from scim_bridge.identity.measurements import measure
from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import note_round
from scim_bridge.sync.dispatch.queueing import QueueDispatcher
from tests.cli.bridge import Bridge
from tests.conftest import Lent
from tests.sync.worlds import make_world


def test_jobs_are_listed_paused_resumed_and_asked_for(bridge: Bridge) -> None:
    bridge.json("organization", "create", "acme", "--owner", "boss@acme.example")
    never = {each["name"]: each["state"] for each in bridge.json("job", "list")}

    paused = bridge.json("job", "pause", "purge-log")
    text = bridge.text("job", "list")
    resumed = bridge.json("job", "resume", "purge-log")
    asked = bridge.json("job", "run", "purge-log")
    runs = bridge.json("job", "history", "purge-log")

    assert never == dict.fromkeys(SORTS, "never")
    assert (paused["state"], paused["next_at"], resumed["state"]) == ("paused", None, "never")
    assert f"paused by {paused['paused_by']}" in text
    assert (asked["asked_by"], runs) == (paused["paused_by"], [])
    told = [each["action"] for each in bridge.json("audit", "list")["items"] if each["action"].startswith("job.")]
    assert sorted(told) == ["job.asked_for", "job.paused", "job.resumed"]


def test_what_safety_needs_cannot_be_paused_and_a_job_that_is_none_is_named(bridge: Bridge) -> None:
    code, sentence = bridge.refused("job", "pause", "seal-audit")
    nothing, named = bridge.refused("job", "history", "sweep")

    assert (code, sentence) == (5, "seal-audit is not paused by anybody: it chains the audit's new entries.")
    assert nothing == 3
    assert "There is no job 'sweep'; there are apply-drafts, " in named


def test_doctor_names_jobs_that_rest_or_fail(bridge: Bridge) -> None:
    bridge.json("job", "pause", "purge-log")
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.write() as connection:
        note_round(connection, "post", now(), "The mail server is away.", now())
    database.dispose()

    result = bridge.run("doctor")

    assert result.exit_code == 1
    assert "The job post failed 1 times in a row: The mail server is away." in result.output
    assert "scim-bridge job resume purge-log" in result.output


def test_doctor_says_when_nobody_takes_what_is_handed_out(lent_postgresql: Lent, tmp_path: Path) -> None:
    url = lent_postgresql.lend()
    bridge = Bridge(
        {
            "SCIM_BRIDGE_DATABASE_URL": url,
            "SCIM_BRIDGE_HOME": str(tmp_path),
            "SCIM_BRIDGE_ENGINE": "procrastinate",
        }
    )
    database = Database(url)
    world = make_world(database)
    QueueDispatcher(database, Settings()).tick()

    dead = bridge.run("doctor").output
    with database.write() as connection:
        connection.execute(sa.text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    alive = bridge.run("doctor").output
    found = measure(database, 60, 30)
    database.dispose()

    assert world.cluster_id
    assert "No worker lives, and 1 jobs wait: clusters are not kept in step." in dead
    assert "1 lanes are at work, and 1 jobs wait." in alive
    assert ([(each.queue, each.waiting) for each in found.work], found.worker_lanes) == ([("passes", 1)], 1)


def test_workers_are_refused_where_there_is_no_queue(bridge: Bridge) -> None:
    assert bridge.refused("worker") == (
        5,
        'Workers need `engine = "procrastinate"`: the schedulers do everything themselves now.',
    )
