"""One application on each kind of database, with one directory in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scim.doors import Directory, World, open_world


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Open the application on SQLite, and on PostgreSQL."""
    with open_world(migrated_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def okta(world: World) -> Directory:
    """Connect a directory of the organization acme."""
    return world.connect("acme", "okta")
