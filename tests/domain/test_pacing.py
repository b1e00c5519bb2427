"""When a cluster's next pass is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.pacing import Pace

PACE = Pace(interval_seconds=300, jitter_seconds=30, first_seconds=1, most_seconds=600)


def test_passes_keep_their_interval_and_never_all_at_one_moment() -> None:
    assert PACE.until_next(0.0) == timedelta(seconds=300)
    assert PACE.until_next(0.5) == timedelta(seconds=315)


@pytest.mark.parametrize(("failures", "longest"), [(1, 1), (2, 2), (3, 4), (10, 512), (11, 600), (5000, 600)])
def test_each_failure_doubles_the_wait_up_to_the_longest(failures: int, longest: float) -> None:
    assert PACE.until_retry(failures, 0.5) == timedelta(seconds=longest / 2)


def test_clusters_that_failed_together_do_not_come_back_together() -> None:
    assert PACE.until_retry(5, 0.1) < PACE.until_retry(5, 0.9)


def test_a_clusters_own_wish_is_obeyed_for_a_minute_at_most() -> None:
    assert PACE.until_retry(1, 0.0, wish=17) == timedelta(seconds=17)
    assert PACE.until_retry(1, 0.0, wish=3600) == timedelta(seconds=60)


def test_a_wish_does_not_shorten_what_failures_have_earned() -> None:
    assert PACE.until_retry(11, 0.5, wish=1) == timedelta(seconds=300)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 86_400))
def test_no_wait_is_longer_than_the_longest(failures: int, fraction: float, wish: float | None) -> None:
    wait = PACE.until_retry(failures, fraction, wish)

    assert timedelta() <= wait <= timedelta(seconds=600)
