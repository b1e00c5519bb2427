"""A world for passes, on both databases."""

from collections.abc import Iterator

import pytest

from scim_bridge.store.database import Database
from tests.sync.worlds import World, make_world


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Open a migrated database of this test's own."""
    opened = Database(migrated_url)
    yield opened
    opened.dispose()


@pytest.fixture
def world(database: Database) -> World:
    """Make an organization with one approved cluster."""
    return make_world(database)


@pytest.fixture
def newcomer(database: Database) -> World:
    """Make an organization with one cluster that nobody approved."""
    return make_world(database, approved=False)
