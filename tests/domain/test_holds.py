"""Whom a new list may leave out at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.holds import Departure, surplus
from scim_bridge.domain.people import MemberId

LIMITS = BrakeLimits()
names = st.integers(0, 60).map(lambda number: MemberId(f"m{number}"))
departures = st.builds(
    Departure,
    st.lists(names, unique=True, max_size=40),
    st.frozensets(names, max_size=20),
    st.integers(0, 1000),
    st.booleans(),
    st.booleans(),
)


def people(count: int, first: int = 0) -> list[MemberId]:
    return [MemberId(f"m{number:03}") for number in range(first, first + count)]


def test_ten_may_go_and_the_eleventh_is_held() -> None:
    assert surplus(Departure(people(10)), LIMITS) == frozenset()
    assert surplus(Departure(people(11)), LIMITS) == {"m010"}


def test_a_large_organization_may_lose_a_tenth() -> None:
    assert surplus(Departure(people(50), subjects_at_start=500), LIMITS) == frozenset()
    assert len(surplus(Departure(people(51), subjects_at_start=500), LIMITS)) == 1


def test_who_left_within_the_hour_counts_but_once() -> None:
    before = frozenset(people(8))

    assert surplus(Departure(people(3, 8), before), LIMITS) == {"m010"}
    assert surplus(Departure(people(8), before), LIMITS) == frozenset()


@pytest.mark.parametrize(("size", "held"), [(9, 0), (10, 10)])
def test_a_group_of_ten_is_not_emptied(size: int, held: int) -> None:
    departure = Departure(people(size), subjects_at_start=5000, empties_group=True)

    assert len(surplus(departure, LIMITS)) == held


@pytest.mark.parametrize(("size", "held"), [(2, 0), (3, 3)])
def test_an_organization_of_three_is_not_emptied(size: int, held: int) -> None:
    departure = Departure(people(size), empties_group=True, empties_organization=True)

    assert len(surplus(departure, LIMITS)) == held


def test_an_organization_is_not_emptied_slice_by_slice_either() -> None:
    departure = Departure(people(1, 5), frozenset(people(5)), empties_group=True, empties_organization=True)

    assert surplus(departure, LIMITS) == set(people(1, 5))


@given(departures)
def test_only_who_leaves_is_held_and_never_more_go_than_the_limit_lets(departure: Departure) -> None:
    held = surplus(departure, LIMITS)

    gone = set(departure.leaving) - held - departure.left_before
    assert held <= set(departure.leaving)
    assert len(gone) <= max(0, LIMITS.allowance(departure.subjects_at_start) - len(departure.left_before))


@given(departures)
def test_a_larger_organization_never_holds_more(departure: Departure) -> None:
    small = Departure(departure.leaving, departure.left_before, 0, departure.empties_group)
    large = Departure(departure.leaving, departure.left_before, 1000, departure.empties_group)

    assert surplus(large, LIMITS) <= surplus(small, LIMITS)
