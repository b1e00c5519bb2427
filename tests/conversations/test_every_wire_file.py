"""No wire file is only written down: each is sent by some conversation here, and no demand is without one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from scim_bridge.simulator import wire

ROWS = re.compile(r"# Rows? (?P<rows>\d+\.\d+(?:, \d+\.\d+)*)")
ROW = re.compile(r"\d+\.\d+")


def test_every_wire_file_is_sent_by_a_conversation() -> None:
    written = {f"{dialect}/{name}" for dialect in wire.DIALECTS for name in wire.names(dialect)}

    sent = {
        node.value
        for module in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert len(written) > 80
    assert sorted(written - sent) == []


def test_every_row_that_a_wire_file_shows_is_named_by_a_conversation() -> None:
    shown = {row for dialect in wire.DIALECTS for name in wire.names(dialect) for row in wire.load(dialect, name).rows}

    texts = " ".join(module.read_text(encoding="utf-8") for module in Path(__file__).parent.glob("test_*.py"))
    named = {word.strip(".,:;") for line in texts.splitlines() if "# Row" in line for word in line.split()}

    assert sorted(shown - named) == []


# Every row of idp-behaviour.md §1 that is M (the sync breaks without it) or S (a known failure) for somebody. The
# others say what nobody sends (39), and what Entra does not tell (44). Of §2 every section is.
DEMANDED = [f"1.{number}" for number in (*range(1, 39), *range(40, 44))] + [f"2.{number}" for number in range(1, 7)]


@cache
def conversations() -> dict[str, list[str]]:
    """Return the tests that name a row, by row; they do it in their first line."""
    found: dict[str, list[str]] = {}
    for module in sorted(Path(__file__).parent.glob("test_*.py")):
        text = module.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = ROWS.search(ast.get_source_segment(text, node) or "")
                for row in ROW.findall(said["rows"]) if said else ():
                    found.setdefault(row, []).append(node.name)
    return found


@pytest.mark.parametrize("row", DEMANDED)
def test_every_demanded_row_is_held_by_a_conversation(row: str) -> None:
    assert conversations().get(row, []) != []


def test_no_conversation_names_a_row_that_nobody_demands() -> None:
    assert sorted(conversations().keys() - set(DEMANDED)) == []
