"""A conversation with an empty directory, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_bridge.domain.people import DirectoryKind
from tests.conversations.talk import Talk
from tests.scim.doors import World, open_world


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Open the application on SQLite, and on PostgreSQL."""
    with open_world(migrated_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def okta(world: World) -> Talk:
    """Connect Okta."""
    return Talk(world, world.connect("acme", "okta", DirectoryKind.OKTA))


@pytest.fixture
def entra(world: World) -> Talk:
    """Connect Entra."""
    return Talk(world, world.connect("acme", "entra", DirectoryKind.ENTRA))
