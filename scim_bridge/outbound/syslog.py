"""
Send lines to a syslog server (RFC 5424) over UDP, TCP or TLS.

Over TCP and TLS each line is preceded by its length (RFC 6587 §3.4.1, RFC 5425 §4.3), since a line may hold anything.
Python's own handler frames with a zero byte, knows no TLS and swallows failures; here a failure is an error.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from logging.handlers import SysLogHandler
from typing import Protocol
from urllib.parse import urlsplit

from scim_bridge.errors import SyslogUndelivered

PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
SECONDS = 10.0
# Log entries of audits (RFC 5424 §6.2.1: "log audit" has no name in Python), and what is normal but worth noting.
FACILITY = 13
PRIORITY = FACILITY * 8 + SysLogHandler.LOG_NOTICE
# What a datagram holds on every network of today (RFC 5426 §3.2 asks for 2048 at most between strangers).
LONGEST_DATAGRAM = 8192


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: ``kind`` is the word by which collectors sort."""

    at: datetime
    host: str
    kind: str
    text: str

    @property
    def rendered(self) -> bytes:
        """Return the line as RFC 5424 §6 has it; the text is UTF-8, and says so."""
        at = self.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        head = f"<{PRIORITY}>1 {at} {_word(self.host, 255)} scim-bridge - {_word(self.kind, 32)} - "
        return head.encode() + b"\xef\xbb\xbf" + self.text.encode()


class Sends(Protocol):
    """What takes lines."""

    def __call__(self, line: Line) -> None:
        """Send one line; raises OSError."""


@contextmanager
def open_syslog(url: str) -> Iterator[Sends]:
    """Connect to the server at ``udp://host:514``, ``tcp://`` or ``tls://``; raises SyslogUndelivered."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        with _connected(parts.scheme, host, port) as opened:
            framed = parts.scheme != "udp"

            def send(line: Line) -> None:
                text = line.rendered
                opened.sendall(b"%d %s" % (len(text), text) if framed else _cut(text))

            yield send
    except OSError as error:
        raise SyslogUndelivered(f"The syslog server {host}:{port} did not take a line: {error}.") from None


def _connected(scheme: str, host: str, port: int) -> socket.socket:
    if scheme == "udp":
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, kind)
        opened.settimeout(SECONDS)
        opened.connect(address)
        return opened
    opened = socket.create_connection((host, port), timeout=SECONDS)
    if scheme == "tcp":
        return opened
    try:
        return ssl.create_default_context().wrap_socket(opened, server_hostname=host)
    except OSError:
        opened.close()
        raise


def _cut(text: bytes) -> bytes:
    # Cut between letters: half a letter is no UTF-8.
    return text if len(text) <= LONGEST_DATAGRAM else text[:LONGEST_DATAGRAM].decode(errors="ignore").encode()


def _word(text: str, longest: int) -> str:
    return "".join(letter for letter in text if "!" <= letter <= "~")[:longest] or "-"
