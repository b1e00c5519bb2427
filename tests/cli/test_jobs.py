"""`scim-bridge job …`: the scheduler's jobs at the terminal."""

from scim_bridge.domain.jobs import SORTS
from tests.cli.bridge import Bridge


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
    told = [each["action"] for each in bridge.json("audit", "list") if each["action"].startswith("job.")]
    assert sorted(told) == ["job.asked_for", "job.paused", "job.resumed"]


def test_what_safety_needs_cannot_be_paused_and_a_job_that_is_none_is_named(bridge: Bridge) -> None:
    code, sentence = bridge.refused("job", "pause", "seal-audit")
    nothing, named = bridge.refused("job", "history", "sweep")

    assert (code, sentence) == (5, "seal-audit is not paused by anybody: it chains the audit's new entries.")
    assert nothing == 4
    assert "There is no job 'sweep'; there are apply-drafts, " in named
