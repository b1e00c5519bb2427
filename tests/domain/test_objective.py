"""How asked-for removals did against the objective."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.domain.objective import BOUNDS, Timed, performance

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def took(seconds: float | None, asked_ago: float = 3600) -> Timed:
    asked = NOON - timedelta(seconds=asked_ago)
    return Timed(asked, None if seconds is None else asked + timedelta(seconds=seconds))


def test_every_removal_is_in_exactly_one_bucket() -> None:
    found = performance([took(s) for s in (0, 1, 1.5, 4, 59, 60, 61, 3600, 9000)] + [took(None)], 60, NOON)

    assert sum(each.count for each in found.histogram) == found.count == 10
    assert [each.seconds for each in found.histogram] == [*BOUNDS, None]
    assert [each.count for each in found.histogram] == [2, 1, 1, 0, 0, 2, 1, 0, 0, 2, 1]


def test_one_that_is_open_counts_with_the_time_it_has_taken_by_now() -> None:
    found = performance([took(None, 50), took(None, 70)], 60, NOON)

    assert (found.late, found.open, found.slowest_seconds) == (1, 2, 70)


@pytest.mark.parametrize(
    ("late", "count", "burns"), [(0, 10, False), (1, 10, True), (1, 99, True), (1, 100, False), (2, 100, True)]
)
def test_more_than_one_in_a_hundred_that_is_late_is_an_alarm(late: int, count: int, burns: bool) -> None:
    removals = [took(61)] * late + [took(1)] * (count - late)

    assert performance(removals, 60, NOON).is_burning is burns


def test_without_removals_there_is_nothing_to_say() -> None:
    found = performance([], 60, NOON)

    assert (found.count, found.late, found.slowest_seconds, found.is_burning) == (0, 0, 0, False)
