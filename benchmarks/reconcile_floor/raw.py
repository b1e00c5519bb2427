"""What nobody can save: the same lists and the same writes by urllib3 alone, on one connection a thread."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3

from benchmarks.reconcile_floor.api import Api
from tests.kube.client import APPLY, RBAC

PAGE = 1000
WRITERS = 8


class Raw:
    """A client that does nothing but send and read."""

    def __init__(self, api: Api) -> None:
        self._url = api.url
        self._headers = {"Authorization": f"Bearer {api.token}", "Accept": "application/json"}
        self._pool = urllib3.PoolManager(maxsize=WRITERS, retries=False, timeout=60)

    def list_all(self) -> list[dict[str, Any]]:
        """List what a pass lists, page by page, and return the bindings."""
        return [*self._list(f"{RBAC}/clusterrolebindings"), *self._list(f"{RBAC}/rolebindings")]

    def apply_all(self, documents: Iterable[dict[str, Any]]) -> None:
        """Write every document, on as many connections as the bridge has."""
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(self._apply, documents))

    def rewrite(self, document: dict[str, Any]) -> None:
        """Read an object and write it as it was, which is what taking somebody out of it costs at least."""
        path = f"{self._url}{RBAC}/clusterrolebindings/{document['metadata']['name']}"
        found = orjson.loads(self._pool.request("GET", path, headers=self._headers).data)
        headers = {**self._headers, "Content-Type": APPLY}
        found["metadata"] = {key: found["metadata"][key] for key in ("name", "labels", "annotations")}
        query = urlencode({"fieldManager": "scim-bridge", "force": "true"})
        reply = self._pool.request("PATCH", f"{path}?{query}", body=orjson.dumps(found), headers=headers)
        assert reply.status == 200, reply.data

    def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query: dict[str, object] = {"limit": PAGE}
        while True:
            reply = self._pool.request("GET", f"{self._url}{path}?{urlencode(query)}", headers=self._headers)
            page = orjson.loads(reply.data)
            items += page["items"]
            if not page["metadata"].get("continue"):
                return items
            query["continue"] = page["metadata"]["continue"]

    def _apply(self, document: dict[str, Any]) -> None:
        metadata = document["metadata"]
        place = f"{RBAC}/namespaces/{metadata['namespace']}/rolebindings/{metadata['name']}"
        headers = {**self._headers, "Content-Type": APPLY}
        reply = self._pool.request(
            "PATCH", f"{self._url}{place}?fieldManager=scim-bridge&force=true", body=orjson.dumps(document),
            headers=headers,
        )  # fmt: skip
        assert reply.status == 200, reply.data
