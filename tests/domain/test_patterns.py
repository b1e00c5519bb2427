"""Patterns are a safe part of regular expressions: no name makes one run away."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.patterns import LONGEST_NAME, check_pattern, match_pattern
from scim_bridge.errors import Invalid


@pytest.mark.parametrize(
    ("pattern", "name", "captured"),
    [
        ("k8s-(?P<project>[a-z0-9-]+)-edit", "k8s-web-shop-edit", {"project": "web-shop"}),
        ("^k8s-(?P<project>[a-z]+)$", "k8s-shop", {"project": "shop"}),
        ("(?P<env>prod|stage)-(?P<team>.+)", "prod-Payments & Co", {"env": "prod", "team": "Payments & Co"}),
        (r"team\.(?P<team>\w{2,8})", "team.blue", {"team": "blue"}),
        ("(?:aws|k8s)_[0-9]{4}_(?P<x>[^_]*)", "k8s_2024_ops", {"x": "ops"}),
        ("ops(?:-x)?", "ops", {}),
        ("engineers", "engineers and more", None),
        ("engineers", "Engineers", None),
    ],
)
def test_a_pattern_matches_whole_names_and_captures_by_name(
    pattern: str, name: str, captured: dict[str, str] | None
) -> None:
    found = match_pattern(pattern, name)

    assert found == captured


def test_a_capture_that_took_no_part_is_empty() -> None:
    assert match_pattern("all(?P<rest>-x)?", "all") == {"rest": ""}


def test_a_name_that_is_too_long_matches_nothing() -> None:
    assert match_pattern(".*", "a" * LONGEST_NAME) == {}
    assert match_pattern(".*", "a" * (LONGEST_NAME + 1)) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(?:a+)+b",
        "(?:a|a)(?:b|bc)",
        "(?:a|b)*",
        "(?P<x>(?:a)b)",
        "a|b",
        "a**",
        "a*+",
        "*a",
        "a*b*c*d*",
        "a?b?c?d?",
        r"(?P<x>a)\1",
        "(?P<x>a)(?P=x)",
        "(?=a)b",
        "(?!a)b",
        "(?i)a",
        "(a)",
        r"\bword\b",
        "a" * 257,
        "",
        "[z-a]",
        "[a--b]",
        "[[a]b]",
        "a{3,1}",
        "(?P<x>a",
        "a)",
    ],
)
def test_what_could_run_away_or_is_no_pattern_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_pattern(pattern, "rules[0].group_pattern")

    assert caught.value.field == "rules[0].group_pattern"
    assert str(caught.value).endswith(".") or "characters" in str(caught.value)


@given(st.text(alphabet="ab?*+|(){}[]^$.\\-:P<x>0123,", max_size=24))
def test_whatever_is_accepted_can_be_matched(pattern: str) -> None:
    try:
        captures = check_pattern(pattern)
    except Invalid:
        return

    found = match_pattern(pattern, "ab-ab")

    assert found is None or found.keys() == captures


@pytest.mark.parametrize(
    "pattern",
    [".*.*.*x", "a*a*a*b", "(?P<x>.+)-(?P<y>.+)-(?P<z>.+)!", "a?a?a?a*a*a*b", "(?:a|b)?(?:a|c)?(?:a|d)?.*.*.*x"],
)
def test_the_worst_patterns_that_are_accepted_end_soon_on_the_worst_names(pattern: str) -> None:
    assert check_pattern(pattern) is not None

    started = time.perf_counter()
    for name in ("a" * LONGEST_NAME, "-" * LONGEST_NAME):
        assert match_pattern(pattern, name) is None

    assert time.perf_counter() - started < 5
