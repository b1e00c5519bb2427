"""When a directory is too silent for its own rhythm, only refused, or about to lose its token."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.domain.directory_alarms import Sighting, TokenSeen, conditions_of, patience
from scim_bridge.domain.people import DirectoryState

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def kinds(
    state: DirectoryState = DirectoryState.ACTIVE,
    silent: timedelta | None = HOUR,
    silences: list[timedelta] | None = None,
    answers: list[int] | None = None,
    ends: timedelta | None = None,
) -> list[str]:
    """Name the conditions of a directory that was seen so long ago and was answered so."""
    tokens = [TokenSeen("abcdefgh", None if ends is None else NOON + ends)]
    last = None if silent is None else NOON - silent
    seen = Sighting(state, tokens, last, silences or [], answers or [])
    return [each.kind for each in conditions_of(seen, NOON)]


@pytest.mark.parametrize(
    ("silent", "stale"), [(HOUR, False), (72 * HOUR, False), (72 * HOUR + timedelta(seconds=1), True), (None, False)]
)
def test_three_days_of_silence_are_allowed_to_everybody(silent: timedelta | None, stale: bool) -> None:
    assert kinds(silent=silent) == (["Stale"] if stale else [])


def test_a_directory_that_is_often_silent_for_long_is_given_its_own_time() -> None:
    weekly = [timedelta(days=6)] * 4

    assert kinds(silent=timedelta(days=5), silences=weekly) == []
    assert kinds(silent=timedelta(days=6, hours=1), silences=weekly) == ["Stale"]


def test_a_busy_directory_is_not_given_less_than_three_days() -> None:
    assert kinds(silent=70 * HOUR, silences=[2 * HOUR] * 300) == []


def test_one_long_outage_among_many_short_silences_does_not_become_the_rhythm() -> None:
    assert patience([*[2 * HOUR] * 299, 500 * HOUR]) == 72 * HOUR
    assert patience([*[2 * HOUR] * 10, 500 * HOUR]) == 500 * HOUR


@pytest.mark.parametrize("state", [DirectoryState.PAUSED, DirectoryState.DETACHED])
def test_whoever_was_told_to_be_silent_is_not_stale(state: DirectoryState) -> None:
    assert kinds(state, silent=timedelta(days=90), answers=[503] * 20) == []


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ([401] * 20, True),
        ([400, 409, 500, 429, 401] * 4, True),
        ([401] * 19, False),
        ([401] * 19 + [200], False),
        ([200] + [401] * 19, False),
        ([404] * 20, False),
        ([401] * 20 + [200], True),
        ([], False),
    ],
)
def test_twenty_refusals_in_a_row_are_a_streak(answers: list[int], refused: bool) -> None:
    assert kinds(answers=answers) == (["OnlyRefused"] if refused else [])


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (timedelta(days=31), []),
        (timedelta(days=29), ["TokenExpires"]),
        (timedelta(hours=3), ["TokenExpires"]),
        (-HOUR, ["TokenExpired"]),
        (timedelta(days=-31), []),
        (None, []),
    ],
)
def test_the_end_of_a_token_is_told_before_and_after_it_and_not_for_ever(
    ends: timedelta | None, told: list[str]
) -> None:
    assert kinds(ends=ends) == told


def test_each_step_towards_the_end_says_something_new() -> None:
    messages = {
        conditions_of(Sighting(DirectoryState.ACTIVE, [TokenSeen("abcdefgh", NOON)]), NOON - timedelta(days=days))
        for days in (29, 13, 6, 1, 0)
    }

    assert len(messages) == 5


def test_the_end_of_a_token_is_told_while_the_directory_is_paused() -> None:
    assert kinds(DirectoryState.PAUSED, ends=HOUR) == ["TokenExpires"]


@pytest.mark.parametrize("state", [DirectoryState.PENDING, DirectoryState.ACTIVE, DirectoryState.PAUSED])
def test_who_lacks_what_the_mapping_requires_is_told_of_field_by_field(state: DirectoryState) -> None:
    found = conditions_of(Sighting(state, lacking={"email": 1, "department": 12}), NOON)

    assert [(each.kind, each.about) for each in found] == [
        ("AttributeMissing", "department"),
        ("AttributeMissing", "email"),
    ]
    assert found[0].message.startswith("12 people have no department")
    assert found[1].message.startswith("A person has no email")
    assert conditions_of(Sighting(DirectoryState.DETACHED, lacking={"email": 1}), NOON) == ()
