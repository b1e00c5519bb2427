"""A migrated database of each kind, with one organization in it, for the use cases."""

from collections.abc import Iterator

import pytest

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import organizations
from scim_bridge.store.database import Database


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Open a migrated database, empty but for the organization acme."""
    opened = Database(migrated_url)
    organizations.create(opened, Actor(ActorKind.CLI, "tests"), "acme")
    yield opened
    opened.dispose()


@pytest.fixture
def actor() -> Actor:
    """Name who does what the tests do."""
    return Actor(ActorKind.CLI, "tests")
