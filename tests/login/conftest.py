"""One application on each kind of database, with a directory in it and a provider beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.oidc_provider import OpenIdProvider, open_provider
from tests.login.world import Login, open_login


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """Serve a provider that a test may spoil."""
    with open_provider() as opened:
        yield opened


@pytest.fixture
def login(migrated_url: str, tmp_path: Path, provider: OpenIdProvider) -> Iterator[Login]:
    """Open the application on SQLite, and on PostgreSQL."""
    with open_login(migrated_url, tmp_path, provider) as opened:
        yield opened
