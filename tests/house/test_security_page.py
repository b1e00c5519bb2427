"""Every answer to a threat in docs/security.md names a test, and that test exists."""

import re

from tests.house.source import ROOT, TESTS, modules

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`")
DOORS = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)


def test_every_threat_has_an_answer_and_a_test() -> None:
    rows = ROW.findall(TEXT)

    assert len(rows) > 40
    assert [threat for _, threat, answer, shown in rows if not answer.strip() or not NAMED.findall(shown)] == []


def test_every_test_that_is_named_exists() -> None:
    there = {(module.name, name.split()[1]) for module in modules(TESTS) for name, _ in module.functions()}
    files = {file for file, _ in there}

    missing = [
        (file, test) for file, test in NAMED.findall(TEXT) if file not in files or (test and (file, test) not in there)
    ]

    assert missing == []


def test_every_door_is_looked_at_from_all_six_sides() -> None:
    parts = TEXT.split("\n### ")[1:]

    seen = {
        part.partition("\n")[0]: {letter for letter, *_ in ROW.findall(part.partition("\n## ")[0])} for part in parts
    }

    assert len(seen) == len(DOORS) == 5
    assert {door: set("STRIDE") - letters for door, letters in seen.items() if letters != set("STRIDE")} == {}
