"""The fixture of the real API server; tests/conftest.py gives it to every room."""

from collections.abc import Iterator

import pytest

from tests.kube.server import KubeServer, ServerMissing
from tests.kube.world import prepare
from tests.machine import require


@pytest.fixture(scope="session")
def kube_server() -> Iterator[KubeServer]:
    """A real kube-apiserver, prepared; one for all tests that are marked ``kube``."""
    server = KubeServer()
    try:
        server.start()
    except ServerMissing as missing:
        require("A real kube-apiserver", str(missing))
    try:
        prepare(server)
        yield server
    finally:
        server.stop()
