"""Every process is killed and stopped in turn under load, and PostgreSQL restarted: nothing is lost or done twice."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.soak import soak
from benchmarks.soak_parts.checks import overlaps
from benchmarks.soak_parts.watch import Watch
from tests.fakes.kube_api import FakeKubeApi

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.slow
def test_nothing_is_lost_or_written_twice_whoever_dies() -> None:
    said: list[str] = []

    wrong = soak(75, 7, said.append, calm=0.2)

    assert wrong == [], "\n".join(said)


def test_the_soak_would_see_two_passes_of_one_cluster_at_a_time() -> None:
    second = timedelta(seconds=1)
    apart = [("a", NOON, NOON + second), ("a", NOON + second, NOON + 2 * second), ("b", NOON, NOON + second)]
    together = [("a", NOON, NOON + 3 * second), ("a", NOON + second, NOON + 2 * second)]

    assert list(overlaps(apart)) == []
    assert list(overlaps(together)) == ["two passes of a at 12:00:01"]


def test_the_soak_would_see_a_leaver_who_is_written_again() -> None:
    watch = Watch({"prod": FakeKubeApi()})
    watch._judge("prod", {}, set(), {"ana"})
    watch.left("ana", 1.0)
    watch._judge("prod", {"ana": 1.0}, set(), set())

    watch._judge("prod", {}, {"ana"}, {"ana"})

    assert watch.uncalled == ["ana is in prod again"]
    assert len(watch.taken) == 1
