"""Two fake API servers in a process of their own, so that their CPU is not taken for the bridge's."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import orjson

from tests.fakes.kube_api import FakeKubeApi
from tests.kube.client import ADMIN
from tests.kube.world import kubeconfig, prepare

FILL, WRITES, HANG, RELEASE, STOP = "fill", "writes", "hang", "release", "stop"


@dataclass(frozen=True)
class Api:
    """The servers as this process knows them; the second, ``other``, can be told to hang."""

    pipe: "Connection[Any, Any]"
    url: str
    token: str
    kubeconfig: str
    other: str = ""
    """The kubeconfig of the second server."""

    def hang(self) -> None:
        """Let the second server take requests and answer none."""
        self._ask(HANG)

    def release(self) -> None:
        """Let it answer again."""
        self._ask(RELEASE)

    def fill(self, documents: list[dict[str, Any]]) -> None:
        """Put objects there, without a request for each."""
        self._ask(FILL, orjson.dumps(documents))

    def writes(self) -> int:
        """Return how many requests have come since the last time that were no reads."""
        return int(self._ask(WRITES))

    def _ask(self, *words: object) -> Any:
        self.pipe.send(words)
        return self.pipe.recv()


@contextmanager
def api_process() -> Iterator[Api]:
    """Start the server; it ends with the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    yield Api(ours, *ours.recv())
    ours.send((STOP,))
    process.join(10)


def _serve(pipe: "Connection[Any, Any]") -> None:
    with FakeKubeApi() as api, FakeKubeApi() as other:
        prepare(api)
        prepare(other)
        # An administrator: what is measured is the bridge, not how the fake looks rights up.
        pipe.send((api.url, api.token_of(ADMIN), kubeconfig(api, ADMIN), kubeconfig(other, ADMIN)))
        while (words := pipe.recv())[0] != STOP:
            if words[0] == FILL:
                api.fill(orjson.loads(words[1]))
                pipe.send(None)
            elif words[0] in (HANG, RELEASE):
                other.faults.clear()
                if words[0] == HANG:
                    other.faults.hang()
                pipe.send(None)
            else:
                pipe.send(sum(request.method != "GET" for request in api.requests))
                api.requests.clear()
