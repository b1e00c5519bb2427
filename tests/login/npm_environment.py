"""The npm package oidc-provider: installed aside, once for a machine."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIN = "oidc-provider@9.13.3"
PATIENCE_SECONDS = 300


class NodeMissing(Exception):
    """It cannot be installed or run here; the message says why."""


def folder() -> Path:
    """Return where it is kept: TEST_OIDC_PROVIDER_ENVIRONMENT, or beside our own packages."""
    named = os.environ.get("TEST_OIDC_PROVIDER_ENVIRONMENT")
    return Path(named) if named else ROOT / ".venv" / "oidc-provider"


def installed() -> Path:
    """Return the folder that has it, installed now if it was not; raises NodeMissing."""
    if shutil.which("node") is None:
        raise NodeMissing("there is no node")
    place = folder()
    ready = place / "ready"
    place.mkdir(parents=True, exist_ok=True)
    # The workers of one test run ask at the same time.
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_file() or ready.read_text() != PIN:
            _install(place)
            ready.write_text(PIN)
    return place


def _install(place: Path) -> None:
    if shutil.which("npm") is None:
        raise NodeMissing("there is no npm")
    words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix", str(place), PIN]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NodeMissing(str(error)) from error
    if done.returncode:
        raise NodeMissing((done.stderr or done.stdout).strip()[-500:])
