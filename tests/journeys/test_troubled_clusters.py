"""
One cluster is in trouble and the other is not: nothing is lost because of it, nobody waits for it, and it is told.

The whole bridge, from Okta's request to the object on the cluster; only the clusters are fakes, behind real HTTP.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.kube_faults import Faults
from tests.journeys.troubled import EDIT, STEADY, VIEW, TwoClusters, access, remove_bindings, subjects, two_clusters
from tests.sync.clockwork import eventually

AT_FIRST = {EDIT: subjects("Ana Adler", "Ben Bauer", "Cleo Cole"), VIEW: subjects("Dana Dorn", "Eve Ebert")}
WITHOUT_ANA_WITH_FINN = {**AT_FIRST, EDIT: subjects("Ben Bauer", "Cleo Cole", "Finn Falk")}
Trouble = Callable[[Faults], object]

TROUBLES: dict[str, tuple[Trouble, str, str]] = {
    "refuses everything": (lambda it: it.fail(status=403, reason="Forbidden"), "AccessDenied", "as told"),
    "takes no token": (lambda it: it.fail(status=401, reason="Unauthorized"), "AccessDenied", "as told"),
    "hangs": (lambda it: it.hang(), "Unreachable", "did not answer"),
    "asks for patience": (
        lambda it: it.fail(status=429, reason="TooManyRequests", retry_after=1), "Throttled", "as told",
    ),
    "answers 500": (lambda it: it.fail(status=500, reason="InternalError"), "Unreachable", "as told"),
    "resets connections": (lambda it: it.reset(), "Unreachable", "127.0.0.1"),
    "breaks its answers off": (lambda it: it.truncate(), "Unreachable", "127.0.0.1"),
    "answers in HTML": (lambda it: it.garbage(b"<html>Welcome</html>"), "Unreachable", ""),
}  # fmt: skip
LIES: dict[str, Trouble] = {"an empty list": lambda it: it.lie_empty(), "half a list": lambda it: it.lie_half()}


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[TwoClusters]:
    with two_clusters(migrated_url, tmp_path / "home") as made:
        made.okta.initial_cycle()
        assert eventually(lambda: access(made.steady) == access(made.troubled) == AT_FIRST)
        assert eventually(lambda: made.status()["health"] == made.status(STEADY)["health"] == "ok")
        yield made


@pytest.mark.parametrize("name", TROUBLES)
def test_a_cluster_in_trouble_loses_nothing_holds_up_no_other_and_comes_back_by_itself(
    world: TwoClusters, name: str
) -> None:
    begin, condition, reason = TROUBLES[name]
    begin(world.troubled.faults)
    failing = eventually(lambda: world.status()["health"] == "failing")

    world.leave("Ana Adler")
    world.hire("Finn Falk", "developers")
    served = eventually(lambda: access(world.steady) == WITHOUT_ANA_WITH_FINN)
    told = eventually(lambda: world.status()["removals_error"] is not None)
    during, untouched = world.status(), access(world.troubled)
    confirmed = eventually(lambda: world.status(STEADY)["open_removals"] == 0)
    other = world.status(STEADY)
    world.troubled.faults.clear()
    converged = eventually(lambda: access(world.troubled) == WITHOUT_ANA_WITH_FINN)
    well = eventually(lambda: world.status()["health"] == "ok" and world.status()["open_removals"] == 0)
    after = world.status()

    assert (failing, served, told, confirmed) == (True, True, True, True)
    assert untouched == AT_FIRST
    assert (during["health"], [each["kind"] for each in during["conditions"]]) == ("failing", [condition])
    assert reason in during["last_error"]
    assert (during["open_removals"], during["is_behind"]) == (1, True)
    assert during["removals_since"] is not None
    assert (other["health"], other["failures"], other["conditions"]) == ("ok", 0, [])
    assert (converged, well) == (True, True)
    assert (after["conditions"], after["last_error"], after["failures"]) == ([], None, 0)


@pytest.mark.parametrize("name", LIES)
def test_a_list_that_leaves_bindings_out_takes_nothing_away_that_nobody_asked_for(
    world: TwoClusters, name: str
) -> None:
    LIES[name](world.troubled.faults)
    noticed = eventually(lambda: world.conditions() == ["ListIncomplete"])

    world.take_out_unnamed("Eve Ebert", "auditors")
    world.leave("Ana Adler")
    world.hire("Finn Falk", "developers")
    inferred = eventually(lambda: access(world.steady) == {**WITHOUT_ANA_WITH_FINN, VIEW: subjects("Dana Dorn")})
    asked_for = eventually(lambda: access(world.troubled) == WITHOUT_ANA_WITH_FINN)
    closed = eventually(lambda: world.status()["open_removals"] == 0)
    lasting, other = world.conditions(), world.conditions(STEADY)
    world.troubled.faults.clear()
    converged = eventually(lambda: access(world.troubled) == access(world.steady))
    forgotten = eventually(lambda: world.conditions() == [])

    # Who left is out there too: that needs no list. Who is only missing somewhere stays until the list is whole.
    assert (noticed, inferred, asked_for, closed) == (True, True, True, True)
    assert (lasting, other) == (["ListIncomplete"], [])
    assert (converged, forgotten) == (True, True)


def test_who_leaves_while_the_cluster_does_not_answer_is_counted_until_each_is_confirmed(world: TwoClusters) -> None:
    world.troubled.faults.hang()

    for name in ("Ana Adler", "Ben Bauer", "Dana Dorn"):
        world.leave(name)
    left = {EDIT: subjects("Cleo Cole"), VIEW: subjects("Eve Ebert")}
    served = eventually(lambda: access(world.steady) == left)
    counted = eventually(lambda: (world.status()["health"], world.status()["open_removals"]) == ("failing", 3))
    said = world.bridge.text("sync", "status")
    checked = world.bridge.run("sync", "status", "--check")
    untouched = access(world.troubled)
    world.troubled.faults.clear()
    gone = eventually(lambda: access(world.troubled) == left)
    confirmed = eventually(lambda: world.status()["open_removals"] == 0)

    assert (served, counted, untouched) == (True, True, AT_FIRST)
    assert next(line.split()[2] for line in said.splitlines() if line.startswith("troubled ")) == "failing"
    assert checked.exit_code == 8
    assert (gone, confirmed) == (True, True)


def test_a_cluster_that_takes_no_more_writes_keeps_who_is_there_and_lets_leavers_go_afterwards(
    world: TwoClusters,
) -> None:
    for verb in ("create", "patch", "delete"):
        world.troubled.faults.fail(verb, "bindings", status=403, reason="Forbidden", message="you may not bind this")

    world.hire("Finn Falk", "developers")
    world.leave("Ana Adler")
    served = eventually(lambda: access(world.steady) == WITHOUT_ANA_WITH_FINN)
    told = eventually(lambda: "BindDenied" in world.conditions() and world.status()["open_removals"] == 1)
    untouched = access(world.troubled)
    world.troubled.faults.clear()
    converged = eventually(lambda: access(world.troubled) == WITHOUT_ANA_WITH_FINN)
    well = eventually(lambda: (world.status()["health"], world.conditions()) == ("ok", []))

    assert (served, told, untouched) == (True, True, AT_FIRST)
    assert (converged, well) == (True, True)


def test_a_cluster_that_was_in_trouble_gives_back_what_somebody_deleted_meanwhile(world: TwoClusters) -> None:
    world.troubled.faults.fail(status=503, reason="ServiceUnavailable")
    failing = eventually(lambda: world.status()["health"] == "failing")

    remove_bindings(world.troubled)
    lost = access(world.troubled)
    world.troubled.faults.clear()
    back = eventually(lambda: access(world.troubled) == AT_FIRST)

    assert (failing, lost, back) == (True, {}, True)
