"""Canaille's own environment: its pins contradict ours, so it is installed aside, once for a machine."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Canaille 0.3.6 imports names that are gone from newer ones.
PINS = ("canaille[server,oidc,scim,front]==0.3.6", "scim2-client==0.7.5", "scim2-models==0.6.12")
PATIENCE_SECONDS = 400


class CanailleMissing(Exception):
    """It cannot be installed here; the message says what the installer said."""


def folder() -> Path:
    """Return where it is kept: TEST_CANAILLE_ENVIRONMENT, or beside our own packages."""
    named = os.environ.get("TEST_CANAILLE_ENVIRONMENT")
    return Path(named) if named else ROOT / ".venv" / "canaille"


def python() -> Path:
    """Return the interpreter that has Canaille, installed now if it was not; raises CanailleMissing."""
    place = folder()
    program, ready = place / "bin" / "python", place / "ready"
    place.parent.mkdir(parents=True, exist_ok=True)
    # The workers of one test run ask at the same time.
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_file() or ready.read_text() != "\n".join(PINS):
            _run(sys.executable, "-m", "venv", "--clear", str(place))
            _run(str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS)
            ready.write_text("\n".join(PINS))
    return program


def _run(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CanailleMissing(str(error)) from error
    if done.returncode:
        raise CanailleMissing(done.stderr.strip()[-500:])
