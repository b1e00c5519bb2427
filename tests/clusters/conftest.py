"""A Kubernetes target on the fake API server, for what goes wrong; on the real one, for what must be right."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.contracts.targets import KubeTarget
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.world import Server, prepare


@pytest.fixture
def own() -> str:
    return uuid4().hex[:8]


@pytest.fixture
def api() -> Iterator[FakeKubeApi]:
    with FakeKubeApi() as server:
        prepare(server)
        yield server


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.kube)])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue("api" if request.param == "fake" else "kube_server")
    return found


@pytest.fixture
def target(server: Server, own: str) -> Iterator[KubeTarget]:
    """A target on either server."""
    found = KubeTarget(own, server)
    yield found
    found.gateway.close()


@pytest.fixture
def faulty(api: FakeKubeApi, own: str) -> Iterator[KubeTarget]:
    """A target on the fake server, with no patience."""
    found = KubeTarget(own, api)
    found.gateway.close()
    found.gateway = found.open(connect_seconds=0.5, read_seconds=0.3)
    api.requests.clear()
    yield found
    found.gateway.close()
