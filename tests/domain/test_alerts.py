"""When an alert is told: once when it begins, once when it ends, and not because it flickers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.alerts import LASTS, MEANING, STAYS_AWAY, TOLD, Alert, AlertKind, Level, Move, Step, moves
from scim_bridge.domain.organizations import OrganizationId

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ACME = OrganizationId("acme")
STALE = Level(ACME, AlertKind.STALE_DIRECTORY, "okta", "directory okta", "silent")
FAILING = Level(ACME, AlertKind.FAILING_CLUSTER, "prod", "cluster prod", "away")
TOKEN = Level(ACME, AlertKind.EXPIRING_TOKEN, "okta:abc", "directory okta", "ends within 30 days")


def steps(known: Iterable[Alert], levels: Iterable[Level], at: datetime = NOON) -> list[Step]:
    return [move.step for move in moves(known, levels, at)]


def opened(level: Level, **more: datetime | None) -> Alert:
    return replace(Alert("1", level, NOON, NOON), **more)  # type: ignore[arg-type]


def test_what_begins_is_told_at_once_and_what_goes_on_is_not() -> None:
    assert steps([], [STALE]) == [Step.OPENED]
    assert steps([opened(STALE)], [STALE]) == []
    assert steps([opened(STALE)], [replace(STALE, message="silent for longer")]) == []


def test_a_cluster_has_to_fail_for_a_time_before_anybody_is_told() -> None:
    seen = Alert("1", FAILING, NOON)
    patience = LASTS[AlertKind.FAILING_CLUSTER]

    assert steps([], [FAILING]) == [Step.SEEN]
    assert steps([seen], [FAILING], NOON + patience - timedelta(seconds=1)) == []
    assert steps([seen], [FAILING], NOON + patience) == [Step.OPENED]
    assert steps([seen], [], NOON + patience) == [Step.FORGOTTEN]


def test_an_end_is_told_once_it_has_lasted_and_what_comes_back_before_is_the_same_alert() -> None:
    gone = opened(STALE, gone_at=NOON)

    assert steps([opened(STALE)], []) == [Step.GONE]
    assert steps([gone], [], NOON + STAYS_AWAY - timedelta(seconds=1)) == []
    assert steps([gone], [], NOON + STAYS_AWAY) == [Step.CLOSED]
    assert steps([gone], [STALE], NOON + STAYS_AWAY) == [Step.BACK]


def test_a_token_is_told_of_again_when_its_end_comes_nearer() -> None:
    nearer = replace(TOKEN, message="ends within 7 days")

    assert steps([opened(TOKEN)], [TOKEN]) == []
    assert steps([opened(TOKEN)], [nearer]) == [Step.REPEATED]


def test_one_organizations_alert_is_not_another_ones() -> None:
    other = replace(STALE, organization_id=OrganizationId("evil"))

    assert steps([opened(STALE)], [STALE, other]) == [Step.OPENED]


def test_every_kind_says_what_it_means() -> None:
    assert set(MEANING) == set(AlertKind)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=60), st.sampled_from([STALE, FAILING]))
def test_whatever_flickers_beginnings_and_ends_are_told_in_turn(shown: list[tuple[bool, int]], level: Level) -> None:
    at, known, told = NOON, list[Alert](), list[Step]()

    for is_so, seconds in shown:
        at += timedelta(seconds=seconds)
        found = list(moves(known, [level] if is_so else [], at))
        told += [move.step for move in found if move.step in TOLD]
        for move in found:
            known = list(_after(move, at))

    assert told == [Step.OPENED, Step.CLOSED] * (len(told) // 2) + [Step.OPENED] * (len(told) % 2)


def _after(move: Move, at: datetime) -> Iterable[Alert]:
    before = move.alert or Alert("1", move.level, at)
    if move.step is Step.OPENED:
        yield replace(before, opened_at=at, gone_at=None)
    elif move.step is Step.GONE:
        yield replace(before, gone_at=at)
    elif move.step not in (Step.CLOSED, Step.FORGOTTEN):
        yield replace(before, gone_at=None)
