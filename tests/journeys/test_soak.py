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

    wrong = soak(26, 7, said.append, calm=0.2, workers=2)

    assert wrong == [], "\n".join(said)


def test_the_soak_would_see_two_passes_of_one_cluster_at_a_time() -> None:
    second = timedelta(seconds=1)
    apart = [("a", NOON, NOON + second), ("a", NOON + second, NOON + 2 * second), ("b", NOON, NOON + second)]
    together = [("a", NOON, NOON + 3 * second), ("a", NOON + second, NOON + 2 * second)]

    assert list(overlaps(apart)) == []
    assert list(overlaps(together)) == ["two passes of a at 12:00:01"]


@pytest.mark.parametrize(("confirmed", "uncalled"), [(True, ["ana is in prod again"]), (False, [])])
def test_the_soak_would_see_a_leaver_who_is_written_again(*, confirmed: bool, uncalled: list[str]) -> None:
    watch = Watch({"prod": FakeKubeApi()}, lambda *_: confirmed)
    watch.judge("prod", {"ana"}, NOON)
    watch.left("ana", 1.0)
    watch.judge("prod", set(), NOON)

    watch.judge("prod", {"ana"}, NOON)

    assert watch.uncalled == uncalled
    assert len(watch.taken) == 1
    assert watch.still_in == ([] if confirmed else ["ana in prod"])
