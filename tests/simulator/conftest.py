"""A SCIM server double for each test, on a port of its own."""

from collections.abc import Iterator

import pytest

from tests.simulator.scim_double import ScimDouble, serve


@pytest.fixture
def double() -> Iterator[ScimDouble]:
    """Serve an empty double."""
    world = ScimDouble()
    server = serve(world)
    yield world
    server.shutdown()
    server.server_close()
