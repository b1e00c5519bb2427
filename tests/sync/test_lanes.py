"""Work on one cluster never runs twice at once, and clusters that hang leave the others their places."""

from collections.abc import Callable
from threading import Event

import pytest

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.sync.lanes import ASIDE, Lane
from scim_bridge.sync.scheduler import carried_out
from tests.sync.clockwork import eventually

A, B, C = ClusterId("a"), ClusterId("b"), ClusterId("c")


class Works:
    """Pieces of work that last until they are let go."""

    def __init__(self) -> None:
        self.let_go = Event()
        self.began: list[str] = []

    def named(self, name: str) -> Callable[[], None]:
        def work() -> None:
            self.began.append(name)
            self.let_go.wait(60)

        return work


@pytest.fixture
def works() -> Works:
    return Works()


def lane(workers: int, patience: float = 60, finished: Callable[[], None] = lambda: None) -> Lane:
    return Lane("test", workers, patience, carried_out, finished)


def test_a_cluster_that_is_being_worked_on_is_not_begun_again(works: Works) -> None:
    made = lane(4)

    offers = [made.offer(A, works.named("first")), made.offer(A, works.named("second"))]
    works.let_go.set()
    assert made.wait_until_idle(20)
    again = made.offer(A, works.named("third"))
    made.wait_until_idle(20)

    assert (offers, again, works.began) == ([True, False], True, ["first", "third"])


def test_no_more_clusters_than_workers_are_worked_on(works: Works) -> None:
    made = lane(2)

    offers = [made.offer(ClusterId(str(number)), works.named(str(number))) for number in range(4)]
    works.let_go.set()

    assert offers == [True, True, False, False]
    assert made.wait_until_idle(20)


def test_clusters_that_fail_take_no_place_of_those_that_work(works: Works) -> None:
    made = lane(2)

    failing = [made.offer(ClusterId(f"failing-{n}"), works.named("f"), failing=True) for n in range(50)]
    working = [made.offer(ClusterId(f"working-{n}"), works.named("w")) for n in range(5)]
    works.let_go.set()

    assert (failing.count(True), working.count(True)) == (2 * ASIDE, 2)
    assert made.wait_until_idle(20)


def test_clusters_that_begin_to_hang_give_their_places_back_after_a_while(works: Works) -> None:
    made = lane(1, patience=0.05)
    made.offer(A, works.named("hangs"))

    taken = eventually(lambda: made.offer(B, works.named("goes")))
    works.let_go.set()

    assert taken
    assert made.wait_until_idle(20)


def test_hanging_clusters_cannot_make_threads_without_end(works: Works) -> None:
    made = lane(2, patience=0)

    begun = [made.offer(ClusterId(str(number)), works.named("hangs")) for number in range(50)]
    works.let_go.set()

    assert begun.count(True) == 2 * ASIDE + 2
    assert made.wait_until_idle(20)


def test_work_that_breaks_off_rests_and_is_taken_up_again(works: Works) -> None:
    made = lane(1)

    def breaks() -> None:
        raise ZeroDivisionError

    made.offer(A, breaks)
    made.wait_until_idle(20)
    at_once = made.offer(A, works.named("again"))
    works.let_go.set()
    other = made.offer(B, works.named("other"))
    made.wait_until_idle(20)

    assert (at_once, other) == (False, True)
    assert eventually(lambda: made.offer(A, works.named("again")))
    assert made.wait_until_idle(20)


def test_whoever_waits_for_a_place_is_told_when_there_is_one(works: Works) -> None:
    told = Event()
    made = lane(1, finished=told.set)
    made.offer(A, works.named("one"))
    early = told.is_set()

    works.let_go.set()

    assert (early, told.wait(20)) == (False, True)
    assert made.offer(C, works.named("next"))


def test_waiting_for_what_hangs_has_an_end(works: Works) -> None:
    made = lane(1)
    made.offer(A, works.named("hangs"))

    assert not made.wait_until_idle(0.05)
    works.let_go.set()
