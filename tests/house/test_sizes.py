"""Small enough to read: a file is a page or two, a function fits on a screen, and tests outweigh the source."""

from statistics import median, quantiles

import pytest

from tests.house.source import PACKAGE, ROOT, TESTS, modules

LONGEST_FILE = {"scim_bridge": 400, "migrations": 400, "benchmarks": 400, "tests": 600}
LONGEST_FUNCTION = 50
MEDIAN_FILE = 150
MEDIAN_FUNCTION = 10
NINETY_PERCENT_OF_FUNCTIONS = 30
# The house's aim is 1.4. It fell from 0.95 with the REST door and sign-in, and again with the console: only up now.
TESTS_TO_SOURCE = 0.76


@pytest.mark.parametrize("folder", LONGEST_FILE)
def test_no_file_is_longer_than_its_limit(folder: str) -> None:
    found = modules(ROOT / folder)

    too_long = {module.name: module.lines for module in found if module.lines > LONGEST_FILE[folder]}

    assert too_long == {}


# Migrations are left out: one is a list of columns, written once and never edited.
@pytest.mark.parametrize("folder", LONGEST_FILE)
def test_no_function_is_longer_than_fifty_lines(folder: str) -> None:
    found = [function for module in modules(ROOT / folder) for function in module.functions()]

    too_long = {place: length for place, length in found if length > LONGEST_FUNCTION}

    assert too_long == {}


def test_half_of_the_files_are_a_page_or_two() -> None:
    lengths = [module.lines for module in modules(PACKAGE) if module.written_lines > 1]

    assert median(lengths) <= MEDIAN_FILE


def test_half_of_the_functions_are_ten_lines_and_nine_in_ten_are_thirty() -> None:
    lengths = [length for module in modules(PACKAGE) for _, length in module.functions()]

    assert median(lengths) <= MEDIAN_FUNCTION
    assert quantiles(lengths, n=10)[-1] <= NINETY_PERCENT_OF_FUNCTIONS


def test_the_tests_outweigh_the_source() -> None:
    source = sum(module.written_lines for module in modules(PACKAGE))
    tests = sum(module.written_lines for module in modules(TESTS))

    ratio = tests / source

    assert ratio >= TESTS_TO_SOURCE, f"{tests} lines of tests for {source} of source: {ratio:.2f}"
