"""Numbers and moments as pages draw them."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.console import charts, people, times

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=2), "now"),
        (timedelta(seconds=40), "40 seconds ago"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=20), "2 weeks ago"),
        (timedelta(days=60), "2026-01-02"),
        (timedelta(minutes=-10), "in 10 minutes"),
    ],
)
def test_a_moment_is_told_by_how_far_it_is(distance: timedelta, words: str) -> None:
    assert times.relative(NOON - distance, NOON) == words


def test_what_never_was_is_said_to_be_so() -> None:
    assert "never" in times.moment(None)
    assert "&lt;b&gt;" in times.moment(None, "<b>")


@pytest.mark.parametrize(("seconds", "words"), [(None, "–"), (1.24, "1.2 s"), (90, "1 minute")])
def test_a_measured_time_is_short(seconds: float | None, words: str) -> None:
    assert times.seconds(seconds) == words


def test_bars_stand_on_the_ground_and_the_tallest_fills_the_room() -> None:
    chart = charts.bars("Removals", [("a", 10, "ok"), ("b", 5, "danger"), ("c", 0, "ok")])

    tallest, half, none = chart.bars
    assert tallest.height == pytest.approx(2 * half.height)
    assert none.height == 0
    assert all(bar.y + bar.height == pytest.approx(chart.ground) for bar in chart.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)


def test_charts_of_nothing_are_charts() -> None:
    assert charts.bars("Nothing", []).bars == ()
    assert charts.line("Nothing", []).points == ""
    assert charts.bars("Zero", [("a", 0, "ok")]).bars[0].height == 0


def test_a_line_goes_from_edge_to_edge() -> None:
    chart = charts.line("People", [("Monday", 0), ("Tuesday", 4)])

    assert chart.points == f"0.0,{chart.ground}.0 640.0,{charts.TOP}.0"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ana García", "AG"), ("ana.garcia@acme.example", "AG"), ("mono", "M"), ("<script>", "S"), ("", "?"), (None, "?")],
)
def test_initials_are_letters_whatever_the_name(name: str | None, letters: str) -> None:
    assert people.initials(name) == letters
