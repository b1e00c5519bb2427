"""A change that reaches many people, or anybody's admin rights, is not done before somebody has seen it."""

import pytest

from scim_bridge.domain.blast_radius import reasons_to_wait
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.effects import BoundSubject, Effects, GrantHeld, RoleHeld, Side

LIMITS = BrakeLimits(subjects=3, percent=10)


def bound(*people: str, role: str = "view") -> tuple[BoundSubject, ...]:
    return tuple(BoundSubject("prod", "", role, each, each, each) for each in people)


def holding(*people: str, role: str = "viewer") -> tuple[RoleHeld, ...]:
    return tuple(RoleHeld(each, "organization", role, each) for each in people)


def people(number: int) -> list[str]:
    return [f"p{each}" for each in range(number)]


@pytest.mark.parametrize(("touched", "active", "waits"), [(3, 10, False), (4, 10, True), (5, 50, False), (6, 50, True)])
def test_the_larger_of_number_and_percent_may_be_touched_unseen(touched: int, active: int, waits: bool) -> None:
    found = reasons_to_wait(Effects(Side(bindings=bound(*people(touched)))), active, LIMITS)

    assert bool(found) is waits


def test_a_person_counts_once_whatever_they_gain_and_lose() -> None:
    gains = Side(bindings=bound(*people(3)), api_roles=holding(*people(3)))
    losses = Side(bindings=bound(*people(3), role="edit"))

    assert reasons_to_wait(Effects(gains, losses), 10, LIMITS) == ()


def test_gains_and_losses_of_different_people_are_counted_together() -> None:
    found = reasons_to_wait(Effects(Side(bindings=bound("a", "b")), Side(bindings=bound("c", "d"))), 10, LIMITS)

    assert found == ("It changes the access of 4 people; at most 3 of 10 go unseen.",)


def test_grants_that_reach_nobody_reach_nobody() -> None:
    grants = tuple(GrantHeld(f"g{n}", "group", "organization", "viewer", "", "rule r", f"g{n}") for n in range(50))

    assert reasons_to_wait(Effects(Side(grants=grants)), 10, LIMITS) == ()


@pytest.mark.parametrize(
    ("side", "verb"),
    [
        (Side(api_roles=holding("ana", role="admin")), "admin rights"),
        (Side(api_roles=holding("ana", role="owner")), "admin rights"),
        (Side(bindings=bound("ana", role="cluster-admin")), "admin rights"),
        (Side(bindings=bound("ana", role="cluster-admin"), api_roles=holding("ana", role="admin")), "1 people"),
    ],
)
def test_one_admin_is_enough_whether_they_gain_or_lose_it(side: Side, verb: str) -> None:
    gain = reasons_to_wait(Effects(gains=side), 1000, LIMITS)
    loss = reasons_to_wait(Effects(losses=side), 1000, LIMITS)

    assert (len(gain), len(loss)) == (1, 1)
    assert verb in gain[0]
    assert ("gain" in gain[0], "lose" in loss[0]) == (True, True)


def test_nothing_at_all_waits_for_nobody() -> None:
    assert reasons_to_wait(Effects(), 0, LIMITS) == ()
