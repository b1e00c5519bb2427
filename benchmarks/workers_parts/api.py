"""Many Kubernetes APIs behind one port, each below a path of its own, that take a while for every answer."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import yaml

from scim_bridge.domain.organizations import ClusterId

GROUP = "rbac.authorization.k8s.io/v1"


@contextmanager
def many_apis(latency_seconds: float) -> Iterator[str]:
    """Start the server in a process of its own, and yield its address; it ends with the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, latency_seconds), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}"
    process.terminate()
    process.join(10)


def kubeconfig(address: str, cluster_id: ClusterId) -> str:
    """Return how one of the clusters is reached."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": "only",
            "clusters": [{"name": "only", "cluster": {"server": f"{address}/{cluster_id}"}}],
            "users": [{"name": "only", "user": {"token": "any"}}],
            "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
        }
    )  # fmt: skip


class _Apis:
    """The objects of every cluster, by path; it checks nothing, for nothing of that is measured."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency = latency_seconds
        self._objects: dict[str, dict[str, Any]] = {}
        self._version = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, _, rest = head.decode().partition("\r\n")
                headers = dict(each.lower().split(": ", 1) for each in rest.split("\r\n") if each)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                await asyncio.sleep(self._latency)
                method, target, _ = line.split()
                status, answer = self._answer(method, target.partition("?")[0], orjson.loads(body or b"{}"))
                data = orjson.dumps(answer)
                kind = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
                writer.write(kind.encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, method: str, path: str, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        kind = "ClusterRoleBinding" if "/clusterrolebindings" in path else "RoleBinding"
        if method == "POST":
            path = f"{path}/{document['metadata']['name']}"
        if method in ("POST", "PUT"):
            self._version += 1
            document["metadata"] |= {"uid": f"uid-{self._version}", "resourceVersion": str(self._version)}
            self._objects[path] = document | {"kind": kind, "apiVersion": GROUP}
            return 201 if method == "POST" else 200, self._objects[path]
        if method == "DELETE":
            self._objects.pop(path, None)
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if path in self._objects:
            return 200, self._objects[path]
        items = [each for place, each in self._objects.items() if place.startswith(f"{path}/")]
        return 200, {
            "kind": f"{kind}List", "apiVersion": GROUP, "metadata": {"resourceVersion": str(self._version)},
            "items": items,
        }  # fmt: skip


def _serve(pipe: Any, latency_seconds: float) -> None:
    async def main() -> None:
        server = await asyncio.start_server(_Apis(latency_seconds).serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
