"""Token buckets: what is used up comes back with time, for each key by itself."""

import pytest

from scim_bridge.errors import TooManyRequests
from scim_bridge.web import limits
from scim_bridge.web.limits import Buckets, Limits


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_taken_at_once_and_no_more(clock: Clock) -> None:
    buckets = Buckets(2, 3, clock)

    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 1, 1]


def test_what_was_taken_comes_back_with_time_and_never_more_than_the_burst(clock: Clock) -> None:
    buckets = Buckets(2, 3, clock)
    for _ in range(3):
        buckets.take("a")

    clock.at += 0.5
    one = [buckets.take("a"), buckets.take("a")]
    clock.at += 1000
    many = [buckets.take("a") for _ in range(4)]

    assert one == [0, 1]
    assert many == [0, 0, 0, 1]


@pytest.mark.parametrize(("per_second", "seconds"), [(200, 1), (1, 1), (0.1, 10), (1 / 60, 60)])
def test_the_wait_is_in_whole_seconds_and_long_enough(clock: Clock, per_second: float, seconds: int) -> None:
    buckets = Buckets(per_second, 1, clock)
    buckets.take("a")

    wait = buckets.take("a")
    clock.at += wait + 1e-6

    assert (wait, buckets.take("a")) == (seconds, 0)


def test_waiting_takes_nothing_and_does_not_put_the_end_off(clock: Clock) -> None:
    buckets = Buckets(1, 1, clock)
    buckets.take("a")

    asked = [buckets.wait("a") for _ in range(10)]
    clock.at += 1

    assert (asked, buckets.wait("a"), buckets.take("a")) == ([1] * 10, 0, 0)


def test_one_key_never_uses_up_anothers(clock: Clock) -> None:
    buckets = Buckets(1, 2, clock)
    for _ in range(50):
        buckets.take("a")

    assert [buckets.take("b"), buckets.take("b")] == [0, 0]


def test_a_flood_of_keys_does_not_grow_without_an_end(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 20)
    buckets = Buckets(1, 5, clock)

    for number in range(500):
        buckets.take(str(number))
        clock.at += 0.001

    assert len(buckets._left) <= 20


def test_an_address_that_guesses_has_to_wait_and_its_neighbour_does_not(clock: Clock) -> None:
    made = Limits(200, 400, 5, clock)
    for number in range(5):
        made.admit("192.0.2.1", f"guess-{number}")
        made.note_refused("192.0.2.1", f"guess-{number}")

    with pytest.raises(TooManyRequests) as caught:
        made.admit("192.0.2.1", "guess-5")
    made.admit("192.0.2.2", "guess-5")

    assert caught.value.retry_after == 12


def test_who_guesses_does_not_shut_out_a_good_token_behind_the_same_address(clock: Clock) -> None:
    made = Limits(200, 400, 1, clock)
    made.charge("okta", "good")
    made.note_refused("192.0.2.1", "guess")

    made.admit("192.0.2.1", "good")
    with pytest.raises(TooManyRequests):
        made.admit("192.0.2.1", "another")


def test_a_token_that_was_good_and_is_refused_counts_as_a_guess_from_then_on(clock: Clock) -> None:
    made = Limits(200, 400, 1, clock)
    made.charge("okta", "good")
    made.note_refused("192.0.2.1", "good")

    with pytest.raises(TooManyRequests):
        made.admit("192.0.2.1", "good")
