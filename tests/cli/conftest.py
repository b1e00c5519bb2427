"""An installation with a migrated database of each kind, driven by its command."""

from pathlib import Path

import pytest

from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from tests.cli.bridge import Bridge


@pytest.fixture
def bridge(database_url: str, tmp_path: Path) -> Bridge:
    """Migrate a database with nothing in it."""
    return _migrated(database_url, tmp_path)


@pytest.fixture
def acme(bridge: Bridge) -> Bridge:
    """Add the organization acme."""
    bridge.json("organization", "create", "acme", "--owner", "ana@acme.example")
    return bridge


@pytest.fixture
def local(sqlite_url: str, tmp_path: Path) -> Bridge:
    """Have acme on SQLite only: for what fails before a database has a say in it."""
    made = _migrated(sqlite_url, tmp_path)
    made.json("organization", "create", "acme", "--owner", "ana@acme.example")
    return made


def _migrated(url: str, folder: Path) -> Bridge:
    database = Database(url)
    migrations.upgrade(database)
    database.dispose()
    return Bridge({"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(folder / "home")})
