"""One application on each kind of database, with one organization in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.rest import Person, Rest, open_rest


@pytest.fixture
def rest(migrated_url: str, tmp_path: Path) -> Iterator[Rest]:
    """Open the application on SQLite, and on PostgreSQL."""
    with open_rest(migrated_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def owner(rest: Rest) -> Person:
    """Return acme's owner with a token."""
    return rest.token_of("owner@acme.example")


@pytest.fixture
def viewer(rest: Rest) -> Person:
    """Return a viewer of acme with a token."""
    return rest.with_role("viewer")
