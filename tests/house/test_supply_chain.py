"""What is installed is what the lock names, file by file; and a known hole in it does not go unnoticed."""

import json
import runpy
import subprocess
import tomllib
from typing import Any

import pytest

from tests.house.source import ROOT

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
SCRIPT = runpy.run_path(str(ROOT / ".ci" / "supply_chain.py"))


def requirements() -> list[str]:
    made = runpy.run_path(str(ROOT / ".ci" / "locked_requirements.py"))["requirements"](LOCK)
    return list(made)


def test_whatever_is_installed_is_held_to_its_hash() -> None:
    known = {each["name"]: each for each in LOCK["package"]}

    lines = requirements()

    assert len(lines) > 100
    for line in lines:
        name, _, rest = line.partition("==")
        files = [*known[name].get("wheels", ()), *([known[name]["sdist"]] if "sdist" in known[name] else ())]
        assert rest.split()[0] == known[name]["version"]
        assert rest.split()[1:] == [f"--hash={each['hash']}" for each in files]
        assert all(each["hash"].startswith("sha256:") for each in files)
    assert "--require-hashes" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_everything_that_the_project_names_is_among_it() -> None:
    project = next(each for each in LOCK["package"] if each["name"] == "scim-bridge")
    wanted = {each["name"] for each in (*project["dependencies"], *project["dev-dependencies"]["dev"])}

    assert wanted - {line.partition("==")[0] for line in requirements()} == set()
    assert "scim-bridge" not in {line.partition("==")[0] for line in requirements()}


def answered(vulns: list[dict[str, Any]]) -> str:
    return json.dumps({"dependencies": [{"name": "flask", "version": "3.1.0", "vulns": vulns}]})


@pytest.mark.parametrize(
    ("out", "error", "code", "said"),
    [
        (answered([]), "", 0, "no vulnerability is known in 1 packages"),
        (answered([{"id": "PYSEC-2026-1"}]), "Found 1 known vulnerability", 1, "VULNERABLE: flask 3.1.0: PYSEC-2026-1"),
        ("", "requests.exceptions.ConnectionError: Max retries exceeded", 0, "NOT CHECKED"),
        ("", "the request timed out after 150 s", 0, "NOT CHECKED"),
        ("", "error: no such option", 1, "pip-audit failed: error: no such option"),
    ],
)
def test_only_a_hole_that_is_known_is_a_failure_and_silence_is_told(
    capsys: pytest.CaptureFixture[str], out: str, error: str, code: int, said: str
) -> None:
    done = subprocess.CompletedProcess([], 0, out, error)

    found = SCRIPT["judge"](done)

    printed = capsys.readouterr()
    assert (found, said in printed.out + printed.err) == (code, True)
