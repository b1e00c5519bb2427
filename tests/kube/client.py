"""A client that sends exactly what it is told and shows exactly what came back, to the real API server or the fake."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

ADMIN = "admin"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
NAMESPACES = "/api/v1/namespaces"
CRBS = f"{RBAC}/clusterrolebindings"
CLUSTER_ROLES = f"{RBAC}/clusterroles"
REVIEWS = "/apis/authorization.k8s.io/v1"

JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def reason(self) -> str:
        return str(self.document.get("reason", ""))

    @property
    def version(self) -> str:
        return str(self.document["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.document["items"]]

    @property
    def causes(self) -> list[dict[str, str]]:
        found = self.document["details"]["causes"]
        assert isinstance(found, list)
        return found


class KubeClient:
    """Sends as one user."""

    def __init__(self, url: str, token: str | None, authority: str | None = None) -> None:
        self._url = url
        self._token = token
        context = ssl.create_default_context(cadata=authority) if authority else None
        self._pool = urllib3.PoolManager(maxsize=16, ssl_context=context, retries=False, timeout=30)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = JSON,
        query: Mapping[str, object] | None = None,
    ) -> Reply:
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            headers["Content-Type"] = content_type
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        answer = self._pool.request(method, url, body=content, headers=headers)
        return Reply(answer.status, answer.headers, answer.data)

    def get(self, path: str, **query: object) -> Reply:
        return self.send("GET", path, query=query)

    def post(self, path: str, body: object, **query: object) -> Reply:
        return self.send("POST", path, body, query=query)

    def put(self, path: str, body: object, **query: object) -> Reply:
        return self.send("PUT", path, body, query=query)

    def merge(self, path: str, body: object, **query: object) -> Reply:
        return self.send("PATCH", path, body, MERGE, query)

    def apply(self, path: str, body: object, manager: str = "ours", **query: object) -> Reply:
        """Server-side apply."""
        return self.send("PATCH", path, body, APPLY, {"fieldManager": manager, **query})

    def delete(self, path: str, body: object = None, **query: object) -> Reply:
        return self.send("DELETE", path, body, query=query)
