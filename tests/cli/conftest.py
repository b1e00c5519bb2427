"""An installation with a migrated database of each kind, driven by its command."""

import shutil
from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def bridge(migrated_url: str, tmp_path: Path) -> Bridge:
    """Name a migrated database with nothing in it."""
    return _installation(migrated_url, tmp_path)


@pytest.fixture
def acme(bridge: Bridge) -> Bridge:
    """Add the organization acme."""
    return _with_acme(bridge)


@pytest.fixture
def local(migrated_sqlite: Path, tmp_path: Path) -> Bridge:
    """Have acme on SQLite only: for what fails before a database has a say in it."""
    copied = shutil.copy(migrated_sqlite, tmp_path / "local.sqlite3")
    return _with_acme(_installation(f"sqlite:///{copied}", tmp_path))


def _installation(url: str, folder: Path) -> Bridge:
    return Bridge({"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(folder / "home")})


def _with_acme(bridge: Bridge) -> Bridge:
    bridge.json("organization", "create", "acme", "--owner", "ana@acme.example")
    return bridge
