"""A proxy before an API server that passes everything on, and goes wrong when it is told to."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.kube_api import VERBS, as_listed, as_told, is_list
from tests.fakes.kube_faults import Faults, Trouble
from tests.fakes.kube_http import Exchange, HttpServer, Outcome
from tests.kube.client import JSON, KubeClient
from tests.kube.server import KubeServer

Hook = Callable[[str, str], None]
"""Is called with the verb and the path of a request before it is passed on."""


class FaultyProxy:
    """``faults`` says what goes wrong; ``before`` is done before a request is passed on, by its own thread."""

    def __init__(self, server: KubeServer) -> None:
        self.faults = Faults()
        self.before: Hook | None = None
        self._server = server
        self._clients: dict[str, KubeClient] = {}
        self._http = HttpServer(self._answer, self.faults)
        self.url = self._http.url
        self.authority = ""

    def __enter__(self) -> "FaultyProxy":
        self._http.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.clear()
        self._http.stop()

    def token_of(self, user: str) -> str:
        return self._server.token_of(user)

    def _answer(self, exchange: Exchange) -> Outcome:
        parts = urlsplit(exchange.target)
        verb = "list" if exchange.method == "GET" and is_list(parts.path) else VERBS.get(exchange.method, "")
        fault = self.faults.take(verb, parts.path)
        if fault is not None and fault.trouble is Trouble.STATUS:
            return as_told(fault)
        if self.before is not None:
            self.before(verb, parts.path)
        token = exchange.headers.get("Authorization", "").removeprefix("Bearer ")
        client = self._clients.setdefault(token, KubeClient(self._server.url, token, self._server.authority))
        content_type = exchange.headers.get("Content-Type", JSON)
        query = dict(parse_qsl(parts.query))
        reply = client.send(exchange.method, parts.path, exchange.body or None, content_type, query)
        return Outcome(reply.status, as_listed(reply.body, fault) if verb == "list" else reply.body, fault)
