"""A name stays a name when a spreadsheet opens it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.spreadsheets import csv_line, safe_cell


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"])
def test_what_would_run_as_a_formula_begins_with_an_apostrophe(name: str) -> None:
    assert safe_cell(name) == f"'{name}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), (5, "5"), ("Ana", "Ana"), ("a=b", "a=b"), ("", "")])
def test_everything_else_is_written_as_it_is(value: object, text: str) -> None:
    assert safe_cell(value) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=1, max_size=4))
def test_a_line_is_read_as_the_cells_that_were_written(cells: list[str]) -> None:
    line = csv_line(cells)

    assert list(csv.reader(io.StringIO(line, newline=""))) == [[safe_cell(cell) for cell in cells]]


@given(st.text(max_size=5))
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not safe_cell(text).lstrip(" ").startswith(("=", "+", "-", "@"))
