"""No wire file is only written down: each is sent by some conversation here."""

import ast
from pathlib import Path

from scim_bridge.simulator import wire


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
