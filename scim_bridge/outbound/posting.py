"""
Hand a message to a receiver that somebody in an organization chose, without being led anywhere else.

The name is resolved once, and what is connected to is one of the very addresses that were judged: a second answer of
the DNS changes nothing. No redirect is followed, no proxy asked, and the whole takes no longer than it may.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from scim_bridge.domain.webhooks import Network, is_loopback, may_be_called
from scim_bridge.errors import WebhookUndelivered

MOST_READ = 4096
LONGEST_EXCERPT = 500
MOST_ADDRESSES = 4
LONGEST_WISH = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: ``excerpt`` is its beginning on one line, ``retry_after`` the seconds if it named any."""

    status: int
    excerpt: str
    retry_after: float | None = None

    @property
    def is_taken(self) -> bool:
        """Tell whether the receiver has taken the message."""
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants no message ever again."""
        return self.status == 410


def post(url: str, body: bytes, headers: Mapping[str, str], *, networks: Sequence[Network], seconds: float) -> Answer:
    """Send one message and return what was answered; raises WebhookUndelivered when there is no answer."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        with _connected(parts, networks, seconds) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            about = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "scim-bridge"}
            connection.request("POST", target, body, {**about, "Connection": "close", **headers})
            answer = connection.getresponse()
            excerpt = _excerpt(answer.read(MOST_READ))
        return Answer(answer.status, excerpt, _wish(answer.getheader("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WebhookUndelivered(f"{host} gave no answer: {_words(error, seconds)}.") from None


class _Watch:
    """Ends a conversation when its time is over: each read has a limit of its own, but there may be many reads."""

    def __init__(self, opened: socket.socket, seconds: float) -> None:
        self.opened = opened
        self.is_over = False
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        with suppress(OSError):
            # Of the socket below TLS: whoever reads is woken with the end of the stream.
            socket.socket.shutdown(self.opened, socket.SHUT_RDWR)


@contextmanager
def _connected(parts: SplitResult, networks: Sequence[Network], seconds: float) -> Iterator[http.client.HTTPConnection]:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    opened = _open(host, port, parts.scheme, networks, seconds)
    watch = _Watch(opened, seconds)
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        if parts.scheme == "https":
            opened = _context().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
            watch.opened = opened
            opened.do_handshake()
        connection.sock = opened
        yield connection
        if watch.is_over:
            # An answer that is cut off in its headers looks like a short one.
            raise TimeoutError
    except (OSError, http.client.HTTPException):
        if watch.is_over:
            raise TimeoutError from None
        raise
    finally:
        watch.stop()
        connection.close()
        opened.close()


def _open(host: str, port: int, scheme: str, networks: Sequence[Network], seconds: float) -> socket.socket:
    found = [each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [str(each) for each in found if may_be_called(str(each), networks)]
    if scheme == "http":
        allowed = [each for each in allowed if is_loopback(each)]
    if not allowed:
        # Not which address it is: who may write webhooks need not learn what our own network looks like.
        raise WebhookUndelivered(f"{host} is not at a public address, nor in webhook_networks.")
    problem: OSError | None = None
    for address in allowed[:MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            problem = error
    assert problem is not None
    raise problem


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _excerpt(body: bytes) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in body.decode(errors="replace"))
    return " ".join(printable.split())[:LONGEST_EXCERPT]


def _wish(header: str | None) -> float | None:
    return min(float(header), LONGEST_WISH) if header is not None and header.isdecimal() else None


def _words(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"it took longer than {seconds:g} s"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "it ended the connection"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "its name leads nowhere"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it does not speak HTTP"
