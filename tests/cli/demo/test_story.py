"""A story that does not go well is told so, and never counted as verified."""

from pathlib import Path

import click
import pytest

from scim_bridge.cli.demo import story as told_story
from scim_bridge.cli.demo.access import ANYWHERE, Access
from scim_bridge.cli.demo.server import free_port, serving
from scim_bridge.cli.demo.story import Happened, Step, Story
from scim_bridge.cli.demo.telling import closing, document, duration, told
from scim_bridge.cli.demo.world import World, build

STEP = Step("Ada Keller leaves", lambda: None, is_departure=True)
ADA = Access("oidc:ada@acme.example", "prod-eu", ANYWHERE, "edit")


def text_of(happened: Happened) -> str:
    return click.unstyle(told(happened))


def test_a_request_that_fails_is_told_and_not_verified_though_the_clusters_are_right() -> None:
    happened = Happened(STEP, (), (), 0.01, "PATCH /Users/1 → 500")

    text = text_of(happened)

    assert not happened.is_verified
    assert "a request failed: PATCH /Users/1 → 500" in text
    assert "NOT VERIFIED" in text
    assert "no access left" not in text


def test_clusters_that_never_became_right_are_told() -> None:
    happened = Happened(STEP, (), (ADA,), None)

    assert not happened.is_verified
    assert "NOT VERIFIED: the clusters are not as they should be" in text_of(happened)


def test_a_leaver_without_access_is_told_with_the_time() -> None:
    text = text_of(Happened(STEP, (), (ADA,), 0.2345))

    assert "-  oidc:ada@acme.example  edit  prod-eu" in text
    assert text.endswith("no access left on any cluster 234 ms after the answer")


@pytest.mark.parametrize(("seconds", "text"), [(0.0004, "0 ms"), (0.45, "450 ms"), (1.04, "1.0 s"), (12.34, "12.3 s")])
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.fixture
def world(tmp_path: Path) -> World:
    return build(tmp_path, f"http://127.0.0.1:{free_port('127.0.0.1', None, usual=0)}")


def test_a_story_whose_requests_are_refused_goes_on_and_ends_not_verified(world: World) -> None:
    world.tokens["okta"] = "scimb_nobody"
    with serving(world, "127.0.0.1", int(world.settings.base_url.rpartition(":")[2])):
        story = Story(world)
        happened = list(story.play())
        story.close()

    verified = {each.step.told: each.is_verified for each in happened}
    assert {told: is_verified for told, is_verified in verified.items() if "Okta" in told or "Entra" in told} == {
        each.step.told: "Entra" in each.step.told for each in happened
    }
    assert document(world, happened)["verified"] is False
    summary = closing(world, story.requests, happened, keeps_serving=False)
    assert "4 of 9 steps verified" in summary


def test_a_bridge_that_is_gone_is_not_verified(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_story, "PATIENCE_SECONDS", 0.1)
    story = Story(world)

    first = next(story.play())
    story.close()

    assert not first.is_verified
    assert first.problem is not None
    assert "Connection refused" in first.problem
