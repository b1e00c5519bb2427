"""Errands: work that comes by often and does not end with one failure."""

from threading import Barrier

from scim_bridge.sync.errands import Errand
from scim_bridge.sync.scheduler import carried_out


def test_an_errand_comes_by_again_after_a_round_that_failed() -> None:
    done: list[int] = []
    both = Barrier(2)

    def work() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise RuntimeError("once")
        both.wait(10)

    errand = Errand("test", 0.01, work)
    errand.start(carried_out)
    both.wait(10)
    errand.stop()

    assert done[:2] == [0, 1]
