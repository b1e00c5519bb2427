"""One API server, the real one or the fake: what the code relies on must be true of both."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.fakes.kube_api import FakeKubeApi
from tests.kube.client import KubeClient
from tests.kube.world import Server, create_namespace, prepare


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.kube)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "real":
        yield request.getfixturevalue("kube_server")
        return
    with FakeKubeApi() as fake:
        prepare(fake)
        yield fake


@pytest.fixture
def admin(server: Server) -> KubeClient:
    return server.client()


@pytest.fixture
def own() -> str:
    """A word that is part of all names of this test: the real server is shared by all of them."""
    return uuid4().hex[:8]


@pytest.fixture
def namespace(admin: KubeClient, own: str) -> str:
    create_namespace(admin, f"shop-{own}")
    return f"shop-{own}"
