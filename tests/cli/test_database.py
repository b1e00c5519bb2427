"""`scim-bridge db`, run as an operator runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scim_bridge", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_upgrade_may_be_run_twice_and_check_agrees(database_url: str) -> None:
    first = run("db", "upgrade", "--json", SCIM_BRIDGE_DATABASE_URL=database_url)
    second = run("db", "upgrade", "--json", SCIM_BRIDGE_DATABASE_URL=database_url)
    checked = run("db", "check", SCIM_BRIDGE_DATABASE_URL=database_url)

    assert (first.returncode, second.returncode, checked.returncode) == (0, 0, 0)
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert "at revision" in checked.stdout


def test_an_empty_database_is_not_in_order_and_says_what_to_run(database_url: str) -> None:
    checked = run("db", "check", SCIM_BRIDGE_DATABASE_URL=database_url)

    assert checked.returncode == 7
    assert "scim-bridge db upgrade" in checked.stderr


@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (["db", "check"], {"SCIM_BRIDGE_DATABASE_URL": "postgresql://x:hunter2@127.0.0.1:1/x"}, "cannot be used"),
        (["db", "check"], {"SCIM_BRIDGE_DATABASE_URL": "mysql://x/y"}, "not supported"),
        (["db", "check"], {"SCIM_BRIDGE_POLL": "1"}, "is not a setting"),
        (["--config", "/does/not/exist.toml", "db", "check"], {}, "cannot be read"),
    ],
)
def test_what_goes_wrong_is_one_sentence(words: list[str], environment: dict[str, str], sentence: str) -> None:
    result = run(*words, **environment)

    assert result.returncode in (7, 9)
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr


def test_bad_toml_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text("base_url = [")

    result = run("--config", str(file), "db", "check")

    assert (result.returncode, "is not TOML" in result.stderr) == (9, True)


def test_a_verb_that_does_not_exist_is_misuse() -> None:
    assert run("db", "explode").returncode == 2
