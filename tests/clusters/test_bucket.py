"""How fast a cluster is asked, by a clock that goes when it is told to."""

from concurrent.futures import ThreadPoolExecutor

from scim_bridge.clusters.bucket import RECOVERY_SECONDS, SLOWEST, TokenBucket


class Clock:
    """A clock that goes on by sleeping."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def bucket(clock: Clock, per_second: float = 10) -> TokenBucket:
    return TokenBucket(per_second, clock, clock.sleep)


def test_a_burst_goes_at_once_and_the_rest_at_the_pace() -> None:
    clock = Clock()
    made = bucket(clock)

    for _ in range(20):
        made.take()
    burst = clock.at
    for _ in range(50):
        made.take()

    assert burst == 100.0
    assert round(clock.at - burst, 6) == 5.0


def test_who_was_idle_has_a_burst_again_and_no_more() -> None:
    clock = Clock()
    made = bucket(clock)
    for _ in range(20):
        made.take()

    clock.at += 3600
    for _ in range(30):
        made.take()

    assert round(clock.at - 3700, 6) == 1.0


def test_each_complaint_halves_the_pace_down_to_a_least_one() -> None:
    clock = Clock()
    made = bucket(clock, 16)

    rates = []
    for _ in range(7):
        made.slow_down()
        rates.append(made.rate)

    assert rates == [8, 4, 2, 1, 1, 1, 1]
    assert made.rate == 16 * SLOWEST


def test_without_complaints_the_pace_comes_back_step_by_step() -> None:
    clock = Clock()
    made = bucket(clock, 16)
    for _ in range(3):
        made.slow_down()

    rates = []
    for _ in range(4):
        clock.at += RECOVERY_SECONDS
        made.take()
        rates.append(made.rate)

    assert rates == [4, 8, 16, 16]


def test_many_threads_together_keep_the_pace() -> None:
    import time

    made = TokenBucket(400)
    began = time.monotonic()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: made.take(), range(1000)))

    # 800 at once, and 200 at 400 a second.
    assert time.monotonic() - began >= 0.45
