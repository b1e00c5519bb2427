"""From where a token works, and how near its end is."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.domain.directory_tokens import days_warned, is_within, parse_ranges
from scim_bridge.domain.moments import read_deadline
from scim_bridge.errors import Invalid

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("203.0.113.0", True),
        ("203.0.113.255", True),
        ("203.0.114.0", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("fe80::1%eth0", False),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
def test_an_address_is_in_a_range_or_it_is_not(address: str | None, inside: bool) -> None:
    assert is_within(address, ("203.0.113.0/24", "2001:db8::/32")) is inside


def test_ranges_are_kept_once_and_in_one_form() -> None:
    assert parse_ranges([" 203.0.113.7 ", "203.0.113.7/32", "2001:DB8::/32"]) == ("203.0.113.7/32", "2001:db8::/32")


@pytest.mark.parametrize("text", ["", "example.com", "203.0.113.7/24", "203.0.113.0/33", "*", "0.0.0.0/0; drop"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_ranges([text])


def test_a_token_has_not_too_many_ranges() -> None:
    with pytest.raises(Invalid, match="32"):
        parse_ranges(f"10.0.{number}.0/24" for number in range(33))


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=31), None),
        (timedelta(days=30), 30),
        (timedelta(days=14, seconds=1), 30),
        (timedelta(days=14), 14),
        (timedelta(days=7), 7),
        (timedelta(hours=25), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(), 0),
        (timedelta(days=-3), 0),
    ],
)
def test_the_end_of_a_token_is_told_in_steps(left: timedelta, days: int | None) -> None:
    assert days_warned(NOON + left, NOON) == days


def test_a_token_without_an_end_is_never_near_it() -> None:
    assert days_warned(None, NOON) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90d", NOON + timedelta(days=90)),
        ("2h", NOON + timedelta(hours=2)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T09:00+01:00", datetime(2027, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_a_deadline_is_so_long_ahead_or_a_date(text: str, moment: datetime) -> None:
    assert read_deadline(text, NOON) == moment


@pytest.mark.parametrize("text", ["", "90", "soon", "2026-11-25", "2027-13-01", "0d", "-3d", "999999w"])
def test_a_deadline_that_is_none_or_lies_behind_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_deadline(text, NOON)
