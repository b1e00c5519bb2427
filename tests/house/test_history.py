"""Whoever writes a row of which the past is kept says so in the audit too, or a replay of it would not know."""

import re

import pytest

from tests.house.source import PACKAGE, modules

# The tables that access is derived from; facts are noted where they are written.
HISTORY = "membership|nesting|grant|grant_origin|rule|fact|project_cluster|project_namespace|api_role"
WRITES = re.compile(rf"sa\.(?:insert|update)\((?:{HISTORY})\)")
STORE = {module.name: module.text for module in modules(PACKAGE / "store")}
WRITERS = sorted(name for name, text in STORE.items() if WRITES.search(text))


def test_the_modules_that_write_history_are_found() -> None:
    assert {name.rpartition("/")[2].removesuffix(".py") for name in WRITERS} >= {
        "grants",
        "history",
        "memberships",
        "nestings",
        "rules",
        "tree",
    }


@pytest.mark.parametrize("name", WRITERS)
def test_who_writes_history_notes_it_for_the_audit(name: str) -> None:
    assert "from scim_bridge.store.effects import note" in STORE[name]


def test_nobody_writes_history_outside_the_store() -> None:
    rooms = ("identity", "sync", "api", "cli", "scim", "web")
    found = [module.name for room in rooms for module in modules(PACKAGE / room) if WRITES.search(module.text)]

    assert found == []
