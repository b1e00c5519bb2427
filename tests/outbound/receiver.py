"""A receiver of webhooks of this test's own: it really listens, and believes only what verifies."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from standardwebhooks import Webhook

Answers = Callable[[dict[str, Any]], tuple[int, bytes, dict[str, str]]]


def taken(_event: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    """Answer as a receiver that has taken an event."""
    return 200, b"thanks", {}


@dataclass
class Receiver:
    """What arrived: the events in their order, the headers of each, and the answers that are given."""

    url: str = ""
    answers: Answers = taken
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def refuse(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer like this from now on."""
        self.answers = lambda _: (status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def take(self, headers: dict[str, str], body: str) -> tuple[int, bytes, dict[str, str]]:
        """Note a request and return the answer to it."""
        with self.lock:
            self.headers.append(headers)
            self.bodies.append(body)
            self.events.append(json.loads(body))
            return self.answers(self.events[-1])

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Return the events, each verified as receivers do; raises for one that is not signed with this secret."""
        pairs = zip(self.bodies, self.headers, strict=True)
        return [Webhook(secret).verify(body, headers) for body, headers in pairs]

    def verified_at_any_time(self, secret: str) -> list[dict[str, Any]]:
        """Return the events, each verified but for its age: what a test's clock says is another day."""
        for body, headers in zip(self.bodies, self.headers, strict=True):
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            expected = Webhook(secret).sign(headers["webhook-id"], at, body)
            assert expected in headers["webhook-signature"].split(" ")
        return self.events

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the events in their order."""
        return [each["type"] for each in self.events]

    @property
    def ids(self) -> list[str]:
        """Return the ids of the messages in their order."""
        return [each["webhook-id"] for each in self.headers]


@contextmanager
def open_receiver(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Listen on the loopback while the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer, more = receiver.take(headers, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
