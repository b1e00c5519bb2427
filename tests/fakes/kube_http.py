"""The HTTP side of the fake API server: threads, keep-alive, and answers that go wrong on the wire."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.kube_faults import Fault, Faults, Trouble


@dataclass(frozen=True)
class Exchange:
    """A request, read whole."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    certified: str | None = None
    """The name in the client's certificate."""


@dataclass(frozen=True)
class Outcome:
    """An answer, and what goes wrong with it on the way."""

    status: int
    body: bytes
    fault: Fault | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpServer:
    """Serves on a free loopback port from when it is made; nobody is answered before ``start``."""

    def __init__(
        self, answer: Callable[[Exchange], Outcome], faults: Faults, context: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.answer, self._server.faults = answer, faults
        if context is not None:
            # The handshake is the handler's: a client that breaks it off must not stop the others.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.close_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    answer: Callable[[Exchange], Outcome]
    faults: Faults

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that break off are what the tests are about."""

    def close_connections(self) -> None:
        """Close what clients keep open for their next request, as a process that ends does."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(5)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.title(): value for name, value in self.headers.items()}
        outcome = self.server.answer(Exchange(self.command, self.path, headers, body, self._certified()))
        fault = outcome.fault
        if fault is None:
            self._send(outcome)
        elif fault.trouble is Trouble.LATENCY:
            time.sleep(fault.seconds)
            self._send(outcome)
        elif fault.trouble is Trouble.GARBAGE:
            self._send(Outcome(200, fault.body))
        elif fault.trouble in (Trouble.EMPTY_LIST, Trouble.HALF_LIST):
            self._send(outcome)
        else:
            self.close_connection = True
            self._break(outcome, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's own names

    def _certified(self) -> str | None:
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        subject = dict(part[0] for part in (certificate or {}).get("subject", ()))  # type: ignore[misc]
        return subject.get("commonName")

    def _send(self, outcome: Outcome) -> None:
        self.wfile.write(self._head(outcome) + outcome.body)

    def _break(self, outcome: Outcome, fault: Fault) -> None:
        if fault.trouble is Trouble.HANG:
            self.server.faults.released.wait()
        elif fault.trouble is Trouble.RESET:
            # Lingering for zero seconds makes the kernel send a reset instead of a goodbye.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif fault.trouble is Trouble.TRUNCATED:
            self.wfile.write(self._head(outcome) + outcome.body[: len(outcome.body) // 2])
        else:
            self.wfile.write(self._head(outcome))
            self._trickle(outcome.body, fault.seconds)

    def _trickle(self, content: bytes, seconds: float) -> None:
        released = self.server.faults.released
        for place in range(len(content)):
            self.wfile.write(content[place : place + 1])
            if released.wait(seconds):
                return

    def _head(self, outcome: Outcome) -> bytes:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(outcome.body)), **outcome.headers}
        lines = [f"HTTP/1.1 {outcome.status} -", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""
